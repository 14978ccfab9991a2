import pytest

from models.features.songs.character_codes import (
    LENGTH,
    N_CODES,
    character_codes,
    character_of,
)


def text_of(codes) -> str:
    return "".join(character_of(int(code)) for code in codes if code)


@pytest.mark.parametrize("text", ["Röslein auf der Heiden", "Après un rêve,\nj'aimais", "O!"])
def test_common_characters_are_kept(text: str) -> None:
    (codes,) = character_codes(text)
    assert text_of(codes) == text


def test_the_same_letter_in_two_encodings_is_one() -> None:
    assert (character_codes("u\u0308") == character_codes("\u00fc")).all()


def test_typographic_marks_are_plain_ones() -> None:
    assert (character_codes("don\u2019t \u201cgo\u201d") == character_codes('don\'t "go"')).all()


def test_any_script_has_codes_of_its_own() -> None:
    russian, japanese = character_codes("любовь")[0], character_codes("桜の花")[0]
    assert russian.max() < N_CODES
    assert japanese.max() < N_CODES
    assert len(set(russian[:6].tolist())) >= 4
    assert set(russian[:6].tolist()) != set(japanese[:3].tolist())


def test_a_long_text_is_cut_at_its_lines() -> None:
    lines = [f"line {number} of a long song about the sea" for number in range(20)]
    parts = character_codes("\n".join(lines))
    assert len(parts) > 3
    back = "\n".join(text_of(part) for part in parts)
    assert back.split("\n") == lines


def test_a_line_without_end_is_cut() -> None:
    parts = character_codes("la" * 300)
    assert "".join(text_of(part) for part in parts) == "la" * 300
    assert parts.shape == (-(-600 // LENGTH), LENGTH)
