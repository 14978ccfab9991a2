import pytest

from training.datasets.triples.letter_sounds import SPELLINGS, letter_sounds
from training.datasets.triples.sung_segments import CONSONANTS, VOWELS

GERMAN = {  # our own reading of what a dictionary of pronunciation says, in English sounds
    "schön": "sh er n", "Lie-be": "l iy - b ax", "Wein": "v ay n", "Zeit": "t s ay t",
    "Nacht": "n aa k t", "ich": "ih sh", "heu-te": "hh oy - t ax", "Bäu-me": "b oy - m ax",
    "Stern": "sh t eh r n", "Spiel": "sh p iy l", "Va-ter": "f aa - t er", "Tag": "t aa k",
    "sin-gen": "z ih n - g eh n", "lang": "l aa ng", "ü-ber": "y uw - b er",
}  # fmt: skip
FRENCH = {
    "beau-té": "b ow - t ey", "jour": "zh uw r", "tris-te": "t r iy s - t ax", "belle": "b eh l",
    "chan-ter": "sh ao n - t ey", "moi": "m w aa", "bon": "b ow n", "bon-ne": "b ao n - n ax",
    "cœur": "k er r", "ro-se": "r ow - z ax", "gar-çon": "g aa r - s ow n", "qui": "k iy",
    "l'a-mour": "l aa - m uw r", "bois": "b w aa", "rê-ve": "r eh - v ax",
}  # fmt: skip


def said(word: str, language: str) -> str:
    return " - ".join(map(" ".join, letter_sounds(word.split("-"), SPELLINGS[language])))


@pytest.mark.parametrize("word", GERMAN)
def test_german_spelling(word) -> None:
    assert said(word, "de") == GERMAN[word]


@pytest.mark.parametrize("word", FRENCH)
def test_french_spelling(word) -> None:
    assert said(word, "fr") == FRENCH[word]


@pytest.mark.parametrize("language", ["de", "fr"])
def test_every_letter_gives_known_phones(language) -> None:
    for first in "abcdefghijklmnopqrstuvwxyzäöüßéèêàâîôûçœ":
        for second in "abcdefghijklmnopqrstuvwxyzéè":
            for phones in letter_sounds([first + second, second], SPELLINGS[language]):
                assert set(phones) <= VOWELS | CONSONANTS


def test_each_syllable_gets_its_own_phones_even_when_it_has_no_letters() -> None:
    assert len(letter_sounds(["la", "1", "la"], SPELLINGS["de"])) == 3
