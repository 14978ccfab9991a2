"""How fast a curve goes up and down: the same description for loudness, motion and brightness."""

from functools import lru_cache

import numpy as np
from scipy import sparse

from models.types import Float64Array

_SEGMENT_SECONDS = 8.0
_OVERSAMPLING = 4  # zero padding, so that bins lie closer together than the slowest rates
_TINY = 1e-12


def modulation_rates(n_rates: int, *, min_hz: float, max_hz: float) -> Float64Array:
    """Return rates spaced equally in octaves, shape (n_rates,), in Hz."""
    return min_hz * (max_hz / min_hz) ** (np.arange(n_rates) / (n_rates - 1))


def modulation_power(signals: Float64Array, rate_hz: float, rates: Float64Array) -> Float64Array:
    """Return the power of each signal around each rate, shape (S, R).

    Welch's method over Hann windows of 8 s that overlap by half (a shorter signal is one window);
    each bin's power goes to its two neighbours on the rate axis. Rates above half the sampling rate
    get 0.

    Args:
        signals: S curves over time, shape (S, T), T >= 1.
        rate_hz: Samples of the curves per second.
        rates: Rates in Hz, ascending and equally spaced in octaves, shape (R,).
    """
    segment = max(2, round(_SEGMENT_SECONDS * rate_hz))
    length = min(segment, signals.shape[1])
    windows = np.lib.stride_tricks.sliding_window_view(signals, length, axis=1)
    windows = windows[:, :: max(1, length // 2)]  # (S, W, length)
    centred = windows - windows.mean(axis=2, keepdims=True)
    taper = 0.5 - 0.5 * np.cos(2.0 * np.pi * (np.arange(length) + 0.5) / length)
    size = _OVERSAMPLING * segment
    spectrum = np.fft.rfft(centred * taper, n=size, axis=2)
    power = (spectrum.real**2 + spectrum.imag**2).mean(axis=1) / (taper**2).sum()  # (S, bins)
    bank = _rate_bank(size, rate_hz, tuple(rates.tolist()))
    return np.ascontiguousarray((bank @ power.T).T)


def periodicity(signal: Float64Array, rate_hz: float, rates: Float64Array) -> Float64Array:
    """Return how well a curve repeats at the period of each rate, shape (R,), in [-1, 1].

    The highest autocorrelation among the lags that lie nearer to this rate than to the next ones,
    so that a sharp pulse is not missed between two rates. Unlike the spectrum, it is high at the
    rate of a repeated click and not at its harmonics. Periods that are longer than the signal, or
    shorter than two samples, get 0.

    Args:
        signal: A curve over time, shape (T,), T >= 1.
        rate_hz: Samples of the curve per second.
        rates: Rates in Hz, ascending and equally spaced in octaves, shape (R,), R >= 2.
    """
    centred = signal - signal.mean()
    size = 2 * len(centred)
    spectrum = np.fft.rfft(centred, n=size)
    correlation = np.fft.irfft(spectrum.real**2 + spectrum.imag**2, n=size)[: len(centred)]
    correlation = correlation / (correlation[0] + _TINY)
    lags = rate_hz / rates
    half_step = np.sqrt(rates[1] / rates[0])
    values = np.interp(lags, np.arange(len(centred)), correlation)
    for k in np.flatnonzero((lags >= 2.0) & (lags <= len(centred) - 1)):
        near = correlation[int(np.ceil(lags[k] / half_step)) : int(lags[k] * half_step) + 1]
        values[k] = max(values[k], near.max(initial=-1.0))
    return np.where((lags >= 2.0) & (lags <= len(centred) - 1), values, 0.0)


@lru_cache(maxsize=16)
def _rate_bank(size: int, rate_hz: float, rates: tuple[float, ...]) -> sparse.csr_array:
    """Return triangles on a logarithmic frequency axis, shape (R, size // 2 + 1)."""
    hz = np.arange(size // 2 + 1) * (rate_hz / size)
    step = np.log(rates[1] / rates[0])
    position = np.log(np.maximum(hz, _TINY) / rates[0]) / step
    return sparse.csr_array(
        np.maximum(0.0, 1.0 - np.abs(position - np.arange(len(rates))[:, None]))
    )
