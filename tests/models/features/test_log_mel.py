"""The log-mel spectrogram against the formulas written out as loops."""

import cmath
import math

import numpy as np
import pytest

from models.features.log_mel import (
    Framing,
    MelSettings,
    hz_to_mel,
    log_mel,
    mel_filterbank,
    mel_power,
    mel_to_hz,
    power_blocks,
    resampled,
)
from models.types import Audio, Float64Array

SMALL = MelSettings(
    sample_rate_hz=800,
    window_samples=20,
    hop_samples=8,
    fft_size=32,
    n_bands=5,
    min_hz=30.0,
    max_hz=390.0,
)


def naive_log_mel(samples: list[float], settings: MelSettings) -> list[list[float]]:
    """Discrete Fourier sums, Hann window and HTK triangles, one number at a time."""
    length, size = settings.window_samples, settings.fft_size
    window = [0.5 - 0.5 * math.cos(2 * math.pi * n / length) for n in range(length)]

    def mel(hz: float) -> float:
        return 2595.0 * math.log10(1.0 + hz / 700.0)

    low, high = mel(settings.min_hz), mel(settings.max_hz)
    edges = [low + (high - low) * k / (settings.n_bands + 1) for k in range(settings.n_bands + 2)]
    rows = []
    start = 0
    while start + length <= len(samples):
        power = []
        for k in range(size // 2 + 1):
            terms = (
                samples[start + n] * window[n] * cmath.exp(-2j * math.pi * k * n / size)
                for n in range(length)
            )
            power.append(abs(sum(terms)) ** 2 * (2.0 / sum(window)) ** 2)
        row = []
        for band in range(settings.n_bands):
            left, centre, right = edges[band : band + 3]
            total = 0.0
            for k, value in enumerate(power):
                place = mel(k * settings.sample_rate_hz / size)
                rise, fall = (place - left) / (centre - left), (right - place) / (right - centre)
                total += value * max(0.0, min(rise, fall))
            row.append(math.log(1.0 + total / settings.power_floor))
        rows.append(row)
        start += settings.hop_samples
    return rows


def noise(length: int, seed: int = 0) -> Float64Array:
    return np.random.default_rng(seed).normal(size=length) * 0.1


@pytest.mark.parametrize("seed", [0, 1])
def test_log_mel_equals_the_written_out_sums(seed):
    samples = noise(70, seed)
    computed = log_mel(mel_power(samples, SMALL), SMALL)
    np.testing.assert_allclose(computed, naive_log_mel(samples.tolist(), SMALL), rtol=1e-9)


@pytest.mark.parametrize(("hz", "mel"), [(0.0, 0.0), (700.0, 781.17), (1000.0, 999.99)])
def test_mel_scale_has_the_known_values(hz, mel):
    assert hz_to_mel(hz) == pytest.approx(mel, abs=0.01)


def test_mel_to_hz_is_the_inverse():
    hz = np.linspace(0.0, 8000.0, 50)
    np.testing.assert_allclose(mel_to_hz(hz_to_mel(hz)), hz, atol=1e-9)


def test_every_default_band_covers_a_bin():
    assert mel_filterbank(MelSettings()).sum(axis=1).min() > 0.5


def test_full_scale_sine_on_a_bin_has_power_one():
    samples = np.sin(2 * np.pi * 8 / 64 * np.arange(640))
    (power,) = power_blocks(samples, Framing(64, 64, 64))
    np.testing.assert_allclose(power[:, 8], 1.0, rtol=1e-12)


def test_silence_is_zero_and_full_scale_is_near_19():
    settings = MelSettings()
    tone = np.sin(2 * np.pi * 1000.0 / 16_000 * np.arange(16_000))
    assert log_mel(mel_power(np.zeros(16_000), settings), settings).max() == 0.0
    assert log_mel(mel_power(tone, settings), settings).max() == pytest.approx(19.0, abs=1.0)


def test_frame_does_not_depend_on_the_rest_of_a_long_sound():
    samples = noise(3000 * SMALL.hop_samples)
    whole = mel_power(samples, SMALL)
    frame = 2500  # beyond the first block
    start = frame * SMALL.hop_samples
    alone = mel_power(samples[start : start + SMALL.window_samples], SMALL)
    np.testing.assert_allclose(whole[frame], alone[0], rtol=1e-9)
    assert len(whole) == 1 + (len(samples) - SMALL.window_samples) // SMALL.hop_samples


@pytest.mark.parametrize("length", [0, 1, 19, 20, 27, 28])
def test_short_sounds_have_at_least_one_frame(length):
    assert len(mel_power(noise(length), SMALL)) == (2 if length == 28 else 1)


@pytest.mark.parametrize("rate_hz", [8_000, 22_050, 44_100])
def test_resampling_keeps_a_tone(rate_hz):
    seconds = 0.5
    moments = np.arange(round(rate_hz * seconds)) / rate_hz
    audio = Audio(np.sin(2 * np.pi * 440.0 * moments).astype(np.float32), rate_hz)
    result = resampled(audio, 16_000)
    expected = np.sin(2 * np.pi * 440.0 * np.arange(len(result)) / 16_000)
    assert len(result) == 8_000
    np.testing.assert_allclose(result[1000:-1000], expected[1000:-1000], atol=2e-3)


def test_sound_at_the_right_rate_is_not_touched():
    samples = noise(100).astype(np.float32)
    np.testing.assert_array_equal(resampled(Audio(samples, 16_000), 16_000), samples)
