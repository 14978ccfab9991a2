import pytest

from models.errors import DataError
from models.features.songs.character_codes import read_text
from models.networks.song_speech import N_SOUNDS
from training.datasets.triples.sung_segments import CONSONANTS, PAUSE, VOWELS
from training.song_networks.sung_words import (
    SOUNDS,
    sung_sounds,
    syllable_places,
    syllable_starts,
    syllables_of,
    written_sounds,
)


def named(phones: list[list[object]], seconds: float, places: int) -> list[str]:
    return [SOUNDS[number - 1] for number in sung_sounds(phones, seconds, places)]


def test_a_place_names_the_phone_in_its_middle() -> None:
    phones = [["pau", -0.1, 0.2], ["m", 0.2, 0.3], ["iy", 0.3, 0.8], ["pau", 0.8, 0.9]]
    assert named(phones, 1.0, 10) == [
        "pau", "pau", "m", "iy", "iy", "iy", "iy", "iy", "pau", "pau",
    ]  # fmt: skip


def test_behind_the_last_phone_there_is_a_pause() -> None:
    assert named([["aa", 0.0, 0.5]], 1.0, 4) == ["aa", "aa", "pau", "pau"]


def test_a_phone_of_another_singer_is_refused() -> None:
    with pytest.raises(DataError, match="'xx'"):
        sung_sounds([["xx", 0.0, 1.0]], 1.0, 4)


def test_every_two_characters_have_the_place_of_their_syllable() -> None:
    notes = [
        [0.0, 1.0, 60, "Ro"],
        [1.0, 0.5, 62, "sen,"],
        [1.5, 0.5, 62, ""],
        [2.0, 1.0, 64, "ja"],
    ]
    syllables = list(syllables_of("Rosen, ja\n", notes))
    assert syllables == [(0, 2, 0.0), (2, 6, 1.0), (7, 9, 2.0)]
    places = syllable_places(syllables, 4.0)
    assert places[:6].tolist() == [1, 9, 9, 9, 17, 0]  # Ro|se|n,| j|a at 0, 1/4, 1/2 of 32
    assert places[6:].max() == 0


def test_syllables_begin_where_they_stand() -> None:
    notes = [[0.0, 1.0, 60, "Ro"], [1.0, 0.5, 62, "sen,"], [2.0, 1.0, 64, "ja"]]
    starts = syllable_starts(list(syllables_of("Rosen, ja\n", notes)))
    assert starts[:6].tolist() == [2, 2, 1, 2, 1, 0]  # Ro|se|n,| j|a
    assert syllable_starts([]).max() == 0


def test_a_syllable_that_is_not_in_the_text_is_passed_over() -> None:
    notes = [[0.0, 1.0, 60, "la"], [1.0, 1.0, 60, "oh"], [2.0, 1.0, 60, "li"]]
    assert [one.onset for one in syllables_of("la li", notes)] == [0.0, 2.0]


@pytest.mark.parametrize(
    ("text", "notes", "phones", "letters"),
    [
        ("schön", [[0.1, 1.0, 60, "schön"]], "sh:0 er:.1 n:.9", "sh sh sh er n"),
        (
            "Das Lied",
            [[0.0, 1.0, 60, "Das"], [1.0, 1.0, 60, "Lied"]],
            "d:0 aa:.1 s:.8 l:.9 iy:1 t:1.9",
            "d aa s pau l iy iy t",
        ),
        ("zu", [[0.2, 1.0, 60, "zu"]], "t:0 s:.1 uw:.2", "t uw"),
        (
            "J\u2019ai",
            [[0.1, 1.0, 60, "J\u2019ai"]],
            "zh:0 eh:.1",
            "zh pau eh eh",
        ),
        ("sœur", [[0.1, 1.0, 60, "sœur"]], "s:0 er:.1 r:.9", "s er er r"),
        (
            "schön",
            [[0.0, 0.5, 60, ""], [0.5, 0.4, 60, "schön"]],
            "aa:0 sh:.4 er:.5 n:.8",
            "sh sh sh er n",
        ),
        ("Ro", [[0.1, 0.5, 60, "Ro"]], "r:0 ow:.1 z:.5 ax:.6 n:.8", "r ow"),
        (
            "oh, ah",
            [[0.0, 1.0, 60, "oh,"], [1.0, 1.0, 60, "ah"]],
            "ow:0 aa:1",
            "ow pau pau pau aa pau",
        ),
    ],
)
def test_letters_stand_for_what_is_sung(
    text: str, notes: list[list[object]], phones: str, letters: str
) -> None:
    sung: list[list[object]] = [
        [name, float(start), float(start) + 0.1]
        for name, start in (one.split(":") for one in phones.split())
    ]
    text = read_text(text)
    found = written_sounds(text, list(syllables_of(text, notes)), sung)
    assert found.shape == (192,)
    assert [SOUNDS[number - 1] for number in found[: len(text)]] == letters.split()
    assert found[len(text) :].max() == 0


def test_the_classes_are_the_phones_of_the_singer() -> None:
    assert set(SOUNDS) == {PAUSE} | VOWELS | CONSONANTS
    assert len(set(SOUNDS)) == len(SOUNDS)
    assert len(SOUNDS) == N_SOUNDS
    assert SOUNDS[0] == PAUSE  # the class that the networks do not count
