"""Tell notation from words: what kind of text a file holds, by an unmistakable beginning."""

import re

from models.media import formats
from models.media.formats import MediaFormat
from models.media.plain_text import text_head

_SEARCHED_BYTES = 65_536

_PDF = re.compile(r"\s*%PDF-\d\.\d")
_XML_PROLOG = re.compile(
    r"\s*(?:<\?.*?\?>\s*|<!--.*?-->\s*|<!DOCTYPE[^\[>]*(?:\[.*?\]\s*)?>\s*)*", re.DOTALL
)
_XML_ROOT = re.compile(r"<(?:[\w.-]+:)?([\w.-]+)")
_XML_ROOTS = {
    "score-partwise": formats.MUSICXML,
    "score-timewise": formats.MUSICXML,
    "mei": formats.MEI,
}

_SPINE = re.compile(r"\*\*[^\s*]+")
# A line of one such word is Humdrum only when we know the word: lyrics have lines like "**chorus".
_SPINES = frozenset(
    {
        *("**kern", "**ekern", "**bekern", "**tkern", "**mens", "**pitch", "**pc", "**Tnote"),
        *("**MIDI", "**freq", "**semits", "**deg", "**degree", "**solfa", "**solfg", "**koto"),
        *("**text", "**silbe", "**IPA", "**harm", "**mxhm", "**function", "**fb", "**root"),
        *("**dynam", "**dyn", "**recip", "**cdata", "**fret"),
    }
)


def text_format(data: bytes) -> MediaFormat | None:
    """Return the format of a text.

    Returns:
        Notation or a PDF without binary parts where the text begins as such, otherwise ``TEXT``;
        None for binary data and for XML that is neither MusicXML nor MEI.
    """
    head = text_head(data, _SEARCHED_BYTES)
    if head is None:
        return None
    start = head.lstrip()
    if start.startswith(("<?xml", "<!DOCTYPE", "<score-", "<mei", "<!--")):
        return _xml(start)
    if _PDF.match(head):
        return formats.PDF
    if re.search(r"^X:\s*\d*", head, re.MULTILINE) and re.search(r"^K:", head, re.MULTILINE):
        return formats.ABC
    return formats.HUMDRUM if _is_humdrum(head) else formats.TEXT


def _xml(start: str) -> MediaFormat | None:
    """Words may begin with a comment or a bracket; only a declaration makes them XML."""
    prolog = _XML_PROLOG.match(start)
    root = _XML_ROOT.match(start, prolog.end() if prolog else 0)
    known = _XML_ROOTS.get(root[1]) if root else None
    if known is None and not start.startswith(("<?xml", "<!DOCTYPE")):
        return formats.TEXT
    return known


def _is_humdrum(head: str) -> bool:
    for line in head.splitlines():
        if line.strip() and not line.startswith("!"):
            spines = line.rstrip().split("\t")
            if len(spines) == 1:
                return spines[0] in _SPINES
            return all(_SPINE.fullmatch(spine) for spine in spines)
    return False
