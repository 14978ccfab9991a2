import dataclasses
from collections import Counter
from fractions import Fraction

import pytest

from models.errors import DataError
from models.types import Modality
from training.datasets.songs.plan import choose_windows, plan_windows
from training.datasets.songs.song import Bar, Notehead, Signature, Song


def song(number: int, n_windows: int) -> Song:
    """A song whose windows have words and melodies of their own."""
    bars = []
    for bar in range(4 * n_windows):
        notes = tuple(
            Notehead(
                Fraction(4 * bar + beat),
                Fraction(1),
                48 + (number * 31 + bar * bar * 7 + beat * number * 5 + beat * beat) % 37,
                f"w{chr(97 + number)}{chr(97 + bar)}{chr(97 + beat)}",
            )
            for beat in range(4)
        )
        bars.append(Bar(Fraction(4 * bar), Fraction(4), Signature(), "", notes))
    return Song(f"bach/Sóng {number}.xml", "bach", f"S{number}", "", "", tuple(bars))


@pytest.fixture(scope="module")
def planned():
    return plan_windows([song(number, 1 + number % 4) for number in range(20)], seed=0)


def test_every_window_has_a_name_of_its_own_in_plain_letters(planned) -> None:
    assert len({one.stem for one in planned}) == len(planned) == 50
    assert planned[0].stem == "song-0-bar001"


def test_windows_of_a_song_stay_on_one_side(planned) -> None:
    sides: dict[str, set[str]] = {}
    for one in planned:
        sides.setdefault(one.song.source, set()).add(one.split)
    assert all(len(side) == 1 for side in sides.values())
    assert Counter(one.split for one in planned)["test"] == 10


def test_paths_have_the_layout_of_the_folder_data_set(planned) -> None:
    one = dataclasses.replace(planned[0], split="test")
    assert str(one.path(Modality.SCORE)) == "test/score/bach/song-0-bar001.musicxml"
    assert str(one.path(Modality.AUDIO)) == "test/audio/bach/song-0-bar001.flac"
    assert str(one.path(Modality.LYRICS)) == "test/lyrics/bach/song-0-bar001.txt"


def test_one_split_can_be_chosen(planned) -> None:
    chosen = choose_windows(planned, split="test", limit=None)
    assert chosen == [one for one in planned if one.split == "test"]


def test_a_limit_takes_from_as_many_songs_as_possible(planned) -> None:
    chosen = choose_windows(planned, split=None, limit=25)
    assert len(chosen) == 25
    assert len({one.song.source for one in chosen}) == 20
    assert chosen == [one for one in planned if one in chosen]


def test_a_limit_above_the_number_takes_all(planned) -> None:
    assert choose_windows(planned, split=None, limit=999) == planned


@pytest.mark.parametrize(("split", "limit"), [("tests", None), (None, 0)])
def test_impossible_choices_are_refused(planned, split: str | None, limit: int | None) -> None:
    with pytest.raises(DataError, match="expected"):
        choose_windows(planned, split=split, limit=limit)


def test_songs_with_equal_file_names_get_different_stems() -> None:
    first, second = song(1, 1), song(2, 1)
    second = dataclasses.replace(second, source="bach/song-1.xml")
    stems = [one.stem for one in plan_windows([first, second], seed=0)]
    assert len(set(stems)) == 2
