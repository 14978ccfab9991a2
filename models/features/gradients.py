"""Histograms of gradient orientation on a grid of cells, for one picture or many frames."""

import numpy as np

from models.types import Float64Array

_TINY = 1e-12


def orientation_histograms(planes: Float64Array, *, cells: int, orientations: int) -> Float64Array:
    """Return the gradient strength per cell and direction, shape (T, cells, cells, orientations).

    Directions cover the full circle, so dark-to-light and light-to-dark edges differ. A gradient
    is shared between the two nearest directions and, by bilinear weights, the four nearest cells.

    Args:
        planes: T pictures of one channel, shape (T, size, size), size a multiple of ``cells``.
        cells: Cells along each side.
        orientations: Number of directions.
    """
    down, right = np.gradient(planes, axis=(1, 2))
    strength = np.hypot(down, right)
    angle = np.arctan2(down, right) * (orientations / (2.0 * np.pi))  # in steps of a direction
    lower = np.floor(angle)
    share = angle - lower
    first = lower.astype(np.int64) % orientations
    votes = np.zeros((*planes.shape, orientations))
    np.put_along_axis(votes, first[..., None], (strength * (1.0 - share))[..., None], axis=-1)
    second = (first + 1) % orientations
    np.put_along_axis(votes, second[..., None], (strength * share)[..., None], axis=-1)
    return _pool(_pool(votes, cells, axis=1), cells, axis=2)


def block_normalised(histograms: Float64Array, *, floor: float, clip: float = 0.3) -> Float64Array:
    """Divide every cell by the strength around it, so that contrast does not matter.

    The norm is taken over a 3 x 3 neighbourhood of cells; values are clipped and the result is the
    square root, which makes a linear model compare distributions rather than peaks.

    Args:
        histograms: Shape (T, cells, cells, orientations), >= 0.
        floor: Added to the norm; gradients far below it stay near 0 instead of becoming noise.
        clip: Largest share of one direction.
    """
    energy = np.pad((histograms**2).sum(axis=3), ((0, 0), (1, 1), (1, 1)))
    rows = energy[:, :-2] + energy[:, 1:-1] + energy[:, 2:]
    around = rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:]
    norm = np.sqrt(around) + floor
    return np.sqrt(np.minimum(histograms / norm[..., None], clip))


def _pool(votes: Float64Array, cells: int, *, axis: int) -> Float64Array:
    """Sum along one axis with triangular weights, centred on the cells, one cell wide each way."""
    size = votes.shape[axis]
    position = (np.arange(size) + 0.5) * (cells / size) - 0.5
    weights = np.maximum(0.0, 1.0 - np.abs(position - np.arange(cells)[:, None]))  # (cells, size)
    moved = np.moveaxis(votes, axis, 0)
    pooled = np.einsum("cs,s...->c...", weights, moved)
    return np.moveaxis(pooled, 0, axis)
