import numpy as np
import pytest

from models.features.notehead_shapes import SPACE, head_templates
from models.features.noteheads import (
    BOTTOM,
    HEIGHT,
    TOP,
    StaffContent,
    read_staff,
    without_lines,
)
from models.features.staff_lines import find_staves, ink_of
from tests.models.features.drawn_sheet import FULL, HALF, WHOLE, DrawnStaff, draw, tune


def content(staff: DrawnStaff, space: float = 10.0) -> StaffContent:
    ink = ink_of(draw([staff], space=space))
    (found,) = find_staves(ink)
    return read_staff(ink, found, above=0, below=len(ink))


@pytest.mark.parametrize("kind", [FULL, HALF, WHOLE])
@pytest.mark.parametrize("space", [8.0, 10.0, 14.0, 20.0])
def test_heads_are_found_where_they_were_drawn(kind: int, space: float) -> None:
    positions = [0, 1, 2, 3, 4, 5, 6, 7, 8, 3, 6]
    found = content(tune(positions, kind=kind), space)
    assert found.positions.tolist() == positions
    assert found.kinds.tolist() == [kind] * len(positions)
    places = [6.0 + 4.0 * i for i in range(len(positions))]
    np.testing.assert_allclose(found.columns / SPACE, places, atol=0.3)


@pytest.mark.parametrize("kind", [FULL, HALF])
def test_heads_on_ledger_lines_are_found(kind: int) -> None:
    positions = [-5, -4, -3, -2, -1, 9, 10, 11, 12, 13, 14]
    assert content(tune(positions, kind=kind)).positions.tolist() == positions


def test_random_tunes_are_read_without_a_mistake() -> None:
    rng = np.random.default_rng(0)
    for _ in range(5):
        heads = [
            (6.0 + 3.5 * i, int(rng.integers(-3, 12)), int(rng.integers(3))) for i in range(14)
        ]
        found = content(DrawnStaff(heads=heads, width=60.0))
        assert found.positions.tolist() == [position for _, position, _ in heads]
        assert found.kinds.tolist() == [kind for _, _, kind in heads]


def test_a_chord_has_a_head_for_each_note() -> None:
    found = content(DrawnStaff(heads=[(8.0, 0, FULL), (8.0, 5, FULL)]))
    assert sorted(found.positions.tolist()) == [0, 5]


@pytest.mark.parametrize("name", ["flat", "sharp"])
def test_accidentals_are_no_heads(name: str) -> None:
    marks = [(5.0 + 4.0 * i, position, name) for i, position in enumerate([0, 1, 4, 5, 8])]
    found = content(DrawnStaff(accidentals=marks))
    assert found.positions.tolist() == []
    assert len(found.marks) >= len(marks)


def test_beams_are_no_heads() -> None:
    staff = DrawnStaff(
        heads=[(8.0, 2, FULL), (11.0, 2, FULL)], beams=[(8.5, 11.6, 8.4), (10.6, 11.6, 7.0)]
    )
    found = content(staff)
    assert found.positions.tolist() == [2, 2]
    assert found.beams.any()


def test_a_blob_without_a_stem_is_no_full_head() -> None:
    page = draw([DrawnStaff()])
    page[106:114, 196:208] = 0  # as large as a head, in the second space
    ink = ink_of(page)
    (staff,) = find_staves(ink)
    assert not len(read_staff(ink, staff, above=0, below=len(ink)).columns)


def test_bar_lines_and_stems_are_told_apart() -> None:
    heads = [(6.0, 3, FULL), (12.0, 4, HALF), (22.0, 5, WHOLE)]
    found = content(DrawnStaff(heads=heads, bars=[17.0, 27.0]))
    np.testing.assert_allclose(found.bar_lines / SPACE, [17.0, 27.0], atol=0.3)
    np.testing.assert_allclose(found.stems / SPACE, [6.6, 12.6], atol=0.4)


def test_an_empty_staff_has_nothing() -> None:
    found = content(DrawnStaff())
    assert found.columns.shape == found.positions.shape == found.kinds.shape == (0,)
    assert len(found.bar_lines) == len(found.stems) == len(found.marks) == 0
    assert found.strip.shape[0] == HEIGHT
    assert found.strip.max() < 0.2


def test_what_belongs_to_the_next_staff_is_not_read() -> None:
    ink = ink_of(draw([DrawnStaff(heads=[(8.0, 14, FULL)])]))
    (staff,) = find_staves(ink)
    above = staff.top - 2.0 * staff.space
    assert not len(read_staff(ink, staff, above=above, below=len(ink)).columns)


def test_lines_are_taken_out_but_not_what_crosses_them() -> None:
    strip = np.zeros((HEIGHT, 100), dtype=np.float32)
    strip[TOP : BOTTOM + 1 : SPACE] = 1.0
    strip[TOP + 3 : TOP + 14, 40:48] = 1.0
    cleaned = without_lines(strip)
    assert not cleaned[:, :38].any()
    assert not cleaned[:, 50:].any()
    np.testing.assert_array_equal(cleaned[TOP + 3 : TOP + 14, 40:48], 1.0)


def test_templates_weigh_ink_and_paper_alike() -> None:
    for template in head_templates():
        assert template[template > 0].sum() == pytest.approx(1.0, rel=1e-5)
        assert template[template < 0].sum() == pytest.approx(-1.0, rel=1e-5)
