"""Curves over time as a few numbers each."""

import numpy as np

from models.types import Float64Array

_PERCENTILES = (10.0, 50.0, 90.0)
NUMBERS_PER_CURVE = 3 + len(_PERCENTILES)


def mean_std_delta(rows: Float64Array) -> Float64Array:
    """Return mean, standard deviation and mean absolute step of every column, shape (3, D)."""
    if len(rows) == 1:
        return np.concatenate([rows, np.zeros((2, rows.shape[1]))])
    steps = np.abs(np.diff(rows, axis=0)).mean(axis=0)
    return np.stack([rows.mean(axis=0), rows.std(axis=0), steps])


def curve_summary(rows: Float64Array) -> Float64Array:
    """Return mean, deviation, mean step and the 10th, 50th and 90th percentile, shape (6, D).

    Args:
        rows: D curves over time, shape (T, D), T >= 1.
    """
    return np.concatenate([mean_std_delta(rows), np.percentile(rows, _PERCENTILES, axis=0)])
