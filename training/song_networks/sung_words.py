"""What is sung when: speech sounds over a window, and over the letters of its text."""

import unicodedata
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Any, Final, NamedTuple

import numpy as np

from models.errors import DataError
from models.features.songs.character_codes import read_text
from models.networks.song_lyrics import LENGTH, PLACES
from models.types import UInt8Array
from training.datasets.triples.sung_segments import CONSONANTS, PAUSE, VOWELS

SOUNDS: Final = (PAUSE, *sorted(VOWELS), *sorted(CONSONANTS))
"""The classes of the networks in their order."""

UNKNOWN: Final = 0
"""Class of what is outside; the sounds follow from 1 in their order, places from 1 in time."""

_CLASS = {sound: number for number, sound in enumerate(SOUNDS, start=1)}
_WRITTEN_VOWELS = frozenset("aeiouyœæø")
_LEAD_SECONDS = 0.02  # a vowel begins at most so long before its note


class Syllable(NamedTuple):
    """A syllable in the text.

    Attributes:
        start: Its first character.
        end: Behind its last one.
        onset: Seconds from the start of the window.
    """

    start: int
    end: int
    onset: float


def sung_sounds(phones: Sequence[Sequence[Any]], seconds: float, places: int) -> UInt8Array:
    """Return the class of the phone that sounds at each of so many places, shape (places,).

    Args:
        phones: Name, start and end in seconds of each.
        seconds: Length of the window.
        places: Evenly over the window; a place is known by its middle.

    Raises:
        DataError: If a phone is not one of the singer.
    """
    unknown = sorted({name for name, _, _ in phones} - set(_CLASS))
    if unknown:
        raise DataError(f"expected phones of the singer, found {unknown[0]!r}")
    middles = (np.arange(places) + 0.5) * seconds / places
    ends = np.array([end for _, _, end in phones])
    classes = np.array([*(_CLASS[name] for name, _, _ in phones), _CLASS[PAUSE]], np.uint8)
    return classes[np.searchsorted(ends, middles, side="right")]


def syllables_of(text: str, notes: Sequence[Sequence[Any]]) -> Iterator[Syllable]:
    """Yield the syllables that stand in a text, in order.

    Args:
        text: As the network of lyrics reads it, at most ``LENGTH`` characters.
        notes: Onset and duration in seconds, pitch, syllable.
    """
    cursor = 0
    for onset, _, _, syllable in notes:
        wanted = read_text(syllable).strip()
        start = text.find(wanted, cursor) if wanted else -1
        if start >= 0:
            cursor = start + len(wanted)
            yield Syllable(start, cursor, onset)


def syllable_places(syllables: Sequence[Syllable], seconds: float) -> UInt8Array:
    """Return where in the window the syllable of each two characters begins.

    Returns:
        Places 1 .. ``PLACES``, ``UNKNOWN`` beyond the text, shape (LENGTH / 2,).
    """
    found = np.zeros(LENGTH, np.uint8)
    for one in syllables:
        found[one.start :] = 1 + min(int(one.onset / seconds * PLACES), PLACES - 1)
    found[syllables[-1].end if syllables else 0 :] = UNKNOWN
    return found[::2]


def syllable_starts(syllables: Sequence[Syllable]) -> UInt8Array:
    """Return for each two characters 2 where a syllable begins in them, else 1.

    Returns:
        Shape (LENGTH / 2,), ``UNKNOWN`` beyond the text.
    """
    found = np.ones(LENGTH // 2, np.uint8)
    for one in syllables:
        found[one.start // 2] = 2
    found[(syllables[-1].end + 1) // 2 if syllables else 0 :] = UNKNOWN
    return found


def written_sounds(
    text: str, syllables: Sequence[Syllable], phones: Sequence[Sequence[Any]]
) -> UInt8Array:
    """Return the class of the phone that each character stands for, shape (LENGTH,).

    The vowel of a syllable stands on its first vowel letters. The letters between the vowels of two
    syllables share the phones between them, in order. What is no letter, or stands for nothing, is
    a pause.
    """
    found = np.full(LENGTH, _CLASS[PAUSE], np.uint8)
    sung = [phone for phone in phones if phone[0] != PAUSE]
    last_letter, last_phone = 0, 0
    for one in syllables:
        number = _vowel_at(sung, one.onset, last_phone)
        if number is None:
            continue
        first, behind = _vowel_letters(text, one)
        _share_out(found, text, (last_letter, first), sung[last_phone:number])
        found[first:behind] = _CLASS[sung[number][0]]
        last_letter, last_phone = behind, number + 1
    end = syllables[-1].end if syllables else 0
    rest = takewhile(lambda phone: phone[0] not in VOWELS, sung[last_phone:])
    _share_out(found, text, (last_letter, end), list(rest))
    found[end:] = UNKNOWN
    return found


def _vowel_at(sung: Sequence[Sequence[Any]], onset: float, first: int) -> int | None:
    """Number of the first vowel that does not begin before a note."""
    for number in range(first, len(sung)):
        name, start, _ = sung[number]
        if name in VOWELS and start > onset - _LEAD_SECONDS:
            return number
    return None


def _vowel_letters(text: str, syllable: Syllable) -> tuple[int, int]:
    """First run of vowel letters of a syllable, all of it where it has none."""
    places = range(syllable.start, syllable.end)
    first = next((place for place in places if _is_vowel(text[place])), None)
    if first is None:
        return syllable.start, syllable.end
    behind = first
    while behind < syllable.end and _is_vowel(text[behind]):
        behind += 1
    return first, behind


def _is_vowel(letter: str) -> bool:
    return unicodedata.normalize("NFKD", letter.casefold())[:1] in _WRITTEN_VOWELS


def _share_out(
    found: UInt8Array, text: str, between: tuple[int, int], phones: Sequence[Sequence[Any]]
) -> None:
    """Give the letters between two places the consonants, in order."""
    consonants = [name for name, _, _ in phones if name not in VOWELS]
    letters = [place for place in range(*between) if text[place].isalpha()]
    for number, place in enumerate(letters):
        if consonants:
            found[place] = _CLASS[consonants[number * len(consonants) // len(letters)]]
