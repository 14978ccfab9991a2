"""What a notehead looks like: weights that give 1 for a perfect head and less for all else."""

from functools import lru_cache

import numpy as np

from models.features.staff_lines import BoolArray
from models.types import Float32Array, Float64Array

SPACE = 8  # pixels between staff lines, to which every staff is brought


@lru_cache(maxsize=1)
def head_templates() -> tuple[Float32Array, ...]:
    """Weights for full, half and whole heads: ink counts for, paper counts against.

    Each is (15, 25); the positive weights add up to 1, and so do the negative ones.
    """
    rows, columns = np.mgrid[-7:8, -12:13] / SPACE
    full = _ellipse(rows, columns, 0.68, 0.46, 20.0)
    around = ~_ellipse(rows, columns, 0.9, 0.66, 20.0) & (np.abs(rows) < 0.85)
    around &= np.abs(columns) < 1.0
    around &= np.abs(rows) > 0.2  # ledger lines
    around &= np.abs(np.abs(columns) - 0.62) > 0.2  # stems
    hollow = _ellipse(rows, columns, 0.42, 0.2, 35.0)
    outer = _ellipse(rows, columns, 0.7, 0.52, 20.0)
    ring = outer & ~_ellipse(rows, columns, 0.54, 0.28, 35.0)
    wide = _ellipse(rows, columns, 0.92, 0.54, 0.0)
    slot = _ellipse(rows, columns, 0.32, 0.36, -55.0)
    sides = wide & ~_ellipse(rows, columns, 0.46, 0.48, -55.0)
    wide_around = ~_ellipse(rows, columns, 1.12, 0.74, 0.0) & (np.abs(rows) > 0.2)
    wide_around &= (np.abs(rows) < 0.9) & (np.abs(columns) < 1.3)
    return (
        _weights(full, around),
        _weights(ring, hollow, around),
        _weights(sides, slot, wide_around),
    )


def _ellipse(
    rows: Float64Array, columns: Float64Array, half_width: float, half_height: float, degrees: float
) -> BoolArray:
    """Points inside an ellipse that rises to the right by ``degrees``; lengths in spaces."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    along, across = columns * cosine - rows * sine, columns * sine + rows * cosine
    inside: BoolArray = (along / half_width) ** 2 + (across / half_height) ** 2 <= 1.0
    return inside


def _weights(inked: BoolArray, *blank: BoolArray) -> Float32Array:
    weights = inked / inked.sum()
    for part in blank:
        weights = weights - part / (part.sum() * len(blank))
    return weights.astype(np.float32)
