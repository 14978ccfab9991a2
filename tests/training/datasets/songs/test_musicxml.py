import json
import os
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import pytest

from models.errors import DataError
from training.datasets.songs.corpus import find_corpus
from training.datasets.songs.musicxml import read_song, write_window
from training.datasets.songs.song import DIVISIONS, Song
from training.datasets.songs.windows import struck
from training.datasets.songs.words import lyric_text

REAL_FILES = (
    "bach/bwv10.7.mxl",
    "schumann_robert/opus48no2.mxl",
    "luca/gloria.xml",
    "verdi/laDonnaEMobile.mxl",
    "trecento/PMFC_06_Giovanni-05_Donna_Gia_Fu_Leggiadra.xml",
)
ORACLE = """
import json, sys
from music21 import converter
rows = {}
for name in sys.argv[1:]:
    rows[name] = []
    for part in converter.parse(name, forceSource=True).parts:
        notes = []
        for note in part.recurse().notes:
            if not note.duration.isGrace:
                pitch = (note.notes[0] if note.isChord else note).pitch.midi
                onset = note.getOffsetInHierarchy(part)
                notes.append([float(onset), float(note.quarterLength), pitch])
        rows[name].append(notes)
print(json.dumps(rows))
"""


def read(text: str) -> Song:
    song = read_song(text.encode(), "bach/piece.xml")
    assert song is not None
    return song


def test_the_sung_part_is_chosen_and_described(
    make_score: Callable[..., str], make_note: Callable[..., str]
) -> None:
    song = read(make_score([make_note(67, 2, "Good-") + make_note(69, 2, "bye")]))
    assert (song.title, song.composer, song.collection) == ("A Song", "Anna Test", "bach")
    assert [note.pitch for note in song.notes] == [67, 69]
    assert [note.onset for note in song.notes] == [0, 2]
    assert lyric_text(song.notes) == "Goodbye"


def test_a_title_that_is_the_file_name_is_replaced_by_the_first_words(
    make_score: Callable[..., str], make_note: Callable[..., str]
) -> None:
    song = read(make_score([make_note(67, 4, "Hark")], title="piece.xml"))
    assert song.title == "Hark (piece)"


def test_a_score_without_words_or_with_reserved_rights_is_no_song(
    make_score: Callable[..., str], make_note: Callable[..., str]
) -> None:
    silent = make_score([make_note(67, 4)])
    numbers = make_score([make_note(67, 4, "6")])
    reserved = make_score([make_note(67, 4, "la")], rights="All Rights Reserved")
    for text in (silent, numbers, reserved):
        assert read_song(text.encode(), "bach/piece.xml") is None


@pytest.mark.parametrize("data", [b"<lyric", b"<html><lyric/></html>"])
def test_other_data_is_refused(data: bytes) -> None:
    with pytest.raises(DataError, match=r"bach/x\.xml"):
        read_song(data, "bach/x.xml")


def test_tied_notes_are_one_struck_note(
    make_score: Callable[..., str], make_note: Callable[..., str]
) -> None:
    start, stop = '<tie type="start"/>', '<tie type="stop"/>'
    bars = [make_note(67, 4, "long", start), make_note(67, 2, "", stop) + make_note(65, 2, "short")]
    song = read(make_score(bars))
    assert [note.continues for note in song.notes] == [False, True, False]
    heard = struck(song.notes)
    assert [(note.pitch, int(note.duration)) for note in heard] == [(67, 6), (65, 2)]
    assert heard[0].syllable == "long"


def test_a_tie_without_a_beginning_is_struck(
    make_score: Callable[..., str], make_note: Callable[..., str]
) -> None:
    song = read(make_score([make_note(67, 4, "la", '<tie type="stop"/>')]))
    assert not song.notes[0].continues


def test_grace_notes_and_lower_chord_notes_are_left_out(
    make_score: Callable[..., str], make_note: Callable[..., str]
) -> None:
    grace = "<note><grace/><pitch><step>A</step><octave>4</octave></pitch></note>"
    chord = make_note(60, 4).replace("<note>", "<note><chord/>")
    song = read(make_score([grace + make_note(67, 4, "la") + chord]))
    assert [(note.pitch, int(note.onset)) for note in song.notes] == [(67, 0)]


def test_only_the_sung_voice_of_a_staff_is_kept(
    make_score: Callable[..., str], make_note: Callable[..., str]
) -> None:
    backup = "<backup><duration>8</duration></backup>"
    forward = "<forward><duration>4</duration></forward>"
    upper = make_note(72, 4, "", "<voice>1</voice>")
    lower = make_note(64, 2, "la", "<voice>2</voice>")
    song = read(make_score([upper + backup + forward + lower, make_note(60, 4, "", "")]))
    assert [(note.pitch, int(note.onset)) for note in song.notes] == [(64, 2)]
    assert song.bars[1].start == 4


def test_the_fullest_verse_is_read(
    make_score: Callable[..., str], make_note: Callable[..., str]
) -> None:
    verse = '<lyric number="2"><syllabic>single</syllabic><text>two</text></lyric>'
    song = read(make_score([make_note(67, 2, "one", verse) + make_note(67, 2, "", verse)]))
    assert lyric_text(song.notes) == "two two"


def test_elided_and_hyphenated_syllables_are_cleaned(
    make_score: Callable[..., str], make_note: Callable[..., str]
) -> None:
    elided = (
        "<lyric><syllabic>end</syllabic><text>gia</text><elision/><syllabic>begin</syllabic>"
        "<text>e</text></lyric>"
    )
    song = read(make_score([make_note(67, 2, "", elided) + make_note(67, 2, "__ra-_")]))
    assert [(n.syllable, n.joins_next) for n in song.notes] == [("gia e", True), ("ra", True)]


def test_transposing_parts_sound_where_they_sound(
    make_score: Callable[..., str], make_note: Callable[..., str]
) -> None:
    low = (
        "<attributes><transpose><chromatic>-2</chromatic><octave-change>-1</octave-change>"
        "</transpose></attributes>"
    )
    song = read(make_score([low + make_note(72, 4, "la")]))
    assert song.notes[0].pitch == 72 - 14
    assert "<octave>5</octave>" in song.bars[0].xml


def test_a_window_states_signature_accidentals_and_words(
    make_score: Callable[..., str], make_note: Callable[..., str]
) -> None:
    key = "<attributes><key><fifths>2</fifths></key></attributes>"
    natural_f = make_note(65, 4, "fa &amp; la", "<notations><fermata/></notations>")
    song = read(make_score([make_note(60, 4, "do"), key + natural_f, make_note(None, 4)]))
    root = ElementTree.fromstring(write_window(song.bars[1:], title="a < b", composer="C & D"))  # noqa: S314 - our own text
    assert root.findtext("work/work-title") == "a < b"
    assert root.findtext("part/measure/attributes/key/fifths") == "2"
    assert root.findtext("part/measure/attributes/time/beats") == "4"
    assert root.findtext("part/measure/attributes/divisions") == str(DIVISIONS)
    assert root.findtext("part/measure/note/duration") == str(4 * DIVISIONS)
    assert root.findtext("part/measure/note/accidental") == "natural"
    assert root.findtext("part/measure/note/lyric/text") == "fa & la"
    assert root.find("part/measure/note/notations/fermata") is not None
    assert root.find("part/measure[2]/attributes") is None
    assert root.find("part/measure[2]/note/rest") is not None


def test_a_change_of_key_is_written_where_it_happens(
    make_score: Callable[..., str], make_note: Callable[..., str]
) -> None:
    key = "<attributes><key><fifths>2</fifths></key></attributes>"
    song = read(make_score([make_note(60, 4, "do"), key + make_note(65, 4, "fa")]))
    text = write_window(song.bars, title="", composer="")
    assert "<attributes><key><fifths>2</fifths></key></attributes>" in text


def test_a_whole_bar_rest_keeps_its_meaning(
    make_score: Callable[..., str], make_note: Callable[..., str]
) -> None:
    rest = '<note><rest measure="yes"/><duration>8</duration></note>'
    song = read(make_score([make_note(60, 4, "do"), rest]))
    assert '<rest measure="yes"/>' in song.bars[1].xml


def test_written_windows_read_back_the_same(
    make_score: Callable[..., str], make_note: Callable[..., str]
) -> None:
    bars = [make_note(67, 2, "Good-") + make_note(69, 2, "bye"), make_note(65, 4, "now")]
    song = read(make_score(bars))
    again = read(write_window(song.bars, title=song.title, composer=song.composer))
    assert again.notes == song.notes
    assert [bar.xml for bar in again.bars] == [bar.xml for bar in song.bars]


@pytest.mark.slow
def test_notes_of_real_songs_equal_those_that_music21_reads(tmp_path: Path) -> None:
    corpus = find_corpus()
    names = {str(corpus.folder / name): name for name in REAL_FILES}
    done = subprocess.run(
        [sys.executable, "-c", ORACLE, *names],
        capture_output=True,
        check=True,
        env=os.environ | {"HOME": str(tmp_path), "TMPDIR": str(tmp_path)},
    )
    oracle = json.loads(done.stdout)
    for path, name in names.items():
        song = read_song(corpus.read(name), name)
        assert song is not None
        ours = [[float(n.onset), float(n.duration), n.pitch] for n in song.notes]
        assert any(_close(ours, part) for part in oracle[path]), name


def _close(ours: list[list[float]], theirs: list[list[float]]) -> bool:
    return len(ours) == len(theirs) and all(
        one == pytest.approx(other, abs=1e-3) for one, other in zip(ours, theirs, strict=True)
    )


def test_bars_follow_each_other_without_gaps(
    make_score: Callable[..., str], make_note: Callable[..., str]
) -> None:
    song = read(make_score([make_note(60, 2, "up"), make_note(60, 4, "beat"), make_note(60, 4)]))
    assert [(int(bar.start), int(bar.length)) for bar in song.bars] == [(0, 2), (2, 4), (6, 4)]
    assert all(isinstance(bar.start, Fraction) for bar in song.bars)
