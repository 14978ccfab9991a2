from collections.abc import Sequence
from fractions import Fraction

import pytest

from training.datasets.songs.song import Bar, Notehead, Signature, Song
from training.datasets.songs.windows import MAX_QUARTERS, cut, distinct, struck


def bars(*words: str, transposed: int = 0, length: int = 4) -> tuple[Bar, ...]:
    """A bar per argument, a quarter per syllable; ``^`` is a fermata, ``-`` joins to the next."""
    made = []
    for index, text in enumerate(words):
        start = Fraction(length * index)
        notes = tuple(
            Notehead(
                start + place,
                Fraction(1),
                60 + (7 * index + 3 * place) % 12 + transposed,
                syllable.strip("-^_"),
                joins_next="-" in syllable,
                ends_phrase="^" in syllable,
            )
            for place, syllable in enumerate(text.split())
        )
        made.append(Bar(start, Fraction(length), Signature(), "", notes))
    return tuple(made)


def song(made: Sequence[Bar]) -> Song:
    return Song("bach/a.xml", "bach", "A", "", "", tuple(made))


def ranges(made: Sequence[Bar]) -> list[tuple[int, int]]:
    return [(window.first_bar, window.last_bar) for window in cut(song(made))]


def test_windows_have_four_bars_and_follow_each_other() -> None:
    assert ranges(bars(*["la la la la"] * 9)) == [(1, 4), (5, 8)]


def test_bars_without_words_are_passed_over() -> None:
    assert ranges(bars("_ _", "", *["la la"] * 4)) == [(3, 6)]


@pytest.mark.parametrize("made", [bars(*["la"] * 5), bars(*["_"] * 20), ()])
def test_too_few_syllables_give_no_window(made: tuple[Bar, ...]) -> None:
    assert ranges(made) == []


def test_windows_are_never_too_long() -> None:
    assert ranges(bars(*["la la"] * 8, length=MAX_QUARTERS // 4 + 1)) == []


def test_a_word_that_never_ends_still_gives_a_window() -> None:
    assert ranges(bars(*["la- la-"] * 4)) == [(1, 4)]


def test_text_and_notes_are_those_of_the_bars() -> None:
    window = cut(song(bars("one two", "three four", "five six", "se- ven", "eight")))[0]
    assert window.text == "one two three four\nfive six seven"
    assert len(window.notes) == 8


def test_a_repeated_text_or_melody_is_kept_once() -> None:
    first = cut(song(bars("a b", "c d", "e f", "g h")))
    same_words = cut(song(bars("a b", "c d", "e f", "g h.")))
    higher = cut(song(bars("i j", "k l", "m n", "o p", transposed=2)))
    other = cut(song(bars("i j q", "k l", "m n", "o p")))
    assert [len(windows) for windows in distinct([first, same_words, higher, other])] == [
        1,
        0,
        0,
        1,
    ]


def test_ties_are_joined_only_where_notes_touch() -> None:
    first = Notehead(Fraction(0), Fraction(1), 60, "la")
    touching = Notehead(Fraction(1), Fraction(2), 60, continues=True)
    apart = Notehead(Fraction(5), Fraction(1), 60, continues=True)
    heard = struck([first, touching, apart])
    assert [(int(note.onset), int(note.duration), note.syllable) for note in heard] == [
        (0, 3, "la"),
        (5, 1, ""),
    ]
    assert struck([touching])[0].duration == 2
