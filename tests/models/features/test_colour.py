"""Colour histograms of plain pictures."""

import numpy as np
import pytest

from models.features.colour import HISTOGRAM_SIZE, colour_histogram
from models.features.pixels import opponent_colours


def histogram_of(*rgb: tuple[float, float, float]) -> np.ndarray:
    """Histogram of a picture whose pixels take the colours in turn."""
    pixels = np.resize(np.array(rgb, dtype=float), (8 * 8, 3)).reshape(1, 8, 8, 3)
    return colour_histogram(opponent_colours(pixels))[0]


@pytest.mark.parametrize("seed", range(3))
def test_squares_are_shares_of_one_picture(seed):
    pixels = np.random.default_rng(seed).random((2, 8, 8, 3))
    histograms = colour_histogram(opponent_colours(pixels))
    assert histograms.shape == (2, HISTOGRAM_SIZE)
    np.testing.assert_allclose((histograms**2).sum(axis=1), 1.0)


@pytest.mark.parametrize(("value", "level"), [(0.0, 0), (3 / 7, 3), (1.0, 7)])
def test_grey_counts_its_brightness_only(value, level):
    histogram = histogram_of((value, value, value))
    assert histogram[36 + level] == pytest.approx(1.0)
    assert np.delete(histogram, 36 + level).max() < 1e-6


def test_hues_are_told_apart():
    colours = [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0)]
    places = [int(histogram_of(rgb)[:36].argmax()) % 12 for rgb in colours]
    assert len(set(places)) == len(places)


def test_half_of_each_colour_is_the_mean_of_the_shares():
    red, blue = (0.8, 0.1, 0.2), (0.1, 0.1, 0.9)
    mixed = histogram_of(red, blue) ** 2
    expected = (histogram_of(red) ** 2 + histogram_of(blue) ** 2) / 2
    np.testing.assert_allclose(mixed, expected, atol=1e-12)


def test_small_change_of_hue_is_a_small_change():
    steps = [histogram_of((1.0, 0.0, k / 100)) for k in range(100)]
    assert max(np.abs(np.diff(np.square(steps), axis=0)).max(axis=1)) < 0.06
