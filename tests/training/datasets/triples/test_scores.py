from fractions import Fraction
from pathlib import Path

import pytest

from models.errors import DataError
from training.datasets.triples.language import language_of
from training.datasets.triples.scores import ScoreFolder


def plain_map(function, places, name):
    del name
    return map(function, places)


def listed(folder: Path, **options):
    source = ScoreFolder(folder, **options)
    return source, source.songs(0, plain_map)


def test_scores_without_words_are_left_out_and_names_are_plain(scores: Path) -> None:
    _, songs = listed(scores)
    assert [song.info.id for song in songs] == ["meadow", "mountain", "river"]
    assert songs[2].info.title == "The river"
    assert songs[2].info.composer == "Anna Test"
    assert {song.info.language for song in songs} == {"en"}


def test_windows_have_the_notes_of_their_bars(scores: Path) -> None:
    source, songs = listed(scores)
    first, second = source.excerpts(songs[2])
    assert (first.first_bar, first.last_bar, first.quarters) == (1, 4, 16)
    assert [note.pitch for note in first.voice][:5] == [60, 62, 64, 65, 67]
    assert [note.onset for note in first.voice] == [Fraction(k) for k in range(16)]
    assert [note.pitch for note in second.voice] == [note.pitch for note in first.voice][::-1]
    assert (second.first_bar, second.last_bar) == (5, 8)
    assert first.text.split()[:4] == ["the", "old", "song", "of"]
    assert first.syllables == 16


def test_the_other_part_accompanies(scores: Path) -> None:
    source, songs = listed(scores)
    first, _ = source.excerpts(songs[0])
    heard = [(note.onset, note.duration, note.pitch) for note in first.accompaniment]
    assert heard == [(4 * bar, 4, 60) for bar in range(4)]


def test_the_picture_of_a_window_gets_no_words(scores: Path) -> None:
    source, songs = listed(scores)
    first, _ = source.excerpts(songs[0])
    assert "lyric" not in first.musicxml
    assert "<note>" in first.musicxml


def test_windows_may_overlap(scores: Path) -> None:
    source, songs = listed(scores, hop=2)
    assert [one.first_bar for one in source.excerpts(songs[0])] == [1, 3, 5]


def test_keys_tell_equal_notes_and_words(scores: Path) -> None:
    source, songs = listed(scores)
    windows = [one for song in songs for one in source.excerpts(song)]
    assert len({one.melody_key for one in windows}) == len(windows)
    again = next(iter(source.excerpts(songs[0])))
    assert (again.melody_key, again.words_key) == (windows[0].melody_key, windows[0].words_key)


def test_versions_of_a_tune_stay_on_one_side(scores: Path) -> None:
    text = (scores / "river.musicxml").read_text()
    (scores / "river2.musicxml").write_text(text.replace("The river", "Another"))
    for seed in range(4):
        source = ScoreFolder(scores)
        songs = {song.info.id: song.info for song in source.songs(seed, plain_map)}
        assert songs["river"].group == songs["river2"].group
        assert songs["river"].split == songs["river2"].split


def test_a_folder_without_songs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="found none"):
        listed(tmp_path)


def test_a_damaged_score_is_left_out(scores: Path) -> None:
    (scores / "broken.xml").write_text("<score-partwise><part>")
    _, songs = listed(scores)
    assert len(songs) == 3


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("und ich liebe dich nicht", "de"),
        ("the rose of my heart", "en"),
        ("je vous aime et les fleurs", "fr"),
        ("lalala", "und"),
        ("", "und"),
    ],
)
def test_language_of(words: str, code: str) -> None:
    assert language_of(words.split()) == code
