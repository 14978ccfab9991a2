"""Statistics of a picture that do not depend on where things are."""

import numpy as np

from models.types import Float64Array

_PERCENTILES = (5.0, 25.0, 50.0, 75.0, 95.0)
_EDGE_THRESHOLDS = (0.02, 0.05, 0.1, 0.2)
_ENTROPY_LEVELS = 32
_TINY = 1e-12
TEXTURE_NUMBERS = 3 * (2 + len(_PERCENTILES)) + len(_EDGE_THRESHOLDS) + 3


def texture_statistics(colours: Float64Array) -> Float64Array:
    """Return what a picture is like as a whole, shape (28,).

    Mean, deviation and five percentiles of each opponent colour (21), the share of pixels whose
    brightness changes by more than 0.02, 0.05, 0.1 and 0.2 per pixel, the entropy of brightness in
    nats, the mean size of its Laplacian (grain), and the share of vertical change in all change.

    Args:
        colours: Output of `opponent_colours`, shape (size, size, 3), size >= 3.
    """
    values = colours.reshape(-1, 3)
    moments = [values.mean(axis=0), values.std(axis=0)]
    percentiles = np.percentile(values, _PERCENTILES, axis=0)
    luma = colours[..., 0]
    down, right = np.gradient(luma)
    density = (np.hypot(down, right)[..., None] > np.array(_EDGE_THRESHOLDS)).mean(axis=(0, 1))
    vertical, horizontal = np.abs(down).mean(), np.abs(right).mean()
    upright = (vertical + 1e-3) / (vertical + horizontal + 2e-3)
    numbers = [_entropy(luma), np.abs(_laplacian(luma)).mean(), upright]
    return np.concatenate([*moments, percentiles.ravel(), density, numbers])


def _entropy(luma: Float64Array) -> float:
    counts, _ = np.histogram(luma, bins=_ENTROPY_LEVELS, range=(0.0, 1.0))
    share = counts / luma.size
    return float(-(share * np.log(share + _TINY)).sum())


def _laplacian(luma: Float64Array) -> Float64Array:
    """Return four times each inner pixel less its four neighbours, shape (size - 2, size - 2)."""
    vertical = luma[:-2, 1:-1] + luma[2:, 1:-1]
    horizontal = luma[1:-1, :-2] + luma[1:-1, 2:]
    return 4.0 * luma[1:-1, 1:-1] - vertical - horizontal
