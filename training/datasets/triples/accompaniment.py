"""Reads the notes of every part but the sung voice, bar by bar."""

from collections.abc import Iterator
from fractions import Fraction
from xml.etree.ElementTree import Element

from training.datasets.songs.measures import Track, sounding_pitch, transposition_of, voice_of
from training.datasets.triples.excerpt import PlayedNote

Bars = list[list[PlayedNote]]


def read_accompaniment(root: Element, track: Track) -> Bars:
    """Read what sounds beside the voice.

    Args:
        root: ``<score-partwise>``.
        track: The voice, whose own notes are left out.

    Returns:
        The notes of each bar, with onsets from the start of the bar. A tied note is in the bar
        where it is struck, as long as it sounds.
    """
    bars: Bars = []
    for part in root.findall("part"):
        for number, notes in enumerate(_bars_of(part, track)):
            if number == len(bars):
                bars.append([])
            bars[number] += notes
    return bars


def _bars_of(part: Element, track: Track) -> Iterator[list[PlayedNote]]:
    """Yield the notes of each measure of a part."""
    divisions, transposition = 1, 0
    for measure in part.findall("measure"):
        notes: list[PlayedNote] = []
        cursor = onset = Fraction(0)
        for element in measure:
            if element.tag == "attributes":
                divisions = int(element.findtext("divisions") or divisions)
                transposition = transposition_of(element, transposition)
            length = Fraction(element.findtext("duration") or 0) / divisions
            if element.tag == "backup":
                cursor -= length
            elif element.tag == "forward":
                cursor += length
            elif element.tag == "note" and element.find("grace") is None:
                if element.find("chord") is None:
                    onset = cursor
                    cursor += length
                if not (part is track.part and voice_of(element) == track.voice):
                    notes += _note(element, onset, length, transposition)
        yield notes


def _note(
    element: Element, onset: Fraction, length: Fraction, transposition: int
) -> Iterator[PlayedNote]:
    """Yield the note of an element, unless it is a rest, of no length or tied to one before."""
    midi = sounding_pitch(element, transposition)
    tied = any(tie.get("type") == "stop" for tie in element.findall("tie"))
    if midi is not None and length > 0 and not tied and 0 <= midi <= 127:
        yield PlayedNote(max(onset, Fraction(0)), length, midi)
