"""Tell the format of a file from its first bytes and its structure, never from its name."""

import zipfile
import zlib
from collections.abc import Callable
from io import BytesIO

from models.errors import MediaError
from models.media import formats, ogg_pages
from models.media.formats import MediaFormat
from models.media.frame_sync import id3_length, is_adts, is_mp3
from models.media.plain_text import text_head
from models.media.sniff_text import text_format

_MAGIC: tuple[tuple[bytes, MediaFormat], ...] = (
    (b"fLaC", formats.FLAC),
    (b"\x89PNG\r\n\x1a\n", formats.PNG),
    (b"\xff\xd8\xff", formats.JPEG),
    (b"II*\x00", formats.TIFF),
    (b"MM\x00*", formats.TIFF),
    (b"MThd", formats.MIDI),
)

# Named only to say what came instead of "unknown".
_REFUSED: tuple[tuple[int, bytes, str], ...] = (
    (0, b"FORM", "AIFF sound"),
    (0, b".snd", "AU sound"),
    (0, b"caff", "CAF sound"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "Windows Media (ASF)"),
    (0, b"FLV\x01", "Flash video"),
    (0, b"\x00\x00\x01\xba", "MPEG program stream"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (0, b"Rar!", "a RAR archive"),
    (0, b"\xfd7zXZ\x00", "an xz archive"),
    (0, b"\x7fELF", "a program"),
    (0, b"8BPS", "a Photoshop image"),
    (0, b"\x00\x00\x01\x00", "an icon"),
    (257, b"ustar", "a tar archive"),
)

_BELOW_TEXT = 0x08FF_FFFF  # larger box sizes begin with a byte that may begin a text (tab, letter)
_STILL_BRANDS = (b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"avif", b"avis")


def identify(data: bytes) -> MediaFormat:
    """Return the format of a whole file.

    MP4, MOV, WebM and Matroska are returned as film; whether they hold a picture is known only
    after a look into their streams (``container.has_picture``).

    Raises:
        MediaError: ``empty`` without bytes, ``unsupported`` for a format that we do not read.
    """
    if not data:
        raise MediaError("empty", "expected a media file, got 0 bytes")
    for recognise in (_by_magic, _by_structure, text_format, _by_frames):
        found = recognise(data)
        if found is not None:
            return found
    raise MediaError(
        "unsupported",
        f"expected one of {', '.join(known.name for known in formats.FORMATS)}; "
        f"got {_describe(data)}",
    )


def _by_magic(data: bytes) -> MediaFormat | None:
    for magic, media_format in _MAGIC:
        if data.startswith(magic):
            return media_format
    if data[:2] == b"BM" and data[6:10] == bytes(4):
        return formats.BMP
    if b"%PDF-" in data[:1024] and text_head(data) is None:  # a text may speak of PDF
        return formats.PDF
    return None


def _by_structure(data: bytes) -> MediaFormat | None:
    structures: tuple[tuple[bool, Callable[[bytes], MediaFormat | None]], ...] = (
        (data[:4] in (b"RIFF", b"RIFX", b"RF64"), _riff),
        (data[:4] == ogg_pages.CAPTURE, _ogg),
        (data[4:8] == b"ftyp" or _is_old_box(data), _iso_media),
        (data[:4] == b"\x1a\x45\xdf\xa3", _ebml),
        (data[:6] in (b"GIF87a", b"GIF89a"), _gif),
        (data[:4] in (b"PK\x03\x04", b"PK\x05\x06"), _zip),
    )
    for matches, read in structures:
        if matches:
            return read(data)
    return None


def _by_frames(data: bytes) -> MediaFormat | None:
    tag = id3_length(data)
    if tag and data[tag : tag + 4] == b"fLaC":
        return formats.FLAC
    if is_adts(data, tag):
        return formats.AAC
    return formats.MP3 if tag or is_mp3(data, 0) else None


def _riff(data: bytes) -> MediaFormat | None:
    kinds = {b"WAVE": formats.WAV, b"AVI ": formats.AVI, b"WEBP": formats.WEBP}
    return kinds.get(data[8:12])


def _ogg(data: bytes) -> MediaFormat | None:
    codecs = ogg_pages.codecs(data)
    if "theora" in codecs:
        return formats.OGV
    if "opus" in codecs:
        return formats.OPUS
    return formats.OGG


def _is_old_box(data: bytes) -> bool:
    """True for the first box of QuickTime; in "And skip to my Lou" the size is no size."""
    if data[4:8] not in (b"moov", b"mdat", b"wide", b"skip", b"free"):
        return False
    n_bytes = int.from_bytes(data[:4], "big")
    is_special = n_bytes <= 1  # 0: up to the end of the file, 1: a size of 64 bits follows
    return is_special or 8 <= n_bytes <= max(len(data), _BELOW_TEXT)


def _iso_media(data: bytes) -> MediaFormat | None:
    if data[4:8] != b"ftyp":
        return formats.MOV  # QuickTime files older than the brand box
    brand = data[8:12]
    if brand in _STILL_BRANDS:
        return None
    return formats.MOV if brand == b"qt  " else formats.MP4


def _ebml(data: bytes) -> MediaFormat | None:
    return formats.WEBM if b"webm" in data[:64] else formats.MKV


def _gif(data: bytes) -> MediaFormat | None:
    return formats.GIF_FILM if _counts_two_pictures(data) else formats.GIF


def _counts_two_pictures(data: bytes) -> bool:
    """Walk the blocks of a GIF up to its second picture, without decoding."""
    position = 13 + _colour_table_bytes(data, 10)
    n_pictures = 0
    while position < len(data):
        marker = data[position]
        if marker == 0x2C:
            n_pictures += 1
            if n_pictures == 2:
                return True
            position += 11 + _colour_table_bytes(data, position + 9)
        elif marker == 0x21:
            position += 2
        else:
            return False
        while position < len(data) and data[position]:  # data sub-blocks, closed by a zero
            position += 1 + data[position]
        position += 1
    return False


def _colour_table_bytes(data: bytes, flags_at: int) -> int:
    flags = data[flags_at] if flags_at < len(data) else 0
    return 3 << (1 + (flags & 7)) if flags & 0x80 else 0


def _zip(data: bytes) -> MediaFormat | None:
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, NotImplementedError):
        return formats.MXL  # a cut archive lost its directory; the score reader says "damaged"
    if "mimetype" in names or "[Content_Types].xml" in names:
        return None  # EPUB, OpenDocument, Office
    is_score = any(name.lower().endswith((".musicxml", ".xml")) for name in names)
    return formats.MXL if is_score else None


def _describe(data: bytes) -> str:
    for offset, magic, name in _REFUSED:
        if data[offset : offset + len(magic)] == magic:
            return name
    if data[4:8] == b"ftyp":
        return f"an ISO media file of brand {data[8:12].decode('ascii', 'replace')!r}"
    if data[:2] == b"PK":
        return "a zip archive without a MusicXML score"
    if text_head(data) is not None:
        return "XML that is neither MusicXML nor MEI"
    return f"unknown binary data beginning with {data[:8].hex(' ')}"
