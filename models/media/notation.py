"""Read any notation file into a clean MEI document: notes, no words.

All formats take the same way: verovio reads them, its MEI is stripped and engraved. So the same
notes give the same picture, whatever format and words they came with.
"""

import xml.etree.ElementTree as ET

import verovio

from models.errors import MediaError
from models.media import formats
from models.media.accidentals import forget_sounding_accidentals, write_accidentals
from models.media.formats import MediaFormat
from models.media.limits import MediaLimits
from models.media.mei_tree import count_notes, keep_notation
from models.media.midi_file import read_midi
from models.media.midi_notation import to_musicxml
from models.media.plain_text import decode_text
from models.media.timewise import to_partwise
from models.media.xml_tree import local_name, parse_xml
from models.media.zip_container import read_score

verovio.enableLog(verovio.LOG_OFF)

_VEROVIO_NAMES = {formats.MEI: "mei", formats.ABC: "abc", formats.HUMDRUM: "humdrum"}


def to_clean_mei(data: bytes, media_format: MediaFormat, limits: MediaLimits) -> str:
    """Return an MEI document with the notes of a notation file and without its words.

    Args:
        data: The whole file.
        media_format: MusicXML, MXL, MEI, MIDI, ABC or Humdrum.
        limits: ``max_unpacked_bytes`` applies to the document, unpacked.

    Raises:
        MediaError: ``damaged`` when it cannot be read, ``empty`` without a note, ``too_large``,
            ``unsupported`` with entity declarations.
    """
    text = _document(data, media_format, limits)
    if len(text) > limits.max_unpacked_bytes:
        raise MediaError(
            "too_large",
            f"expected a score of at most {limits.max_unpacked_bytes} bytes, got {len(text)}",
        )
    # Repeats stay as they are written: verovio would otherwise unroll them while loading.
    toolkit = loaded_toolkit(
        text,
        {"inputFrom": _VEROVIO_NAMES.get(media_format, "musicxml"), "expandNever": True},
        name=media_format.name,
    )
    root = parse_xml(toolkit.getMEI(), name="MEI")
    keep_notation(root)
    if count_notes(root) == 0:
        raise MediaError("empty", f"expected a {media_format.name} score with notes, got none")
    if media_format is formats.ABC:
        forget_sounding_accidentals(root)
    else:
        write_accidentals(root)
    return ET.tostring(root, encoding="unicode")


def loaded_toolkit(
    text: str, options: dict[str, str | int | bool | float], *, name: str
) -> verovio.toolkit:
    """Return a verovio toolkit that has read ``text``.

    Raises:
        MediaError: ``damaged`` when verovio refuses the document.
    """
    toolkit = verovio.toolkit()
    toolkit.setOptions(options)
    if not toolkit.loadData(text):
        raise MediaError("damaged", f"expected a whole {name} score, verovio cannot read it")
    return toolkit


def _document(data: bytes, media_format: MediaFormat, limits: MediaLimits) -> str:
    """Text that verovio reads; XML has been parsed once by a parser that refuses entities."""
    if media_format is formats.MIDI:
        return to_musicxml(read_midi(data))
    if media_format in (formats.ABC, formats.HUMDRUM):
        return _old_text(data)
    if media_format is formats.MXL:
        data = read_score(data, limits)
    if len(data) > limits.max_unpacked_bytes:
        raise MediaError(
            "too_large",
            f"expected a score of at most {limits.max_unpacked_bytes} bytes, got {len(data)}",
        )
    return _xml_document(data, media_format)


def _xml_document(data: bytes, media_format: MediaFormat) -> str:
    root = parse_xml(data, name=media_format.name)
    name = local_name(root)
    wanted = ("mei",) if media_format is formats.MEI else ("score-partwise", "score-timewise")
    if name not in wanted:
        raise MediaError(
            "damaged", f"expected {' or '.join(wanted)} in a {media_format.name} file, got {name}"
        )
    if name == "score-timewise":
        root = to_partwise(root)
    return ET.tostring(root, encoding="unicode")


def _old_text(data: bytes) -> str:
    """ABC and Humdrum are older than UTF-8; their notes are ASCII and their words are dropped."""
    try:
        return decode_text(data)
    except MediaError:
        return data.decode("latin-1")
