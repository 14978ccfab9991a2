"""Tell text from binary data and decode it: UTF-8 or, with a byte order mark, UTF-16."""

import codecs
import re
import unicodedata

from models.errors import MediaError

_MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")  # tab and line ends may stay


def text_head(data: bytes, n_bytes: int = 65_536) -> str | None:
    """Decode the beginning of a text for a look at its structure.

    Bytes that are not UTF-8 become U+FFFD, so that a text in another encoding is still seen as a
    text and can be refused with a message about its encoding.

    Returns:
        The decoded beginning, or None when the data are binary (they hold control characters).
    """
    encoding, mark = _encoding(data)
    head = data[len(mark) : n_bytes]
    text = codecs.getincrementaldecoder(encoding)("replace").decode(head, final=False)
    return None if first_control_character(text) is not None else text


def decode_text(data: bytes) -> str:
    """Decode a whole text and drop its byte order mark.

    Raises:
        MediaError: ``damaged`` when the bytes do not fit the encoding.
    """
    encoding, mark = _encoding(data)
    try:
        return data[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        raise MediaError(
            "damaged",
            f"expected text in UTF-8 (or UTF-16 with a byte order mark), got byte "
            f"0x{error.object[error.start]:02x} at offset {error.start + len(mark)}, which is not "
            f"{encoding.upper()}; save the file as UTF-8",
        ) from None


def first_control_character(text: str) -> int | None:
    """Offset of the first control character that no text needs (NUL, bell, ...), or None."""
    found = _CONTROL.search(text)
    return None if found is None else found.start()


def normalise(text: str) -> str:
    """Return NFC text whose lines end with a line feed, whatever they ended with before."""
    for line_end in ("\r\n", "\r", "\x85", "\u2028", "\u2029"):
        text = text.replace(line_end, "\n")
    return unicodedata.normalize("NFC", text)


def _encoding(data: bytes) -> tuple[str, bytes]:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return encoding, mark
    return "utf-8", b""
