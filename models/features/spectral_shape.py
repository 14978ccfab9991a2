"""Curves that say in one number per frame how a log-mel spectrum looks."""

import numpy as np

from models.types import Float64Array

_TINY = 1e-12
_ROLLOFF_SHARE = 0.85
_LEVEL_FLOOR = 1e-8
N_CURVES = 5


def spectral_curves(power: Float64Array, log_power: Float64Array) -> Float64Array:
    """Return centre, width, roll-off, flatness and dominant band over time, shape (T, 5).

    Bands are counted from 0 to 1 over the mel axis. A silent frame has centre, width, roll-off and
    dominant band 0 and flatness 1.

    Args:
        power: Mel band powers, shape (T, n_bands).
        log_power: Their logarithms over the floor, shape (T, n_bands), >= 0.
    """
    n_bands = power.shape[1]
    position = np.arange(n_bands) / (n_bands - 1)
    weight = log_power / (log_power.sum(axis=1, keepdims=True) + _TINY)
    centre = (weight * position).sum(axis=1)
    width = np.sqrt((weight * (position - centre[:, None]) ** 2).sum(axis=1))
    below = np.cumsum(weight, axis=1) < _ROLLOFF_SHARE * weight.sum(axis=1, keepdims=True)
    rolloff = below.sum(axis=1) / n_bands
    flatness = np.exp(log_power.mean(axis=1)) / np.exp(log_power).mean(axis=1)
    dominant = position[power.argmax(axis=1)]
    return np.stack([centre, width, rolloff, flatness, dominant], axis=1)


def frame_level(power: Float64Array) -> Float64Array:
    """Return the logarithm of the power of each frame over the floor, shape (T,), >= 0."""
    return np.log1p(power.sum(axis=1) / _LEVEL_FLOOR)


def onset_strength(log_power: Float64Array, *, n_groups: int) -> Float64Array:
    """Return how much every group of bands rises from frame to frame, shape (n_groups, T), >= 0.

    The first frame counts as no onset.

    Args:
        log_power: Logarithmic band powers, shape (T, n_bands).
        n_groups: Neighbouring bands are averaged in this many groups; a divisor of n_bands.
    """
    rises = np.maximum(0.0, np.diff(log_power, axis=0, prepend=log_power[:1]))  # (T, n_bands)
    grouped = rises.reshape(len(rises), n_groups, -1).mean(axis=2)
    return np.ascontiguousarray(grouped.T)
