"""Which letter is sung when: a vowel from the onset of its note, consonants around it."""

import unicodedata
from typing import Any, Final

import numpy as np

from models.types import UInt8Array

LETTERS: Final = " abcdefghijklmnopqrstuvwxyz"
N_LETTERS: Final = len(LETTERS) + 1
"""Classes: 0 outside of the window, then no letter, then the letters."""

_CLASS = {letter: number for number, letter in enumerate(LETTERS, start=1)}
_VOWELS = frozenset("aeiouy")
_CONSONANT_SECONDS = 0.07


def sung_letters(row: dict[str, Any], places: int) -> UInt8Array:
    """Return the class of the letter at each of so many places over a window, shape (places,).

    Of a syllable the first vowel is held through its note and those without a syllable behind it;
    its first consonant, where there is one, comes just before the note, and its last one at the
    end. Spelling stands for sound here, in any language.

    Args:
        row: A line of the table of triples.
        places: How many.
    """
    found = np.ones(places, np.uint8)
    scale = places / row["seconds"]
    short = max(1, round(_CONSONANT_SECONDS * scale))
    consonants: list[tuple[int, int]] = []
    vowel = 1
    for onset, duration, _, syllable in row["notes"]:
        first, last = round(onset * scale), round((onset + duration) * scale)
        before, own, behind = _parts(syllable)
        vowel = own or vowel
        found[first:last] = vowel
        if before:
            consonants.append((max(0, first - short), before))
        if behind and last - first > 3 * short:
            consonants.append((last - 2 * short, behind))
    for place, letter in consonants:
        found[place : place + short] = letter
    return found


def _parts(syllable: str) -> tuple[int, int, int]:
    """Classes of the first consonant, the first vowel and the last consonant; 0 for none."""
    plain = unicodedata.normalize("NFKD", syllable).casefold()
    letters = [letter for letter in plain if letter in _CLASS]
    at = next((k for k, letter in enumerate(letters) if letter in _VOWELS), None)
    if at is None:
        return (_CLASS[letters[0]] if letters else 0), 0, 0
    ends = [letter for letter in letters[at + 1 :] if letter not in _VOWELS]
    return (
        _CLASS[letters[0]] if at else 0,
        _CLASS[letters[at]],
        _CLASS[ends[-1]] if ends else 0,
    )
