"""From syllables under notes to the letters of words."""

import unicodedata
from collections.abc import Sequence

from training.datasets.triples.sung_segments import SungNote

_LONGEST_SYLLABLE = 24  # letters
_APOSTROPHES = "\u2018\u2019\u02bc\u00b4`"
_SPELT_OUT = {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "th", "þ": "th"}


def words_of(notes: Sequence[SungNote]) -> list[list[int]]:
    """Return the words as lists of the indices of their syllables' notes."""
    words: list[list[int]] = []
    goes_on = False
    for index, note in enumerate(notes):
        if not note.syllable.strip():
            continue
        if goes_on:
            words[-1].append(index)
        else:
            words.append([index])
        goes_on = note.joins_next
    return words


def plain_letters(syllable: str) -> str:
    """Reduce a syllable to the letters a to z and inner apostrophes, without accents."""
    text = "".join("'" if mark in _APOSTROPHES else mark for mark in syllable.casefold())
    text = "".join(_SPELT_OUT.get(letter, letter) for letter in text)
    folded = unicodedata.normalize("NFKD", text)
    kept = "".join(letter for letter in folded if "a" <= letter <= "z" or letter == "'")
    return kept[:_LONGEST_SYLLABLE].strip("'")
