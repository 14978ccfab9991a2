import pytest

from training.datasets.songs.accidentals import Accidentals


@pytest.mark.parametrize(
    ("fifths", "step", "alter", "expected"),
    [
        (0, "F", 0, None),
        (0, "F", 1, "sharp"),
        (1, "F", 1, None),
        (1, "F", 0, "natural"),
        (-2, "E", -1, None),
        (-2, "A", -1, "flat"),
        (3, "G", 2, "double-sharp"),
        (-7, "F", -2, "flat-flat"),
    ],
)
def test_an_accidental_is_drawn_where_the_key_says_otherwise(
    fifths: int, step: str, alter: int, expected: str | None
) -> None:
    assert Accidentals(fifths).needed(step, 4, alter) == expected


def test_an_accidental_holds_for_the_bar_in_its_octave_only() -> None:
    bar = Accidentals(0)
    assert bar.needed("C", 5, 1) == "sharp"
    assert bar.needed("C", 5, 1) is None
    assert bar.needed("C", 4, 1) == "sharp"
    assert bar.needed("C", 5, 0) == "natural"


def test_a_tied_note_draws_nothing_and_changes_nothing() -> None:
    bar = Accidentals(0)
    assert bar.needed("C", 5, 1, tied=True) is None
    assert bar.needed("C", 5, 1) == "sharp"


@pytest.mark.parametrize(
    ("key", "flat_b"), [("<key><fifths>-1</fifths></key>", None), ("<key></key>", "flat")]
)
def test_the_key_is_read_from_its_element(key: str, flat_b: str | None) -> None:
    assert Accidentals.of_key(key).needed("B", 4, -1) == flat_b
