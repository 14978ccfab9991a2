"""Rates of curves against scipy's Welch estimate and hand-made pulses."""

import numpy as np
import pytest
from scipy import signal

from models.features.modulation import modulation_power, modulation_rates, periodicity

RATES = modulation_rates(24, min_hz=0.5, max_hz=20.0)
FRAME_RATE_HZ = 100.0


def wave(hz: float, seconds: float) -> np.ndarray:
    return np.sin(2 * np.pi * hz * np.arange(round(seconds * FRAME_RATE_HZ)) / FRAME_RATE_HZ)


def test_rates_are_equally_spaced_in_octaves():
    steps = np.diff(np.log2(RATES))
    assert (RATES[0], RATES[-1]) == (0.5, pytest.approx(20.0))
    np.testing.assert_allclose(steps, steps[0])


@pytest.mark.parametrize("seconds", [3.0, 8.0, 30.0])
def test_power_equals_scipy_welch_on_a_logarithmic_axis(seconds):
    curve = np.random.default_rng(0).normal(size=round(seconds * FRAME_RATE_HZ))
    length = min(800, len(curve))
    taper = np.sin(np.pi * (np.arange(length) + 0.5) / length) ** 2
    hz, density = signal.welch(
        curve,
        fs=FRAME_RATE_HZ,
        window=taper,
        noverlap=length - length // 2,
        nfft=3200,
        detrend="constant",
    )
    expected = np.zeros(24)
    step = np.log(RATES[1] / RATES[0])
    for frequency, value in zip(hz[1:], density[1:], strict=True):
        position = np.log(frequency / RATES[0]) / step
        for rate in range(24):
            expected[rate] += value * FRAME_RATE_HZ / 2 * max(0.0, 1.0 - abs(position - rate))
    computed = modulation_power(curve[None], FRAME_RATE_HZ, RATES)[0]
    np.testing.assert_allclose(computed, expected, rtol=1e-6)


@pytest.mark.parametrize("hz", [0.7, 2.0, 5.0, 15.0])
@pytest.mark.parametrize("seconds", [4.0, 20.0])
def test_sine_has_its_power_at_its_rate(hz, seconds):
    power = modulation_power(wave(hz, seconds)[None], FRAME_RATE_HZ, RATES)[0]
    assert abs(np.log(RATES[power.argmax()] / hz)) < 0.17


@pytest.mark.parametrize("hz", [1.0, 2.5, 4.0])
def test_pulses_repeat_at_their_rate_and_not_at_its_harmonics(hz):
    pulses = (np.arange(600) % round(FRAME_RATE_HZ / hz) == 0).astype(float)
    pulses = np.convolve(pulses, np.hanning(9), mode="same")
    values = periodicity(pulses, FRAME_RATE_HZ, RATES)
    nearest = np.abs(np.log(RATES / hz)).argmin()
    assert values[1.3 * hz < RATES].max() < 0.3
    assert values[max(0, nearest - 1) : nearest + 2].max() > 0.4


def test_periodicity_equals_the_summed_products():
    curve = np.random.default_rng(1).normal(size=50)
    centred = curve - curve.mean()
    rates = np.array([5.0, 6.25, 7.8125])
    products = [(centred[lag:] * centred[:-lag]).sum() for lag in range(15, 18)]
    values = periodicity(curve, 100.0, rates)
    assert values[1] == pytest.approx(max(products) / (centred**2).sum())


def test_periods_that_do_not_fit_are_zero():
    values = periodicity(wave(5.0, 0.5), FRAME_RATE_HZ, np.array([1.0, 90.0]))
    np.testing.assert_array_equal(values, [0.0, 0.0])


def test_rates_above_half_the_frame_rate_have_no_power():
    power = modulation_power(np.random.default_rng(2).normal(size=(1, 60)), 6.0, RATES)[0]
    assert power[RATES < 2.9].min() > 0.0
    assert power[RATES > 3.5].max() == 0.0


@pytest.mark.parametrize("length", [1, 2, 5])
def test_short_and_constant_curves_are_finite(length):
    curves = np.ones((2, length))
    assert np.all(modulation_power(curves, FRAME_RATE_HZ, RATES) == 0.0)
    assert np.all(periodicity(curves[0], FRAME_RATE_HZ, RATES) == 0.0)


def test_a_curve_alone_equals_the_curve_in_a_group():
    curves = np.random.default_rng(3).normal(size=(4, 500))
    together = modulation_power(curves, FRAME_RATE_HZ, RATES)
    alone = modulation_power(curves[2:3], FRAME_RATE_HZ, RATES)
    np.testing.assert_allclose(together[2], alone[0], rtol=1e-12)
