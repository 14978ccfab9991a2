"""Figure and ground of pictures with one thing in them."""

import numpy as np
import pytest

from models.features.figure_ground import FIGURE_NUMBERS, figure_and_ground, weighted_place
from models.types import Float64Array


def square(top: int, left: int, side: int) -> Float64Array:
    weight = np.zeros((1, 32, 32))
    weight[0, top : top + side, left : left + side] = 1.0
    return weight


@pytest.mark.parametrize(("top", "left", "side"), [(0, 0, 4), (10, 20, 8), (28, 5, 3)])
def test_place_of_a_square(top, left, side):
    size, down, right, spread_down, spread_right = weighted_place(square(top, left, side))[0]
    spread = np.sqrt((side**2 - 1) / 12) / 32  # of a discrete uniform distribution
    assert size == pytest.approx((side / 32) ** 2)
    assert (down, right) == pytest.approx(((top + side / 2) / 32, (left + side / 2) / 32))
    assert (spread_down, spread_right) == pytest.approx((spread, spread))


def test_nothing_is_in_the_middle():
    np.testing.assert_allclose(weighted_place(np.zeros((1, 8, 8)))[0], [0, 0.5, 0.5, 0, 0])


def test_figure_stands_out_from_the_border_colour():
    colours = np.zeros((1, 32, 32, 3))
    colours[...] = (0.2, 0.0, 0.1)
    colours[0, 8:16, 8:16] = (0.9, 0.5, -0.5)
    numbers = figure_and_ground(colours)[0]
    assert numbers.shape == (FIGURE_NUMBERS,)
    np.testing.assert_allclose(numbers[:3], [0.2, 0.0, 0.1])
    np.testing.assert_allclose(numbers[3:6], [0.9, 0.5, -0.5], atol=1e-6)
    np.testing.assert_allclose(numbers[7:9], 12 / 32, atol=1e-6)
    assert numbers[12] == pytest.approx(np.sqrt(0.7**2 + 0.5**2 + 0.6**2))


def test_plain_picture_has_no_figure():
    numbers = figure_and_ground(np.full((1, 16, 16, 3), 0.3))[0]
    np.testing.assert_allclose(numbers[6:11], [0, 0.5, 0.5, 0, 0], atol=1e-9)
