from collections import defaultdict

import numpy as np
import pytest

from models.errors import DataError
from tests.training.datasets.triples.lyric_song_files import (
    song,
    write_collection,
    write_lyric_songs,
)
from training.datasets.triples.lyrics_melody import FragmentSource


def in_order(function, places, _name):
    return map(function, places)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_collection(tmp_path_factory.mktemp("songs"))


def test_versions_of_a_song_stay_on_one_side(folder) -> None:
    listed = FragmentSource(folder).songs(0, in_order)
    sides = defaultdict(set)
    for one in listed:
        sides[one.info.group].add(one.info.split)
    assert all(len(side) == 1 for side in sides.values())
    assert {one.info.split for one in listed} == {"train", "validation", "test"}


def test_the_random_split_has_the_same_fragments_and_leaks(folder) -> None:
    by_cluster, random = (FragmentSource(folder, split_by=by) for by in ("cluster", "random"))
    ids, sides = [], defaultdict(set)
    for source in (by_cluster, random):
        listed = source.songs(0, in_order)
        ids.append({excerpt.id for one in listed for excerpt in source.excerpts(one)})
    for one in random.songs(0, in_order):
        sides[one.info.group].add(one.info.split)
    assert ids[0] == ids[1]
    assert any(len(side) > 1 for side in sides.values())
    assert random.settings["split"] == "random (leaks)"


def test_another_seed_gives_another_split_of_the_same_songs(folder) -> None:
    one, other = (FragmentSource(folder).songs(seed, in_order) for seed in (0, 1))
    assert [a.info.id for a in one] == [b.info.id for b in other]
    assert [a.info.split for a in one] != [b.info.split for b in other]


def test_a_fragment_is_twenty_notes_of_the_song_with_its_words(tmp_path) -> None:
    written = song(np.random.default_rng(3), "own", 45)
    source = FragmentSource(write_lyric_songs(tmp_path, [written], {"own": "0"}))
    (listed,) = source.songs(0, in_order)
    first, second = source.excerpts(listed)
    assert (first.id, second.id) == ("own-note0001", "own-note0021")
    assert [note.pitch for note in second.voice] == written["p"][20:40]
    assert [note.syllable for note in second.voice] == written["syl"][20:40]
    assert second.text.split() == written["syl"][20:40]
    assert "<lyric" not in second.musicxml
    assert second.quarters >= second.voice[-1].onset + second.voice[-1].duration


def test_a_melody_in_another_key_is_no_new_fragment(tmp_path) -> None:
    first = song(np.random.default_rng(3), "first", 20)
    again = dict(first, id="again", p=[pitch + 5 for pitch in first["p"]])
    folder = write_lyric_songs(tmp_path, [first, again], {"first": "0", "again": "1"})
    listed = FragmentSource(folder).songs(0, in_order)
    assert [one.info.id for one in listed] == ["first"]


@pytest.mark.parametrize(
    "change",
    [
        {"p": [60, 62, 64] * 6 + [60, 62]},  # three pitches
        {"p": [60, 62, 64, 97] * 5},  # beyond the staff
        {"d": [8.0] * 20},  # twenty bars
        {"p": [60, 62, 64, 65], "d": [1.0] * 4, "r": [0.0] * 4, "syl": ["la"] * 4},  # too short
    ],
)
def test_what_is_left_out(tmp_path, change) -> None:
    written = song(np.random.default_rng(0), "own", 20) | change
    folder = write_lyric_songs(tmp_path, [written], {"own": "0"})
    assert FragmentSource(folder).songs(0, in_order) == []


def test_an_unknown_split_is_refused(folder) -> None:
    with pytest.raises(DataError, match="found 'song'"):
        FragmentSource(folder, split_by="song")
