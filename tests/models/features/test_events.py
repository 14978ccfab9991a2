"""Events of made-up spectrograms."""

import numpy as np
import pytest

from models.features.events import EVENT_NUMBERS, event_shape, onset_density
from models.features.spectral_shape import onset_strength
from models.types import Float64Array

FRAME_RATE_HZ = 100.0


def clicks(hz: float, seconds: float) -> Float64Array:
    curve = np.zeros(round(seconds * FRAME_RATE_HZ))
    curve[5 :: round(FRAME_RATE_HZ / hz)] = 1.0
    return curve


def decaying(starts: list[int], *, n_frames: int = 300, floor: float = 2.0) -> Float64Array:
    """Events of 10 units in the upper half of the bands that fall by 0.25 a frame."""
    log_power = np.full((n_frames, 64), floor)
    for start in starts:
        course = np.maximum(0.0, 10.0 - 0.25 * np.arange(40))
        log_power[start : start + 40, 32:] += course[: n_frames - start, None]
    return log_power


def shape_of(log_power: Float64Array) -> Float64Array:
    return event_shape(log_power, onset_strength(log_power, n_groups=1)[0])


@pytest.mark.parametrize("hz", [1.0, 4.0])
def test_onsets_are_counted(hz):
    rate, log_count, _ = onset_density(clicks(hz, 5.0), FRAME_RATE_HZ)
    assert rate == pytest.approx(hz)
    assert np.expm1(log_count) == pytest.approx(5 * hz)


def test_sharpness_is_the_peak_over_the_mean():
    assert np.expm1(onset_density(clicks(1.0, 5.0), 100.0)[2]) == pytest.approx(100.0, rel=1e-3)


@pytest.mark.parametrize("length", [1, 2, 3])
def test_too_short_for_an_onset(length):
    assert onset_density(np.zeros(length), FRAME_RATE_HZ).tolist() == [0.0, 0.0, 0.0]
    assert np.isfinite(event_shape(np.zeros((length, 64)), np.zeros(length))).all()


@pytest.mark.parametrize("starts", [[50], [50, 150], [30, 100, 170, 240]])
def test_course_of_the_typical_event_is_found(starts):
    numbers = shape_of(decaying(starts))
    course = numbers[:128].reshape(8, 16)
    # The first step starts a frame before the onset.
    rises = np.concatenate([[0.0], 10.0 - 0.25 * np.arange(39)]).reshape(8, 5).mean(axis=1)
    np.testing.assert_allclose(course[:, 8:], np.tile(rises[:, None], 8), atol=1e-9)
    np.testing.assert_allclose(course[:, :8], 0.0, atol=1e-9)
    assert numbers[-1] == pytest.approx(np.log(len(starts)))
    assert numbers.shape == (EVENT_NUMBERS,)


def test_equal_events_do_not_differ_and_unequal_ones_do():
    equal = decaying([50, 150])
    unequal = equal.copy()
    unequal[150:190, 32:48] += 1.0
    assert shape_of(equal)[128:144].max() < 1e-9
    assert shape_of(unequal)[128:144].max() > 0.1


def test_floor_of_the_sound_does_not_matter():
    np.testing.assert_allclose(
        shape_of(decaying([50], floor=0.0)), shape_of(decaying([50], floor=5.0)), atol=1e-9
    )


def test_faint_onsets_are_left_out():
    log_power = decaying([50])
    log_power[200:, 32:] += 1.0  # a tenth of the event
    assert shape_of(log_power)[-1] == 0.0


def test_at_most_twelve_events_are_laid_over_each_other():
    onsets = np.zeros(400)
    onsets[5::10] = 1.0
    assert event_shape(np.zeros((400, 64)), onsets)[-1] == pytest.approx(np.log(12))
