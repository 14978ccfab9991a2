from fractions import Fraction

import pytest

from training.datasets.songs.song import Notehead
from training.datasets.songs.words import MAX_LINE_SYLLABLES, lyric_text, syllable_count


def sing(*syllables: str) -> list[Notehead]:
    """Quarter notes; ``-`` joins, ``_`` is a melisma, ``^`` a fermata, ``|`` a rest after it."""
    notes, onset = [], Fraction(0)
    for syllable in syllables:
        notes.append(
            Notehead(
                onset,
                Fraction(1),
                60,
                syllable.strip("-_^|"),
                joins_next="-" in syllable,
                ends_phrase="^" in syllable,
            )
        )
        onset += 2 if "|" in syllable else 1
    return notes


@pytest.mark.parametrize(
    ("syllables", "text"),
    [
        (["Mei-", "ne", "Seel"], "Meine Seel"),
        (["A-", "_", "_", "men"], "Amen"),
        (["one", "two^", "three"], "one two\nthree"),
        (["one", "two", "three", "four|", "five"], "one two three four\nfive"),
        (["one", "two|", "three"], "one two three"),
        (["one", "two", "three", "four,", "five"], "one two three four,\nfive"),
        (["one", "two,", "three"], "one two, three"),
        (["go-^", "ing"], "going"),
        (["_", "_"], ""),
        ([], ""),
    ],
)
def test_lines_end_where_words_and_music_do(syllables: list[str], text: str) -> None:
    assert lyric_text(sing(*syllables)) == text


def test_a_line_is_never_longer_than_its_limit() -> None:
    lines = lyric_text(sing(*["la"] * 40)).split("\n")
    assert [len(line.split()) for line in lines] == [MAX_LINE_SYLLABLES] * 2 + [12]


def test_only_notes_with_letters_count_as_syllables() -> None:
    assert syllable_count(sing("la", "_", "6", "li-", "...")) == 2
