"""Text as numbers of characters, for a network: the letters of many languages, others by hash."""

import unicodedata
import zlib
from collections.abc import Iterator

import numpy as np

from models.types import UInt8Array

LENGTH = 192
N_CODES = 160
_COMMON = (
    "\n abcdefghijklmnopqrstuvwxyzäöüßàâæçèéêëîïôœùûÿáíóúñìòåøABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "ÄÖÜÀÉ0123456789.,;:!?'-()\""
)
_PLAIN = str.maketrans("\u2019\u2018\u201c\u201d\u201e\u2013\u2014", '\'\'"""--')
_CODE = {character: code for code, character in enumerate(_COMMON, start=1)}
_HASHED_FROM = len(_COMMON) + 1


def character_codes(text: str) -> UInt8Array:
    """Return the parts of a text as codes, shape (P, LENGTH), P >= 1; 0 fills the last part up.

    A part ends with a line, unless a single line is longer than ``LENGTH``.
    """
    parts = text_parts(text)
    codes = np.zeros((max(len(parts), 1), LENGTH), np.uint8)
    for row, part in zip(codes, parts, strict=False):
        row[: len(part)] = [_code(character) for character in part]
    return codes


def read_text(text: str) -> str:
    """Return a text with composed accents and plain quotes and dashes, as it is read here."""
    return unicodedata.normalize("NFC", text).translate(_PLAIN)


def text_parts(text: str) -> list[str]:
    """Return the parts of a text as they are read, none longer than ``LENGTH``; none of no text."""
    return list(_parts(read_text(text)))


def _parts(text: str) -> Iterator[str]:
    part = ""
    for line in text.splitlines():
        joined = f"{part}\n{line}" if part else line
        if len(joined) <= LENGTH:
            part = joined
            continue
        if part:
            yield part
        while len(line) > LENGTH:
            yield line[:LENGTH]
            line = line[LENGTH:]
        part = line
    if part:
        yield part


def _code(character: str) -> int:
    known = _CODE.get(character)
    if known is not None:
        return known
    lower = _CODE.get(character.lower())
    if lower is not None:
        return lower
    return _HASHED_FROM + zlib.crc32(character.encode()) % (N_CODES - _HASHED_FROM)


def character_of(code: int) -> str:
    """Return the character of a code; a space for one that stands for several."""
    return _COMMON[code - 1] if 0 < code < _HASHED_FROM else " "
