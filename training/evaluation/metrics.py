"""Ranking metrics of one query, as pure functions of scores and relevance.

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


def average_precision(scores: Float64Array, relevant: BoolArray) -> float:
    """AP = (1/R) sum over relevant items of the precision at their place, full ranking.

    Args:
        scores: Similarity of each gallery item, shape (G,), higher is nearer.
        relevant: Shape (G,), at least one True.

    Returns:
        In (0, 1].

    Raises:
        ShapeError: If nothing is relevant or shapes differ.

    Example:
        >>> average_precision(np.array([-0.1, -0.5, -0.2]), np.array([True, False, True]))
        1.0
    """
    _check(scores, relevant)
    order = np.argsort(-scores, kind="stable")
    ranked, hits = scores[order], relevant[order].cumsum()
    group_ends = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    hits_at_end = hits[group_ends]
    precision = hits_at_end / (group_ends + 1)
    return float(np.sum(np.diff(hits_at_end, prepend=0) * precision) / hits[-1])


def first_relevant_rank(scores: Float64Array, relevant: BoolArray) -> float:
    """Place of the first relevant item, from 1; within ties its mean place over all orders.

    Args:
        scores: Shape (G,), higher is nearer.
        relevant: Shape (G,), at least one True.

    Returns:
        In [1, G]. With t tied items of which r are relevant the mean place is (t + 1) / (r + 1).

    Raises:
        ShapeError: If nothing is relevant or shapes differ.

    Example:
        >>> first_relevant_rank(np.array([0.9, 0.2, 0.4]), np.array([False, False, True]))
        2.0
    """
    _check(scores, relevant)
    best = scores[relevant].max()
    tied = scores == best
    ahead = np.count_nonzero(scores > best)
    return float(ahead + (tied.sum() + 1) / (np.count_nonzero(tied & relevant) + 1))


def _check(scores: Float64Array, relevant: BoolArray) -> None:
    if scores.ndim != 1 or scores.shape != relevant.shape:
        raise ShapeError(
            f"expected scores and relevance (G,), got {scores.shape}, {relevant.shape}"
        )
    if not np.isfinite(scores).all():
        raise ShapeError("expected finite scores, got NaN or infinity")
    if not relevant.any():
        raise ShapeError("expected at least one relevant item, got none")
