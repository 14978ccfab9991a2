"""Keep of an MEI tree what the eye needs to read the notes, and nothing that tells the song."""

import xml.etree.ElementTree as ET

from models.media.xml_tree import local_name

# Everything else goes, with all that it holds: words of every kind (verse, tempo, dir, dynam,
# harm, reh, fing, label, title), page heads, encoded line breaks and embedded pictures.
_STRUCTURE = "mei music body mdiv score section ending measure staff layer"
_SIGNS = (
    "scoreDef staffGrp staffDef grpSym clef clefGrp keySig keyAccid meterSig meterSigGrp mensur "
    "proport barLine"
)
_NOTES = (
    "note chord rest mRest multiRest mRpt mRpt2 halfmRpt multiRpt beatRpt space mSpace beam "
    "beamSpan tuplet tupletSpan bTrem fTrem graceGrp accid artic dot stem ligature "
    "neume nc ncGrp syllable custos tabGrp tabDurSym"
)
_MARKS = "tie slur lv fermata trill mordent turn arpeg gliss octave breath caesura"
_EDITION = "app lem choice corr reg supplied unclear subst add"
KEPT_ELEMENTS = frozenset(" ".join((_STRUCTURE, _SIGNS, _NOTES, _MARKS, _EDITION)).split())

_WORDS_IN_ATTRIBUTES = ("label", "syl", "color", "head.color", "altsym")


def keep_notation(root: ET.Element) -> None:
    """Remove all words, bar numbers and layout hints from an MEI tree, in place."""
    pending = [root]
    while pending:
        element = pending.pop()
        for name in _WORDS_IN_ATTRIBUTES:
            element.attrib.pop(name, None)
        if local_name(element) == "measure":
            element.attrib.pop("n", None)  # verovio prints it at the start of a line
        element[:] = [child for child in element if local_name(child) in KEPT_ELEMENTS]
        pending.extend(element)


def count_notes(root: ET.Element) -> int:
    """Number of notes and neume components."""
    return sum(local_name(element) in ("note", "nc") for element in root.iter())
