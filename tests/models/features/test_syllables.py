import pytest

from models.features.syllables import syllables_in, vowel_class


@pytest.mark.parametrize(
    ("word", "syllables"),
    [
        ("Nacht", 1),
        ("Seele", 2),
        ("Gloria", 2),  # "ia" counts once: an estimate without a dictionary
        ("alleluja", 4),
        ("hmm", 1),
        ("άγάπη", 3),
        ("любовь", 2),
        ("さくら", 3),
        ("愛", 1),
        ("사랑", 2),
        ("שלום", 2),
        ("สวัสดี", 2),
        ("123", 0),
        ("…", 0),
        ("", 0),
    ],
)
def test_syllables_are_estimated_in_any_script(word: str, syllables: int) -> None:
    assert syllables_in(word) == syllables


@pytest.mark.parametrize(
    ("letters", "vowel"),
    [
        ("aÄáάя", "a"),
        ("eÉεё", "e"),
        ("iîyίы", "i"),
        ("oÖøώό", "o"),
        ("uÜю", "u"),
    ],
)
def test_vowels_of_three_alphabets_are_matched(letters: str, vowel: str) -> None:
    assert {vowel_class(letter) for letter in letters} == {vowel}


@pytest.mark.parametrize("letter", ["b", "đ", "ł", "ж", "5", " ", "愛", "ب"])
def test_other_characters_are_no_vowels(letter: str) -> None:
    assert vowel_class(letter) is None
