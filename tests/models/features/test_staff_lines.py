import numpy as np
import pytest
from PIL import Image

from models.features.staff_lines import find_staves, ink_of, long_runs, straightened
from models.types import UInt8Array
from tests.models.features.drawn_sheet import DrawnStaff, draw, tune

PAGE = [tune([0, 3, 5, 8, 2, 6, 4, 1])]


def staves_of(page: UInt8Array):
    return find_staves(straightened(ink_of(page)))


@pytest.mark.parametrize("space", [4.5, 6.0, 8.0, 10.0, 13.7, 21.0, 33.0])
def test_a_staff_is_found_at_any_scale(space: float) -> None:
    (staff,) = staves_of(draw(PAGE, space=space))
    assert staff.space == pytest.approx(space, rel=0.03)
    assert staff.top == pytest.approx(9.0 * space, abs=0.12 * space + 0.6)
    assert staff.bottom == pytest.approx(13.0 * space, abs=0.12 * space + 0.6)
    assert staff.left == pytest.approx(3.0 * space, abs=2)
    assert staff.right == pytest.approx((3.0 + PAGE[0].width) * space, abs=2)


@pytest.mark.parametrize("line_share", [0.05, 0.1, 0.2])
def test_thin_and_thick_lines_are_found(line_share: float) -> None:
    assert len(staves_of(draw(PAGE, line_share=line_share))) == 1


def test_staves_come_from_top_to_bottom_and_a_short_one_is_not_lost() -> None:
    page = draw([DrawnStaff(top=9.0), DrawnStaff(top=22.0), DrawnStaff(top=35.0, width=14.0)])
    tops = [staff.top / 10.0 for staff in staves_of(page)]
    assert tops == pytest.approx([9.0, 22.0, 35.0], abs=0.1)


@pytest.mark.parametrize("n_lines", [1, 2, 4, 6, 9])
def test_another_number_of_lines_is_no_staff(n_lines: int) -> None:
    page = np.full((300, 600), 255, dtype=np.uint8)
    for line in range(n_lines):
        page[100 + 10 * line] = 0
    assert staves_of(page) == ()


@pytest.mark.parametrize("degrees", [-1.2, -0.4, 0.7, 1.5])
def test_a_crooked_page_is_straightened(degrees: float) -> None:
    level = Image.fromarray(draw(PAGE))
    crooked = level.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    (staff,) = staves_of(np.array(crooked))
    assert staff.space == pytest.approx(10.0, rel=0.03)


def test_a_level_page_is_left_as_it_is() -> None:
    ink = ink_of(draw(PAGE))
    assert straightened(ink) is ink


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (900, 1), (8, 300), (60, 20)])
def test_small_and_blank_pages_have_no_staff(shape: tuple[int, int]) -> None:
    for grey in (0, 128, 255):
        assert staves_of(np.full(shape, grey, dtype=np.uint8)) == ()


def test_ink_does_not_depend_on_the_light() -> None:
    clean = draw(PAGE)
    light = np.linspace(0.5, 0.9, clean.shape[1])
    shaded = (clean * light).astype(np.uint8)
    assert np.abs(ink_of(shaded) - ink_of(clean)).mean() < 0.08
    assert len(staves_of(shaded)) == 1


def test_noise_on_the_paper_does_not_hide_a_staff() -> None:
    page = draw(PAGE) * 0.7 + 40.0
    noisy = page + np.random.default_rng(0).normal(0.0, 10.0, page.shape)
    assert len(staves_of(noisy.clip(0, 255).astype(np.uint8))) == 1


def test_faint_dirt_is_not_ink() -> None:
    page = np.full((100, 100), 255, dtype=np.uint8)
    page[50] = 245
    assert ink_of(page).max() < 0.25


@pytest.mark.parametrize("length", [1, 2, 5, 24])
def test_long_runs_equal_a_loop(length: int) -> None:
    mask = np.random.default_rng(length).random((40, 60)) < 0.85
    expected = np.zeros_like(mask)
    for row, values in enumerate(mask):
        start = 0
        for column in range(61):
            if column == 60 or not values[column]:
                if column - start >= length:
                    expected[row, start:column] = True
                start = column + 1
    np.testing.assert_array_equal(long_runs(mask, length), expected)


def test_no_run_is_longer_than_the_page() -> None:
    assert not long_runs(np.ones((3, 5), dtype=np.bool_), 6).any()
