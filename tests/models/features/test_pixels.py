"""Small grids and opponent colours against loops and known colours."""

import numpy as np
import pytest

from models.features.pixels import cell_means, opponent_colours, squared


@pytest.mark.parametrize(
    ("rgb", "expected"),
    [
        ((0, 0, 0), (0, 0, 0)),
        ((1, 1, 1), (1, 0, 0)),
        ((1, 0, 0), (0.299, -0.5, 1)),
        ((0, 1, 0), (0.587, -0.5, -1)),
        ((0, 0, 1), (0.114, 1, 0)),
    ],
)
def test_opponent_colours_of_known_colours(rgb, expected):
    np.testing.assert_allclose(opponent_colours(np.array(rgb, dtype=float)), expected, atol=1e-12)


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (28, 28), (240, 320), (3, 700)])
def test_any_picture_becomes_a_square(shape):
    pixels = np.full((*shape, 3), (10, 20, 255), dtype=np.uint8)
    small = squared(pixels, 16)
    assert small.shape == (16, 16, 3)
    np.testing.assert_allclose(small, np.broadcast_to([10 / 255, 20 / 255, 1.0], small.shape))


def test_shrinking_averages_and_does_not_skip_pixels():
    stripes = np.zeros((64, 64, 3), dtype=np.uint8)
    stripes[:, ::2] = 255
    inner = squared(stripes, 16)[2:-2, 2:-2]
    np.testing.assert_allclose(inner, 0.5, atol=0.05)


def test_cell_means_equal_a_loop():
    planes = np.random.default_rng(0).random((2, 12, 12, 3))
    means = cell_means(planes, 4)
    for frame in range(2):
        for row in range(4):
            for column in range(4):
                cell = planes[frame, 3 * row : 3 * row + 3, 3 * column : 3 * column + 3]
                np.testing.assert_allclose(means[frame, row, column], cell.mean(axis=(0, 1)))
