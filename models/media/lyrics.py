"""Bytes to lyrics: decode, normalise, refuse what is not a text."""

import json

from models.errors import MediaError
from models.media.limits import MediaLimits
from models.media.plain_text import decode_text, first_control_character, normalise
from models.types import Lyrics


def decode_lyrics(data: bytes, limits: MediaLimits) -> Lyrics:
    """Decode the words of a song.

    Args:
        data: UTF-8, with or without byte order mark, or UTF-16 with one.
        limits: ``max_characters`` applies.

    Returns:
        NFC text whose lines end with a line feed, not blank.

    Raises:
        MediaError: ``mislabelled`` for binary data, ``damaged`` for another encoding, ``empty``
            for a blank text, ``too_large`` for a long one.
    """
    if b"\x00" in data and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise MediaError(
            "mislabelled",
            f"expected lyrics as plain text, got binary data (a NUL byte at offset "
            f"{data.index(0)})",
        )
    text = decode_text(data)
    if len(text) > limits.max_characters:
        raise MediaError(
            "too_large",
            f"expected at most {limits.max_characters} characters of lyrics, got {len(text)}",
        )
    offset = first_control_character(text)
    if offset is not None:
        raise MediaError(
            "mislabelled",
            f"expected lyrics as plain text, got the control character "
            f"U+{ord(text[offset]):04X} at character {offset}",
        )
    if _is_json(text):
        raise MediaError("mislabelled", "expected lyrics as plain text, got a JSON document")
    text = normalise(text)
    if not text.strip():
        raise MediaError("empty", "expected lyrics, got a text without any visible character")
    return Lyrics(text)


def _is_json(text: str) -> bool:
    """True for an object or a list: a manifest beside media is no lyric, `[Chorus] ...` is one."""
    if text.lstrip()[:1] not in {"{", "["}:
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
