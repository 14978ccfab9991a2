from typing import Any

from training.song_networks.letters import LETTERS, sung_letters


def spelt(*notes: list[Any], seconds: float = 4.0, places: int = 200) -> str:
    row = {"seconds": seconds, "notes": list(notes)}
    return "".join(LETTERS[number - 1] for number in sung_letters(row, places))


def test_a_vowel_is_held_between_its_consonants() -> None:
    heard = spelt([1.0, 2.0, 60, "Ros"])
    assert heard[:40].strip() == ""
    assert heard[47:50] == "rrr"  # 70 ms before the note
    assert heard[50] == "o"
    assert heard[100] == "o"
    assert "s" in heard[140:150]
    assert heard[150:].strip() == ""


def test_a_melisma_holds_the_vowel() -> None:
    heard = spelt([0.0, 1.0, 60, "la"], [1.0, 1.0, 62, ""], [2.0, 1.0, 64, "mi"])
    assert set(heard[10:90]) == {"a"}
    assert set(heard[100:140]) == {"i"}
    assert "m" in heard[94:100]


def test_accents_are_plain_letters_and_rests_are_silent() -> None:
    heard = spelt([0.0, 1.0, 60, "é"], [3.0, 1.0, 60, "ü"])
    assert heard[10] == "e"
    assert heard[180] == "u"
    assert heard[60:140].strip() == ""


def test_a_sound_without_a_vowel_is_its_consonant_only() -> None:
    heard = spelt([1.0, 1.0, 60, "m"])
    assert "m" in heard
    assert set(heard) == {" ", "m"}
