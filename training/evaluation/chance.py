"""What a random order of the gallery scores, in closed form: stands beside every figure."""

import numpy as np

from models.errors import ShapeError
from models.types import Float64Array


def chance_average_precision(n_gallery: int, n_relevant: int) -> float:
    """E[AP] of a random order: H/G + (R - 1)/(G - 1) (1 - H/G), H the G-th harmonic number.

    From E[rel_k hits_k] = R/G + (k - 1) R (R - 1) / (G (G - 1)), summed over k and divided by R.

    Args:
        n_gallery: G >= 1.
        n_relevant: R in [1, G].

    Example:
        >>> round(chance_average_precision(2, 1), 4)
        0.75
    """
    _check(n_gallery, n_relevant)
    if n_gallery == 1:
        return 1.0
    mean_inverse_rank = float(np.mean(1.0 / np.arange(1, n_gallery + 1)))
    return mean_inverse_rank + (n_relevant - 1) / (n_gallery - 1) * (1.0 - mean_inverse_rank)


def chance_first_rank(n_gallery: int, n_relevant: int) -> Float64Array:
    """P(the first relevant item stands at place k) in a random order, k = 1..G, shape (G,)."""
    _check(n_gallery, n_relevant)
    k = np.arange(n_gallery)
    stays_empty = np.clip((n_gallery - n_relevant - k) / (n_gallery - k), 0.0, 1.0)
    none_before = np.concatenate([[1.0], np.cumprod(stays_empty)[:-1]])
    return none_before * (1.0 - stays_empty)


def _check(n_gallery: int, n_relevant: int) -> None:
    if not 1 <= n_relevant <= n_gallery:
        raise ShapeError(f"expected 1 <= relevant <= gallery, got {n_relevant} of {n_gallery}")
