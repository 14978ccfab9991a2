"""Read any notation file into a clean MEI document: notes, no words.

All formats take the same way: verovio reads them, its MEI is stripped and engraved. So the same
notes give the same picture, whatever format and words they came with.
"""

import re
import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import dataclass

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

_ABC_FIELD = re.compile(r"[A-Za-z]:[^|]")
_ABC_BAR_LINE = re.compile(r"[:\[\]]*\|[:|\[\]]*")
_VEROVIO_NAMES = {formats.MEI: "mei", formats.ABC: "abc", formats.HUMDRUM: "humdrum"}


@dataclass(frozen=True, slots=True, eq=False)
class Notation:
    """A notation file that was read.

    Attributes:
        root: MEI tree with its notes and without its words.
        sung_staff: ``n`` of the staff with the most syllables, None when nothing is sung.
        bar_seconds: ``xml:id`` of a bar -> its start at the written tempo, repeats played once.
        end_seconds: Where the last bar ends.
    """

    root: ET.Element
    sung_staff: str | None
    bar_seconds: dict[str, float]
    end_seconds: float


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
    root, _ = _loaded(data, media_format, limits)
    _clean(root, media_format)
    return ET.tostring(root, encoding="unicode")


def read_notation(data: bytes, media_format: MediaFormat, limits: MediaLimits) -> Notation:
    """Read a notation file for cutting: its notes, which staff is sung, and when its bars begin.

    Args:
        data: The whole file.
        media_format: As for ``to_clean_mei``.
        limits: As there.

    Raises:
        MediaError: As ``to_clean_mei``.
    """
    root, toolkit = _loaded(data, media_format, limits)
    sung_staff = _sung_staff(root)
    _clean(root, media_format)
    events = toolkit.renderToTimemap({"includeMeasures": True})
    seconds = {e["measureOn"]: e["tstamp"] / 1_000.0 for e in events if "measureOn" in e}
    end = max((event["tstamp"] / 1_000.0 for event in events), default=0.0)
    return Notation(root, sung_staff, seconds, end)


def _loaded(
    data: bytes, media_format: MediaFormat, limits: MediaLimits
) -> tuple[ET.Element, verovio.toolkit]:
    """Return the MEI tree of a file with all its words, and the toolkit that read it."""
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
    _check_bars(root, limits)
    return root, toolkit


def _sung_staff(root: ET.Element) -> str | None:
    syllables: Counter[str] = Counter()
    for staff in root.iter():
        if local_name(staff) == "staff":
            count = sum(local_name(element) == "verse" for element in staff.iter())
            syllables[staff.get("n", "")] += count
    if not syllables.total():
        return None
    return syllables.most_common(1)[0][0]


def _check_bars(root: ET.Element, limits: MediaLimits) -> None:
    """Refuse a score whose bars would take minutes to engrave.

    Raises:
        MediaError: ``too_large``.
    """
    holders: Counter[str] = Counter()  # MusicXML has the bars of each part by themselves
    for holder in root.iter():
        part = holder.get("id", "") if local_name(holder) == "part" else ""
        holders[part] += sum(local_name(child) == "measure" for child in holder)
    most = max(holders.values())
    if most > limits.max_bars:
        raise MediaError(
            "too_large", f"expected a score of at most {limits.max_bars} bars, got {most}"
        )


def _check_old_bars(text: str, media_format: MediaFormat, limits: MediaLimits) -> None:
    """Refuse what has too many bar lines before verovio reads it, which takes it minutes.

    Raises:
        MediaError: ``too_large``.
    """
    if media_format is formats.HUMDRUM:
        n_bars = len(re.findall(r"^=", text, re.MULTILINE))
    else:
        music = "\n".join(line for line in text.split("\n") if not _ABC_FIELD.match(line))
        n_voices = len(set(re.findall(r"^V:\s*(\S+)", text, re.MULTILINE))) or 1
        n_bars = len(_ABC_BAR_LINE.findall(music)) // n_voices
    if n_bars > 2 * limits.max_bars:
        raise MediaError(
            "too_large", f"expected at most {limits.max_bars} bars, got about {n_bars}"
        )


def _clean(root: ET.Element, media_format: MediaFormat) -> None:
    keep_notation(root)
    if count_notes(root) == 0:
        raise MediaError("empty", f"expected a {media_format.name} score with notes, got none")
    if media_format is formats.ABC:
        forget_sounding_accidentals(root)
    else:
        write_accidentals(root)


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
        data, media_format = to_musicxml(read_midi(data)).encode(), formats.MUSICXML
    if media_format in (formats.ABC, formats.HUMDRUM):
        text = _old_text(data)
        _check_old_bars(text, media_format, limits)
        return text
    if media_format is formats.MXL:
        data = read_score(data, limits)
    if len(data) > limits.max_unpacked_bytes:
        raise MediaError(
            "too_large",
            f"expected a score of at most {limits.max_unpacked_bytes} bytes, got {len(data)}",
        )
    n_parts = max(1, data.count(b"<score-part "))
    if data.count(b"<measure ") > 2 * limits.max_bars * n_parts:  # seconds before it is parsed
        raise MediaError("too_large", f"expected a score of at most {limits.max_bars} bars")
    return _xml_document(data, media_format, limits)


def _xml_document(data: bytes, media_format: MediaFormat, limits: MediaLimits) -> str:
    root = parse_xml(data, name=media_format.name)
    name = local_name(root)
    wanted = ("mei",) if media_format is formats.MEI else ("score-partwise", "score-timewise")
    if name not in wanted:
        raise MediaError(
            "damaged", f"expected {' or '.join(wanted)} in a {media_format.name} file, got {name}"
        )
    if name == "score-timewise":
        root = to_partwise(root)
    _check_bars(root, limits)
    return ET.tostring(root, encoding="unicode")


def _old_text(data: bytes) -> str:
    """ABC and Humdrum are older than UTF-8; their notes are ASCII and their words are dropped."""
    try:
        return decode_text(data)
    except MediaError:
        return data.decode("latin-1")
