"""Ranking metrics as pure functions of scores and relevance, one value per query.

Only the order of the scores matters: adding a constant or scaling by a positive factor changes
nothing, and negative scores are as good as positive ones. Tied items share their place: precision
is taken at the end of a group of ties (as in scikit-learn), and the first relevant item of a group
stands where it stands on average over all orders of the group. So a space that gives every item
the same score is measured as chance, whatever order the gallery is in.
"""

import numpy as np
from numpy.typing import NDArray

from models.errors import ShapeError
from models.types import Float64Array

BoolArray = NDArray[np.bool_]


def average_precision(scores: Float64Array, relevant: BoolArray) -> Float64Array:
    """AP = (1/R) sum over relevant items of the precision at their place, full ranking.

    Args:
        scores: Similarity of each gallery item, shape (..., G), higher is nearer.
        relevant: Shape (..., G), at least one True in each row.

    Returns:
        In (0, 1], shape (...): one value per row.

    Raises:
        ShapeError: If nothing is relevant or shapes differ.

    Example:
        >>> float(average_precision(np.array([-0.1, -0.5, -0.2]), np.array([True, False, True])))
        1.0
    """
    _check(scores, relevant)
    order = np.argsort(-scores, axis=-1, kind="stable")
    ranked = np.take_along_axis(scores, order, axis=-1)
    hit = np.take_along_axis(relevant, order, axis=-1)
    places = np.broadcast_to(np.arange(scores.shape[-1]), scores.shape)
    last = np.ones(scores.shape, dtype=np.bool_)  # is this the end of a group of ties?
    last[..., :-1] = ranked[..., 1:] != ranked[..., :-1]
    ends = np.where(last, places, scores.shape[-1])[..., ::-1]
    ends = np.minimum.accumulate(ends, axis=-1)[..., ::-1]  # place of the end of each one's group
    precision = np.take_along_axis(hit.cumsum(axis=-1), ends, axis=-1) / (ends + 1)
    return np.sum(precision * hit, axis=-1) / hit.sum(axis=-1)


def first_relevant_rank(scores: Float64Array, relevant: BoolArray) -> Float64Array:
    """Place of the first relevant item, from 1; within ties its mean place over all orders.

    Args:
        scores: Shape (..., G), higher is nearer.
        relevant: Shape (..., G), at least one True in each row.

    Returns:
        In [1, G], shape (...). With t tied items of which r are relevant the mean place is
        (t + 1) / (r + 1).

    Raises:
        ShapeError: If nothing is relevant or shapes differ.

    Example:
        >>> float(first_relevant_rank(np.array([0.9, 0.2, 0.4]), np.array([False, False, True])))
        2.0
    """
    _check(scores, relevant)
    best = np.where(relevant, scores, -np.inf).max(axis=-1, keepdims=True)
    tied = scores == best
    ahead = np.count_nonzero(scores > best, axis=-1)
    relevant_tied = np.count_nonzero(tied & relevant, axis=-1)
    return ahead + (np.count_nonzero(tied, axis=-1) + 1) / (relevant_tied + 1)


def _check(scores: Float64Array, relevant: BoolArray) -> None:
    if scores.ndim == 0 or scores.shape != relevant.shape:
        raise ShapeError(
            f"expected scores and relevance (..., G), got {scores.shape}, {relevant.shape}"
        )
    if not np.isfinite(scores).all():
        raise ShapeError("expected finite scores, got NaN or infinity")
    if not relevant.any(axis=-1).all():
        raise ShapeError("expected at least one relevant item, got none")
