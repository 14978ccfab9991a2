"""Motion of squares and lights that move in a known way."""

import numpy as np
import pytest

from models.features.motion import (
    N_CURVES,
    changes,
    drift,
    motion_curves,
    moving_object,
    place_of_change,
    rhythm,
)
from models.types import Float64Array

RATE_HZ = 8.0


def grey(luma: Float64Array) -> Float64Array:
    return np.stack([luma, np.zeros_like(luma), np.zeros_like(luma)], axis=-1)


def moving_square(down: float, right: float, *, count: int = 8) -> Float64Array:
    """A soft spot that moves by (down, right) pixels a frame, shape (T, 32, 32)."""
    rows, columns = np.mgrid[:32, :32]
    spots = [
        np.exp(-((rows - 12 - down * t) ** 2 + (columns - 12 - right * t) ** 2) / 18)
        for t in range(count)
    ]
    return np.stack(spots)


def blinking(hz: float, seconds: float) -> Float64Array:
    """A spot that glows with ``hz``, shape (T, 32, 32)."""
    moments = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    glow = 0.5 + 0.4 * np.sin(2 * np.pi * hz * moments)
    luma = np.zeros((len(moments), 32, 32))
    luma[:, 8:16, 16:24] = glow[:, None, None]
    return luma


@pytest.mark.parametrize("velocity", [(0.0, 0.5), (0.5, 0.0), (-0.4, 0.3), (0.0, 0.0)])
def test_drift_is_the_velocity_of_the_spot(velocity):
    flow = drift(moving_square(*velocity))
    np.testing.assert_allclose(flow.mean(axis=0), velocity, atol=0.1)


def test_changes_are_absolute_differences():
    luma = np.random.default_rng(0).random((3, 4, 4))
    np.testing.assert_array_equal(changes(luma)[1], np.abs(luma[2] - luma[1]))


def test_one_frame_does_not_change():
    luma = np.random.default_rng(0).random((1, 8, 8))
    assert not changes(luma).any()
    assert drift(luma).tolist() == [[0.0, 0.0]]


def test_place_of_change_is_where_the_light_blinks():
    numbers = place_of_change(changes(blinking(1.0, 4.0)))
    shares = (numbers[:64] ** 2).reshape(8, 8)
    np.testing.assert_allclose(shares[2:4, 4:6], 0.25, atol=1e-5)
    np.testing.assert_allclose(numbers[65:67], [12 / 32, 20 / 32], atol=1e-4)


def test_object_has_its_colour_and_place():
    colours = np.zeros((9, 32, 32, 3))
    colours[4, 8:16, 16:24] = (0.8, 0.3, -0.2)
    numbers = moving_object(colours)
    np.testing.assert_allclose(numbers[:3], (0.8, 0.3, -0.2), atol=1e-6)
    assert numbers.shape == (3 + 6 * 5,)


@pytest.mark.parametrize("count", [1, 2, 9])
def test_curves_have_a_value_per_change(count):
    colours = grey(np.random.default_rng(1).random((count, 32, 32)))
    curves = motion_curves(colours)
    assert curves.shape == (N_CURVES, max(1, count - 1))
    np.testing.assert_allclose(curves[6], colours[-curves.shape[1] :, ..., 0].mean(axis=(1, 2)))


@pytest.mark.parametrize("hz", [0.5, 1.0, 2.0])
def test_rhythm_shows_the_rate_of_a_light(hz):
    luma = blinking(hz, 6.0)
    numbers = rhythm(motion_curves(grey(luma)), luma, RATE_HZ)
    rates = 0.25 * 16.0 ** (np.arange(25) / 24)
    local = numbers[N_CURVES * 14 :][:25]
    brightness_spectrum = numbers[6 * 13 : 7 * 13]
    assert abs(np.log2(rates[local.argmax()] / hz)) < 0.25
    assert abs(np.log2(rates[::2][brightness_spectrum.argmax()] / hz)) < 0.4


def test_course_puts_a_movement_into_its_part():
    luma = np.zeros((65, 32, 32))
    luma[33:] = 1.0  # one step from dark to light, between frames 32 and 33
    numbers = rhythm(motion_curves(grey(luma)), luma, RATE_HZ)
    assert numbers[-16:].argmax() == 8
