"""Rows on the unit sphere."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.types import Float32Array


def unit_rows(rows: NDArray[Any]) -> Float32Array:
    """Rows (N, K) divided by their norms; a row of zeros stays one."""
    norms = np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
    return (rows / np.where(norms > 0.0, norms, 1.0)).astype(np.float32)
