"""Course of a sound in time: the word in it, its beat, and when it is loud."""

import numpy as np
from scipy import fft

from models.features.modulation import modulation_power, modulation_rates, periodicity
from models.features.segments import active_range, segment_means
from models.types import Float64Array

WORD_SEGMENTS, WORD_CEPSTRA = 10, 20
_ACTIVE_DROP = 6.9  # natural logarithm of power: 30 dB
_RATES = modulation_rates(24, min_hz=0.5, max_hz=20.0)
_COARSE_RATES = modulation_rates(12, min_hz=0.5, max_hz=20.0)
_TEMPO_RATES = modulation_rates(96, min_hz=0.5, max_hz=16.0)
_MODERATE_HZ, _TEMPO_PENALTY = 2.5, 0.02  # the penalty is per octave of distance
_PARTS = 16
_TINY = 1e-6


def word_shape(log_power: Float64Array, level: Float64Array) -> Float64Array:
    """Return cepstra of 10 parts of the loud stretch of a sound, shape (10 * 20 + 1,).

    The stretch runs from the first to the last frame within 30 dB of the loudest, so silence around
    a word does not shift its parts; the level of the stretch is taken out, its course stays. The
    last number is the logarithm of its length in frames.

    Args:
        log_power: Log-mel spectrogram, shape (T, n_bands).
        level: Logarithm of the power of each frame, shape (T,).
    """
    start, end = active_range(level, drop=_ACTIVE_DROP)
    parts = segment_means(log_power[start:end], WORD_SEGMENTS)  # (10, n_bands)
    cepstra = fft.dct(parts, norm="ortho", axis=1)[:, :WORD_CEPSTRA]
    cepstra[:, 0] -= cepstra[:, 0].mean()
    return np.append(cepstra.ravel(), np.log(end - start))


def beat(onsets: Float64Array, frame_rate_hz: float) -> Float64Array:
    """Return at which rates (0.5 to 20 Hz) a sound pulses, shape (24 + 12 G + 24 + G + 1,).

    Shares of 24 rates in the spectrum of all onsets, of 12 rates in that of each of G groups of
    bands, periodicity at 24 rates, and the logarithms of the powers.

    Args:
        onsets: Onset strength of G groups of bands, shape (G, T).
        frame_rate_hz: Frames per second.
    """
    total = onsets.mean(axis=0)
    spectrum = modulation_power(total[None], frame_rate_hz, _RATES)
    groups = modulation_power(onsets, frame_rate_hz, _COARSE_RATES)
    powers = np.concatenate([spectrum.sum(axis=1), groups.sum(axis=1)])
    return np.concatenate(
        [
            _shares(spectrum).ravel(),
            _shares(groups).ravel(),
            periodicity(total, frame_rate_hz, _RATES),
            np.log(powers + _TINY),
        ]
    )


def tempo(onsets: Float64Array, frame_rate_hz: float) -> Float64Array:
    """Return the rate of the beat and how clear it is, shape (4,).

    The rate (0.5 to 16 Hz) at which the onsets repeat best, moderate rates being preferred, as a
    natural logarithm; the autocorrelation there; centre and width of the onset spectrum.

    Args:
        onsets: Strength of onset over time, shape (T,).
        frame_rate_hz: Frames per second.
    """
    repeats = periodicity(onsets, frame_rate_hz, _TEMPO_RATES)
    preferred = repeats - _TEMPO_PENALTY * np.abs(np.log2(_TEMPO_RATES / _MODERATE_HZ))
    best = preferred.argmax()
    power = modulation_power(onsets[None], frame_rate_hz, _RATES)[0]
    share, octaves = power / (power.sum() + _TINY), np.log(_RATES)
    centre = (share * octaves).sum()
    width = np.sqrt((share * (octaves - centre) ** 2).sum())
    return np.array([np.log(_TEMPO_RATES[best]), repeats[best], centre, width])


def time_course(level: Float64Array, onsets: Float64Array) -> Float64Array:
    """Return level (around its mean) and share of onsets in 16 parts of the sound, shape (32,)."""
    loudness = segment_means(level[:, None], _PARTS)[:, 0]
    starts = segment_means(onsets[:, None], _PARTS)[:, 0]
    return np.concatenate([loudness - loudness.mean(), _shares(starts)])


def _shares(power: Float64Array) -> Float64Array:
    """Return the square roots of the shares in the total along the last axis."""
    return np.sqrt(power / (power.sum(axis=-1, keepdims=True) + _TINY))
