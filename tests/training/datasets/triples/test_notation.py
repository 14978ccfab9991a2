from fractions import Fraction

import numpy as np
import pytest

from models.media.engraving import engrave_strip
from models.media.limits import MediaLimits
from models.media.xml_tree import parse_xml
from training.datasets.songs.measures import Track, read_bars
from training.datasets.songs.song import DIVISIONS, Notehead
from training.datasets.songs.windows import struck
from training.datasets.triples.notation import n_bars, notes_to_musicxml


def parse_notation(text: str):
    return parse_xml(text, name="MusicXML")


def random_notes(seed: int, count: int = 20) -> list[Notehead]:
    rng = np.random.default_rng(seed)
    notes, now = [], Fraction(0)
    for _ in range(count):
        now += Fraction(int(rng.choice([0, 0, 0, 4, 8])), 8)
        length = Fraction(int(rng.choice([1, 2, 3, 4, 5, 7, 8, 12, 20, 32])), 8)
        notes.append(Notehead(now, length, int(rng.integers(48, 84)), "la"))
        now += length
    return notes


@pytest.mark.parametrize("seed", range(5))
def test_the_score_has_the_same_notes(seed) -> None:
    """Read by the reader of the songs data set, which is held to music21's own."""
    notes = random_notes(seed)
    part = parse_notation(notes_to_musicxml(notes)).find("part")
    bars = list(read_bars(Track(part, "1", "1")))
    read = struck([note for bar in bars for note in bar.notes])
    assert [(n.onset, n.duration, n.pitch) for n in read] == [
        (n.onset, n.duration, n.pitch) for n in notes
    ]
    assert len(bars) == n_bars(notes)
    assert all(bar.length == 4 for bar in bars)


def test_types_and_dots_say_the_duration() -> None:
    root = parse_notation(notes_to_musicxml(random_notes(0)))
    parts = {"whole": Fraction(4), "half": Fraction(2), "quarter": Fraction(1)}
    parts |= {"eighth": Fraction(1, 2), "16th": Fraction(1, 4), "32nd": Fraction(1, 8)}
    for note in root.iter("note"):
        shown = parts[note.findtext("type")] * (
            Fraction(3, 2) if note.find("dot") is not None else 1
        )
        assert int(note.findtext("duration")) == shown * DIVISIONS


def test_accidentals_are_written_once_a_bar_and_again_behind_the_bar_line() -> None:
    notes = [
        Notehead(Fraction(quarter), Fraction(1), pitch)
        for quarter, pitch in enumerate([66, 66, 65, 66, 66, 65])
    ]
    root = parse_notation(notes_to_musicxml(notes))
    signs = [note.findtext("accidental") for note in root.iter("note") if note.find("pitch")]
    assert signs == ["sharp", None, "natural", "sharp", "sharp", "natural"]


def test_low_melodies_stand_on_a_bass_staff() -> None:
    for pitch, sign in ((50, "F"), (70, "G")):
        root = parse_notation(notes_to_musicxml([Notehead(Fraction(0), Fraction(1), pitch)]))
        assert root.findtext(".//clef/sign") == sign


def test_it_is_engraved() -> None:
    strip = engrave_strip(notes_to_musicxml(random_notes(1, 10)).encode(), MediaLimits())
    assert (strip < 128).sum() > 1_000
