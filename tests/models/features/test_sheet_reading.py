import numpy as np
import pytest

from models.features.sheet_reading import read_pages
from tests.models.features.drawn_sheet import FULL, DrawnStaff, draw, tune


def test_pages_and_staves_are_read_in_order() -> None:
    first = draw([DrawnStaff(heads=[(8.0, 0, FULL)]), DrawnStaff(heads=[(8.0, 2, FULL)], top=24.0)])
    second = draw([DrawnStaff(heads=[(8.0, 4, FULL), (14.0, 6, FULL)])])
    music = read_pages([first, second])
    assert music.positions.tolist() == [0, 2, 4, 6]
    assert [len(system) for system in music.systems] == [1, 1, 1]
    assert music.width == pytest.approx(180.0, rel=0.02)
    np.testing.assert_allclose(music.places, [8.0, 68.0, 128.0, 134.0], atol=1.0)


def test_staves_joined_at_the_left_sound_together() -> None:
    upper = DrawnStaff(heads=[(8.0, 4, FULL), (16.0, 5, FULL)])
    lower = DrawnStaff(heads=[(8.0, 1, FULL), (12.0, 2, FULL)], top=22.0)
    together = read_pages([draw([upper, lower], joined=True)])
    apart = read_pages([draw([upper, lower])])
    assert [len(system) for system in together.systems] == [2]
    assert together.positions.tolist() == [4, 1, 2, 5]
    assert [len(system) for system in apart.systems] == [1, 1]
    assert apart.positions.tolist() == [4, 5, 1, 2]
    assert len(together.staves) == len(apart.staves) == 2


def test_rooms_are_the_distances_to_the_next_note() -> None:
    heads = [(6.0, 1, FULL), (8.5, 2, FULL), (8.5, 5, FULL), (15.0, 3, FULL), (50.0, 3, FULL)]
    music = read_pages([draw([DrawnStaff(heads=heads)])])
    np.testing.assert_allclose(music.rooms, [2.5, 6.5, 6.5, 16.0, 4.0], atol=0.3)


def test_pages_without_staves_have_only_their_density() -> None:
    music = read_pages([np.full((100, 100), 255, dtype=np.uint8)])
    assert music.systems == ()
    assert music.width == music.density == 0.0
    assert music.positions.shape == (0,)


def test_no_pages_give_no_music() -> None:
    assert read_pages([]).density == 0.0


def test_density_is_the_share_of_ink() -> None:
    page = np.full((200, 200), 255, dtype=np.uint8)
    page[:50] = 0
    assert read_pages([page]).density == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize("space", [8.0, 16.0])
def test_the_scale_of_the_page_does_not_matter(space: float) -> None:
    positions = [0, 4, 2, 7, 5, 3]
    music = read_pages([draw([tune(positions)], space=space)])
    assert music.positions.tolist() == positions
    np.testing.assert_allclose(music.rooms[:-1], 4.0, atol=0.3)
