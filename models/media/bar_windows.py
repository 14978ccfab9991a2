"""Cut a notation file into windows of four bars of one voice, each engraved as a strip."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field

from models.errors import MediaError
from models.media.engraving import STRIP_WIDTH_PIXELS, strip_of_mei
from models.media.formats import MediaFormat
from models.media.limits import MediaLimits
from models.media.mei_tree import count_notes
from models.media.notation import Notation, read_notation
from models.media.spans import spans
from models.media.xml_tree import local_name
from models.types import Place, Score

BARS = 4
_SIGNS = ("clef", "keySig", "meterSig")
_OF_ATTRIBUTES = {
    "clef": {"clef.shape": "shape", "clef.line": "line", "clef.dis": "dis"},
    "keySig": {"keysig": "sig", "key.sig": "sig"},
    "meterSig": {"meter.count": "count", "meter.unit": "unit", "meter.sym": "sym"},
}


@dataclass(frozen=True, slots=True, eq=False)
class BarWindow:
    """Four bars, not engraved yet.

    Attributes:
        place: Bars and seconds.
        mei: A document of their own.
    """

    place: Place
    mei: str

    def engraved(self, limits: MediaLimits) -> Score:
        """Engrave the bars as one line.

        Raises:
            MediaError: ``too_large`` when they hold more than a line can show.
        """
        return Score((strip_of_mei(self.mei, limits, STRIP_WIDTH_PIXELS),), engraved=True)


@dataclass(slots=True)
class _Bar:
    """One bar of one staff, the signs that hold at its start, and those that change there."""

    element: ET.Element
    signs: dict[str, ET.Element]
    changes: list[ET.Element] = field(default_factory=list)


def bar_windows(data: bytes, media_format: MediaFormat, limits: MediaLimits) -> list[BarWindow]:
    """Cut a notation file into windows of four bars that do not overlap.

    The last window ends with the last bar, so it may share bars with the one before. Windows
    without a note are left out. Of several staves, the sung one is taken, else the first with
    notes. Clef, key and metre are stated anew in each window.

    Args:
        data: The whole file.
        media_format: What ``sniff.identify`` said.
        limits: As for ``to_clean_mei``.

    Raises:
        MediaError: As ``to_clean_mei``; ``damaged`` for notes outside bars.
    """
    notation = read_notation(data, media_format, limits)
    staff_def, bars = _bars_of_a_staff(notation)
    if not bars:
        raise MediaError("damaged", "expected notes in bars, got none")
    found = []
    for first, end in spans(len(bars), BARS, BARS):
        section = _section(bars[first:end])
        if count_notes(section):
            found.append(
                BarWindow(
                    _place(notation, bars, first, end),
                    _document(notation.root, staff_def, bars[first].signs, section),
                )
            )
    return found


def _place(notation: Notation, bars: list[_Bar], first: int, end: int) -> Place:
    def seconds(index: int) -> float:
        if index >= len(bars):
            return round(notation.end_seconds, 3)
        identity = bars[index].element.get("xml:id", "")
        return round(notation.bar_seconds.get(identity, 0.0), 3)

    return Place(
        first_bar=first + 1, last_bar=end, start_seconds=seconds(first), end_seconds=seconds(end)
    )


def _bars_of_a_staff(notation: Notation) -> tuple[ET.Element, list[_Bar]]:
    """Return the definition and the bars of the staff to show."""
    staves = dict.fromkeys(
        element.get("n", "") for element in notation.root.iter() if local_name(element) == "staff"
    )
    wanted = notation.sung_staff
    if wanted is None:
        wanted = next((n for n in staves if _has_notes(notation.root, n)), "")
    definition = next(
        (e for e in notation.root.iter() if local_name(e) == "staffDef" and e.get("n") == wanted),
        ET.Element("staffDef", {"n": wanted, "lines": "5"}),
    )
    return definition, list(_read_bars(notation.root, wanted))


def _has_notes(root: ET.Element, staff: str) -> bool:
    return any(
        local_name(element) == "staff" and element.get("n") == staff and count_notes(element)
        for element in root.iter()
    )


def _read_bars(root: ET.Element, staff: str) -> Iterator[_Bar]:
    """Yield the bars in order, with one staff each and the signs that hold there."""
    signs: dict[str, ET.Element] = {}
    changes: list[ET.Element] = []
    for element in _outline(root):
        name = local_name(element)
        if name == "measure":
            bar = _one_staff(element, staff)
            yield _Bar(bar, dict(signs), changes)
            changes = []
            signs.update({n: e for n, e in _signs(bar) if n == "clef"})
        elif name == "scoreDef" or element.get("n") == staff:
            changed = dict(_signs(element, staff))
            signs.update(changed)
            changes += changed.values()


def _outline(root: ET.Element) -> Iterator[ET.Element]:
    """Yield score and staff definitions and bars in order; nothing inside of bars."""
    pending = [root]
    while pending:
        element = pending.pop()
        if local_name(element) in ("measure", "scoreDef", "staffDef"):
            yield element
        if local_name(element) != "measure":
            pending.extend(reversed(element))


def _signs(holder: ET.Element, staff: str | None = None) -> Iterator[tuple[str, ET.Element]]:
    """Yield the signs that an element states, as attributes or inside, in order.

    Args:
        holder: A scoreDef, staffDef or bar.
        staff: Leave out what belongs to other staves: their definitions come by themselves.
    """
    for name, attributes in _OF_ATTRIBUTES.items():
        stated = {to: holder.attrib[key] for key, to in attributes.items() if key in holder.attrib}
        if stated:
            yield name, ET.Element(name, stated)
    for child in holder if staff is not None else holder.iter():
        if local_name(child) in _SIGNS:
            yield local_name(child), child


def _one_staff(measure: ET.Element, staff: str) -> ET.Element:
    """Return a bar with one staff, and the marks that begin and end in it or belong to it."""
    bar = ET.Element(measure.tag, dict(measure.attrib))
    bar.extend(c for c in measure if local_name(c) == "staff" and c.get("n") == staff)
    for child in measure:
        if local_name(child) != "staff" and child.get("staff", staff).split()[:1] == [staff]:
            bar.append(child)
    return bar


def _section(bars: list[_Bar]) -> ET.Element:
    """Join bars, without marks that lead out of them or to another staff."""
    section = ET.Element("section")
    for index, bar in enumerate(bars):
        if index and bar.changes:
            section.append(_signs_change(bar.changes))
        section.append(deepcopy(bar.element))
    _drop_announcements(section[-1])
    inside = {element.get("xml:id") for element in section.iter()}
    for measure in section:
        for child in list(measure):
            ends = (child.get(name) for name in ("startid", "endid"))
            if any(end is not None and end.removeprefix("#") not in inside for end in ends):
                measure.remove(child)
    return section


def _drop_announcements(measure: ET.Element) -> None:
    """Drop clefs behind the last note: they are of the bar that follows."""
    for layer in (element for element in measure.iter() if local_name(element) == "layer"):
        while len(layer) and local_name(layer[-1]) == "clef":
            layer.remove(layer[-1])


def _signs_change(signs: list[ET.Element]) -> ET.Element:
    change = ET.Element("scoreDef")
    change.extend(deepcopy(sign) for sign in signs)
    return change


def _document(
    root: ET.Element, staff_def: ET.Element, signs: dict[str, ET.Element], section: ET.Element
) -> str:
    """Wrap a section into a document whose only staff begins with the signs that hold there."""
    own = ET.Element(
        "staffDef", {"n": staff_def.get("n", ""), "lines": staff_def.get("lines", "5")}
    )
    own.extend(deepcopy(signs[name]) for name in _SIGNS if name in signs)
    document = ET.Element("mei", dict(root.attrib))
    holder = document
    for name in ("music", "body", "mdiv", "score"):
        holder = ET.SubElement(holder, name)
    ET.SubElement(ET.SubElement(holder, "scoreDef"), "staffGrp").append(own)
    holder.append(section)
    return ET.tostring(document, encoding="unicode")
