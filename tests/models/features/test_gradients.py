"""Histograms of gradient orientation against a loop over pixels and plain pictures."""

import math

import numpy as np
import pytest

from models.features.gradients import block_normalised, orientation_histograms
from models.types import Float64Array


def naive_histograms(plane: Float64Array, cells: int, orientations: int) -> Float64Array:
    """Every pixel votes for its two directions in its four cells, one vote at a time."""
    size = len(plane)
    result = np.zeros((cells, cells, orientations))
    down, right = np.array(np.gradient(plane))
    for row in range(size):
        for column in range(size):
            strength = math.hypot(down[row, column], right[row, column])
            angle = math.atan2(down[row, column], right[row, column])
            step = (angle / (2 * math.pi) * orientations) % orientations
            for direction in range(orientations):
                gap = abs(step - direction)
                share = max(0.0, 1.0 - min(gap, orientations - gap))
                for i in range(cells):
                    for j in range(cells):
                        near_i = max(0.0, 1.0 - abs((row + 0.5) * cells / size - 0.5 - i))
                        near_j = max(0.0, 1.0 - abs((column + 0.5) * cells / size - 0.5 - j))
                        result[i, j, direction] += strength * share * near_i * near_j
    return result


@pytest.mark.parametrize(("cells", "orientations"), [(2, 4), (3, 8), (4, 12)])
def test_histograms_equal_the_loop(cells, orientations):
    plane = np.random.default_rng(cells).random((12, 12))
    computed = orientation_histograms(plane[None], cells=cells, orientations=orientations)[0]
    np.testing.assert_allclose(computed, naive_histograms(plane, cells, orientations), atol=1e-9)


@pytest.mark.parametrize(("turns", "direction"), [(0, 0), (1, 6), (2, 4), (3, 2)])
def test_ramp_has_one_direction(turns, direction):
    ramp = np.tile(np.linspace(0.0, 1.0, 16), (16, 1))  # brighter to the right
    turned = np.rot90(ramp, turns)  # counter-clockwise: up, left, down
    histograms = orientation_histograms(turned[None], cells=2, orientations=8)[0]
    assert histograms.sum(axis=(0, 1)).argmax() == direction
    assert np.delete(histograms.sum(axis=(0, 1)), direction).max() < 1e-9


def test_frames_do_not_touch_each_other():
    planes = np.random.default_rng(1).random((3, 16, 16))
    together = orientation_histograms(planes, cells=4, orientations=8)
    alone = orientation_histograms(planes[1:2], cells=4, orientations=8)
    np.testing.assert_array_equal(together[1], alone[0])


def test_block_norm_equals_the_formula():
    histograms = np.random.default_rng(2).random((1, 3, 3, 4))
    computed = block_normalised(histograms, floor=0.5, clip=0.3)[0]
    corner = math.sqrt((histograms[0, :2, :2] ** 2).sum()) + 0.5
    middle = math.sqrt((histograms[0] ** 2).sum()) + 0.5
    np.testing.assert_allclose(
        computed[0, 0], np.sqrt(np.minimum(histograms[0, 0, 0] / corner, 0.3))
    )
    np.testing.assert_allclose(
        computed[1, 1], np.sqrt(np.minimum(histograms[0, 1, 1] / middle, 0.3))
    )


def test_contrast_hardly_matters_and_noise_stays_small():
    plane = np.random.default_rng(3).random((1, 16, 16))
    strong = orientation_histograms(plane, cells=2, orientations=8)
    full = block_normalised(strong, floor=0.01)
    np.testing.assert_allclose(block_normalised(strong / 2, floor=0.01), full, rtol=0.01)
    assert block_normalised(strong * 1e-6, floor=0.5).max() < 0.01
