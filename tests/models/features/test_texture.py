"""Texture statistics of pictures whose texture is known."""

import numpy as np
import pytest
from scipy import ndimage

from models.features.texture import TEXTURE_NUMBERS, texture_statistics
from models.types import Float64Array


def grey(luma: Float64Array) -> Float64Array:
    return np.stack([luma, np.zeros_like(luma), np.zeros_like(luma)], axis=-1)


def test_moments_and_percentiles_are_those_of_numpy():
    colours = np.random.default_rng(0).random((16, 16, 3))
    numbers = texture_statistics(colours)
    values = colours.reshape(-1, 3)
    np.testing.assert_allclose(numbers[:3], values.mean(axis=0))
    np.testing.assert_allclose(numbers[3:6], values.std(axis=0))
    np.testing.assert_allclose(numbers[12:15], np.median(values, axis=0))
    assert numbers.shape == (TEXTURE_NUMBERS,)


def test_grain_is_the_mean_of_scipy_laplace():
    luma = np.random.default_rng(1).random((16, 16))
    expected = np.abs(ndimage.laplace(luma)[1:-1, 1:-1]).mean()
    assert texture_statistics(grey(luma))[26] == pytest.approx(expected)


@pytest.mark.parametrize("n_levels", [1, 2, 4])
def test_entropy_is_the_logarithm_of_equal_levels(n_levels):
    luma = np.resize(np.arange(n_levels) / n_levels, (16, 16))
    assert texture_statistics(grey(luma))[25] == pytest.approx(np.log(n_levels), abs=1e-9)


def test_edges_are_counted_by_strength():
    luma = np.tile(np.arange(16) * 0.07, (16, 1))
    np.testing.assert_array_equal(texture_statistics(grey(luma))[21:25], [1, 1, 0, 0])


def test_share_of_vertical_change_tells_stripes_apart():
    stripes = np.tile(np.sin(np.arange(16)), (16, 1))
    across, along = texture_statistics(grey(stripes))[27], texture_statistics(grey(stripes.T))[27]
    assert across < 0.01
    assert along == pytest.approx(1.0 - across)
