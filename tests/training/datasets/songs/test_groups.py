from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest

from training.datasets.songs.groups import group_songs, plain_words, split_groups
from training.datasets.songs.song import Bar, Notehead, Signature, Song

TUNE = (60, 62, 64, 65, 67, 64, 60, 67, 65, 62, 64, 69, 60, 62, 72, 60)
OTHER = (60, 67, 60, 65, 72, 60, 64, 60, 69, 62, 60, 71, 60, 66, 60, 61)


def song(pitches: Sequence[int], words: str = "", *, beats: float = 1.0) -> Song:
    syllables = words.split()
    length = Fraction(beats)
    notes = tuple(
        Notehead(i * length, length, pitch, syllables[i] if i < len(syllables) else "")
        for i, pitch in enumerate(pitches)
    )
    bar = Bar(Fraction(0), len(notes) * length, Signature(), "", notes)
    return Song("bach/a.xml", "bach", "", "", "", (bar,))


def test_songs_with_nothing_in_common_stay_apart() -> None:
    assert group_songs([song(TUNE, "a b c d e f"), song(OTHER, "g h i j k l")]) == (0, 1)


def test_a_tune_in_another_key_is_the_same_tune() -> None:
    higher = [pitch + 5 for pitch in TUNE]
    assert group_songs([song(OTHER), song(TUNE), song(higher)]) == (0, 1, 1)


def test_passing_notes_do_not_hide_a_tune() -> None:
    plain = song(TUNE)
    adorned = song([p for pitch in TUNE for p in (pitch, pitch + 1)], beats=0.5)
    assert group_songs([plain, adorned]) == (0, 0)


def test_two_settings_of_one_text_are_related() -> None:
    first = song(TUNE, "Gloria in excelsis Deo et in terra")
    second = song(OTHER, "la la gloria, in EXCELSIS deo et")
    assert group_songs([first, second]) == (0, 0)


def test_repeating_one_word_or_one_note_relates_nothing() -> None:
    first = song([60] * 16, "Alleluia alleluia alleluia alleluia alleluia amen")
    second = song([62] * 16, "Alleluia alleluia alleluia alleluia alleluia noel")
    assert group_songs([first, second]) == (0, 1)


def test_relations_go_through_others() -> None:
    first = song(TUNE, "a b c d e f")
    between = song(TUNE, "g h i j k l")
    last = song(OTHER, "g h i j k l")
    assert group_songs([last, first, between]) == (0, 0, 0)


def test_a_song_without_notes_is_alone() -> None:
    assert group_songs([song(()), song(())]) == (0, 1)


def test_groups_are_never_divided() -> None:
    groups = np.random.default_rng(0).integers(0, 60, 200).tolist()
    split = split_groups(groups, [4] * 200, seed=1)
    sides: dict[int, set[str]] = {}
    for group, side in zip(groups, split, strict=True):
        sides.setdefault(group, set()).add(side)
    assert all(len(side) == 1 for side in sides.values())


def test_the_held_out_parts_have_their_share_of_windows() -> None:
    sizes = np.random.default_rng(0).integers(1, 6, 300)
    split = np.array(split_groups(range(300), sizes.tolist(), seed=0))
    assert sizes[split == "test"].sum() / sizes.sum() == pytest.approx(0.2, abs=0.01)
    assert sizes[split == "validation"].sum() / sizes.sum() == pytest.approx(0.1, abs=0.01)


def test_large_groups_and_empty_songs_stay_in_train() -> None:
    split = split_groups([0] * 13 + [20, 21, 22], [1] * 13 + [0, 1, 1], seed=0)
    assert set(split[:14]) == {"train"}


def test_the_split_depends_on_the_seed_alone() -> None:
    groups, sizes = list(range(50)), [3] * 50
    assert split_groups(groups, sizes, 1) == split_groups(groups, sizes, 1)
    assert split_groups(groups, sizes, 1) != split_groups(groups, sizes, 2)


@pytest.mark.parametrize(
    ("text", "words"),
    [("Städt' und\nFelder,", ["stadt", "und", "felder"]), ("6 — ?", []), ("Già è", ["gia", "e"])],
)
def test_words_are_compared_without_accents_and_stops(text: str, words: list[str]) -> None:
    assert plain_words(text) == words
