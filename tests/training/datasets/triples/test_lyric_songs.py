import json
import lzma
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from models.errors import DataError
from tests.training.datasets.triples.lyric_song_files import song, write_lyric_songs
from training.datasets.triples.lyric_songs import find_lyric_songs, read_lyric_songs


@pytest.fixture
def one():
    return song(np.random.default_rng(0), "own", 12)


def read_back(folder, one):
    return next(read_lyric_songs(write_lyric_songs(folder, [one], {"own": "7"})))


def test_a_length_of_one_is_an_eighth_and_bars_are_the_longest(tmp_path, one) -> None:
    one["d"] = [1.0, 0.25, 0.75, 2.0, 32.5, *[1.0] * 7]
    one["r"] = [4.0, 0.0, 1.0, 32.0, 0.0, *[0.0] * 7]
    notes = read_back(tmp_path, one).noteheads(0, 6)
    quarters = [Fraction(1, 2), Fraction(1, 8), Fraction(3, 8), Fraction(1), Fraction(4)]
    assert [note.duration for note in notes][:5] == quarters
    rests = [b.onset - a.end for a, b in pairwise(notes)]
    assert rests == [0, Fraction(1, 2), 4, 0, 0]
    assert notes[0].onset == 0  # the rest before the first note is not part of it


def test_pitches_and_syllables_are_those_of_the_file(tmp_path, one) -> None:
    one["syl"][3:5] = ["riv-", "er"]
    notes = read_back(tmp_path, one).noteheads(2, 12)
    assert [note.pitch for note in notes] == one["p"][2:]
    assert [note.joins_next for note in notes] == [False, True, *[False] * 8]
    assert notes[1].syllable == "riv"


def test_songs_of_a_cluster_have_one_group(tmp_path) -> None:
    rng = np.random.default_rng(0)
    songs = [song(rng, name, 3) for name in "abc"]
    folder = write_lyric_songs(tmp_path, songs, {"a": "x", "b": "y", "c": "x"})
    a, b, c = read_lyric_songs(folder)
    assert a.group == c.group != b.group


def test_the_folder_is_found_beside_other_packs(tmp_path, one) -> None:
    write_lyric_songs(tmp_path / "lyrics_melody", [one], {"own": "7"})
    assert find_lyric_songs(tmp_path) == find_lyric_songs(tmp_path / "lyrics_melody")
    for root in (None, tmp_path / "elsewhere"):
        with pytest.raises(DataError, match="yy1lab"):
            find_lyric_songs(root)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"p": [60]}, "one length"),
        ({"p": [200] * 12}, "MIDI pitches"),
        ({"p": ["secret"] * 12}, "line 1: expected a song"),
        ({"d": None}, "expected a song"),
        ({"id": "unknown"}, "unknown"),
    ],
)
def test_a_damaged_song_is_named_without_its_words(tmp_path, one, change, message) -> None:
    one["syl"] = ["secret"] * 12
    with pytest.raises(DataError, match=message) as caught:
        read_back(tmp_path, one | change)
    assert "secret" not in str(caught.value)


def test_damaged_files_are_refused(tmp_path, one) -> None:
    folder = write_lyric_songs(tmp_path, [one], {"own": "7"})
    (folder / "songs.jsonl.xz").write_bytes(lzma.compress(json.dumps(one).encode())[:-20])
    with pytest.raises(DataError, match="readable songs"):
        list(read_lyric_songs(folder))
    (folder / "song_clusters.tsv").write_text("no tab\n")
    with pytest.raises(DataError, match="id TAB cluster"):
        list(read_lyric_songs(folder))
