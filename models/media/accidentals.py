"""Write the accidentals that a notation file only implies; forget those that are not its own.

A program that derives a score from pitches may state what sounds (``alter`` in MusicXML) and leave
out what is printed (``accidental``). Verovio prints only the latter: without this step such a
score would show wrong notes.
"""

import xml.etree.ElementTree as ET

from models.media.xml_tree import local_name

_SHARP_ORDER = "fcgdaeb"
_PRINTED = {"ss": "x"}  # a double sharp is drawn as one sign

_Place = tuple[str, str]  # step, octave


def write_accidentals(root: ET.Element) -> None:
    """Add accidentals to an MEI tree in which not one is written, in place.

    An accidental holds up to the bar line, in its voice and octave; the note at the end of a tie
    needs none. A tree with any written accidental is left alone: its author chose them.
    """
    if any(_is_written(element) for element in root.iter()):
        return
    tied_to = {element.get("endid", "").removeprefix("#") for element in _all(root, "tie")}
    keys: dict[str, dict[str, str]] = {}
    for holder in _in_order(root):
        if local_name(holder) == "measure":
            _write_measure(holder, keys, tied_to)
        else:
            _read_key(holder, keys)


def forget_sounding_accidentals(root: ET.Element) -> None:
    """Remove what sounds and is not printed from the MEI tree of an ABC tune, in place.

    ABC prints every accidental that it means. Verovio (6.4) adds what the key alters, and keeps
    that in a global variable that a tune without sharps and flats does not empty: such a tune
    would get the sharps of whatever tune the process read before.
    """
    for element in root.iter():
        element.attrib.pop("accid.ges", None)


def _write_measure(measure: ET.Element, keys: dict[str, dict[str, str]], tied_to: set[str]) -> None:
    for staff in _all(measure, "staff"):
        number = staff.get("n", "")
        for layer in _all(staff, "layer"):
            in_bar: dict[_Place, str] = {}  # voices remind the reader each on its own
            for element in layer.iter():
                name = local_name(element)
                if name == "keySig":
                    keys[number] = _altered_steps(element.get("sig", "0"))
                elif name == "note" and element.get("xml:id") not in tied_to:
                    key = keys.get(number, keys.get("", {}))
                    _write_note(element, key, in_bar)


def _write_note(note: ET.Element, key: dict[str, str], in_bar: dict[_Place, str]) -> None:
    step = note.get("pname", "")
    place = (step, note.get("oct", ""))
    sounding = _sounding(note)
    if sounding == in_bar.get(place, key.get(step, "n")):
        return
    in_bar[place] = sounding
    for child in _all(note, "accid"):
        note.remove(child)
    note.attrib.pop("accid.ges", None)
    ET.SubElement(note, "accid", accid=_PRINTED.get(sounding, sounding))


def _sounding(note: ET.Element) -> str:
    for holder in (note, *_all(note, "accid")):
        if holder.get("accid.ges"):
            return holder.attrib["accid.ges"]
    return "n"


def _read_key(holder: ET.Element, keys: dict[str, dict[str, str]]) -> None:
    """Take the key signature of a scoreDef (all staves) or staffDef (its own)."""
    signatures = [child.get("sig", "0") for child in holder if local_name(child) == "keySig"]
    signatures += [holder.attrib[name] for name in ("keysig", "key.sig") if name in holder.attrib]
    if not signatures:
        return
    if local_name(holder) == "scoreDef":
        keys.clear()
    keys[holder.get("n", "") if local_name(holder) == "staffDef" else ""] = _altered_steps(
        signatures[0]
    )


def _altered_steps(signature: str) -> dict[str, str]:
    """Steps that a key signature such as ``3f`` alters, each with its sign."""
    count, sign = signature[:-1], signature[-1:]
    if not count.isdecimal() or sign not in ("s", "f"):
        return {}
    order = _SHARP_ORDER if sign == "s" else _SHARP_ORDER[::-1]
    return dict.fromkeys(order[: int(count)], sign)


def _is_written(element: ET.Element) -> bool:
    return bool(element.get("accid")) and local_name(element) in ("note", "accid")


def _all(root: ET.Element, name: str) -> list[ET.Element]:
    return [element for element in root.iter() if local_name(element) == name]


def _in_order(root: ET.Element) -> list[ET.Element]:
    return [
        element
        for element in root.iter()
        if local_name(element) in ("scoreDef", "staffDef", "measure")
    ]
