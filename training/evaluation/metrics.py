"""Ranking metrics as pure functions of scores and relevance, one value per query.

Only the order of the scores matters: no strictly rising transform of them changes a figure, and
negative scores are as good as positive ones. Tied items share their place: average precision takes
precision at the end of a group of ties (as in scikit-learn); first rank, NDCG and precision at k
are means over all orders of the group. So a space that gives every item the same score is measured
as chance, whatever order the gallery is in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import ShapeError
from models.types import Float64Array, Int64Array

BoolArray = NDArray[np.bool_]
Scores = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """A gallery in the order of falling scores, sorted once for every metric.

    Attributes:
        relevant: Relevance at each place, shape (..., G); any order within a group of ties.
        hits: Relevant items among the first 0, 1, ..., G, shape (..., G + 1).
        starts: Items before the group of ties of each place, shape (..., G).
        ends: Items up to the end of that group, shape (..., G).
    """

    relevant: BoolArray
    hits: Int64Array
    starts: Int64Array
    ends: Int64Array

    @property
    def n_relevant(self) -> Int64Array:
        """R of each query, shape (...)."""
        return self.hits[..., -1]

    def precision_at_ends(self) -> Float64Array:
        """Precision at the end of the group of ties of each place, shape (..., G)."""
        return np.take_along_axis(self.hits, self.ends, axis=-1) / self.ends

    def expected_relevance(self, k: int) -> Float64Array:
        """Chance that the item at each of the first k places is relevant, shape (..., k).

        It is 0 or 1, and within a group of ties the share of relevant items of the group.
        """
        starts, ends = self.starts[..., :k], self.ends[..., :k]
        found = np.take_along_axis(self.hits, ends, axis=-1)
        found -= np.take_along_axis(self.hits, starts, axis=-1)
        return found / (ends - starts)

    def average_precision(self) -> Float64Array:
        """See the function ``average_precision``."""
        return np.sum(self.precision_at_ends() * self.relevant, axis=-1) / self.n_relevant

    def first_relevant_rank(self) -> Float64Array:
        """See the function ``first_relevant_rank``."""
        place = self.relevant.argmax(axis=-1)[..., None]
        start = np.take_along_axis(self.starts, place, axis=-1)
        end = np.take_along_axis(self.ends, place, axis=-1)
        relevant_tied = np.take_along_axis(self.hits, end, axis=-1)
        return (start + (end - start + 1) / (relevant_tied + 1))[..., 0]

    def ndcg_at(self, k: int) -> Float64Array:
        """See the function ``ndcg_at``."""
        if k < 1:
            raise ShapeError(f"expected k >= 1, got {k}")
        gains = self.expected_relevance(k)
        discounts = rank_discounts(gains.shape[-1])
        ideal = discounts.cumsum()[np.minimum(self.n_relevant, len(discounts)) - 1]
        return gains @ discounts / ideal

    def precision_at(self, ks: Sequence[int]) -> Float64Array:
        """See the function ``precision_at``."""
        n_gallery = self.relevant.shape[-1]
        if not ks or min(ks) < 1 or max(ks) > n_gallery:
            raise ShapeError(f"expected cut-offs from 1 to {n_gallery}, got {list(ks)}")
        places = np.asarray(ks)
        return self.expected_relevance(max(ks)).cumsum(axis=-1)[..., places - 1] / places


def rank(scores: Scores, relevant: BoolArray) -> Ranking:
    """Sort the gallery of each query by falling score.

    Args:
        scores: Similarity of each gallery item, shape (..., G), higher is nearer.
        relevant: Shape (..., G), at least one True in each row.

    Raises:
        ShapeError: If nothing is relevant, shapes differ or a score is not finite.
    """
    _check(scores, relevant)
    order = np.argsort(-scores, axis=-1)  # need not be stable: ties are settled by their groups
    ranked = np.take_along_axis(scores, order, axis=-1)
    hit = np.take_along_axis(relevant, order, axis=-1)
    n_gallery = scores.shape[-1]
    places = np.arange(n_gallery)
    first = np.ones(scores.shape, dtype=np.bool_)  # does a group of ties begin here?
    np.not_equal(ranked[..., 1:], ranked[..., :-1], out=first[..., 1:])
    last = np.ones(scores.shape, dtype=np.bool_)
    last[..., :-1] = first[..., 1:]
    starts = np.maximum.accumulate(np.where(first, places, 0), axis=-1)
    ends = np.where(last, places + 1, n_gallery)[..., ::-1]
    ends = np.minimum.accumulate(ends, axis=-1)[..., ::-1]
    hits = np.zeros((*scores.shape[:-1], n_gallery + 1), dtype=np.int64)
    hit.cumsum(axis=-1, out=hits[..., 1:])
    return Ranking(hit, hits, starts, ends)


def average_precision(scores: Scores, relevant: BoolArray) -> Float64Array:
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
    return rank(scores, relevant).average_precision()


def first_relevant_rank(scores: Scores, relevant: BoolArray) -> Float64Array:
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
    return rank(scores, relevant).first_relevant_rank()


def ndcg_at(scores: Scores, relevant: BoolArray, k: int) -> Float64Array:
    """NDCG@k = DCG@k / ideal DCG@k, DCG@k = sum over places i <= k of rel_i / log2(i + 1).

    Relevance is 0 or 1; within ties DCG is the mean over all orders (as in scikit-learn). Järvelin
    and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", ACM TOIS 2002.

    Args:
        scores: Shape (..., G), higher is nearer.
        relevant: Shape (..., G), at least one True in each row.
        k: Places looked at, >= 1; more than G are G.

    Returns:
        In [0, 1], shape (...).

    Raises:
        ShapeError: If nothing is relevant, shapes differ or k < 1.

    Example:
        >>> float(ndcg_at(np.array([0.9, 0.2, 0.4]), np.array([False, False, True]), 3).round(4))
        0.6309
    """
    return rank(scores, relevant).ndcg_at(k)


def precision_at(scores: Scores, relevant: BoolArray, ks: Sequence[int]) -> Float64Array:
    """Share of relevant items among the first k; within ties the mean over all orders.

    Args:
        scores: Shape (..., G), higher is nearer.
        relevant: Shape (..., G), at least one True in each row.
        ks: Cut-offs in [1, G].

    Returns:
        In [0, 1], shape (..., len(ks)).

    Raises:
        ShapeError: If nothing is relevant, shapes differ or a cut-off is out of range.

    Example:
        >>> precision_at(np.array([0.9, 0.2, 0.4]), np.array([True, False, True]), (1, 3)).round(4)
        array([1.    , 0.6667])
    """
    return rank(scores, relevant).precision_at(ks)


def rank_discounts(k: int) -> Float64Array:
    """1 / log2(i + 1) for the places i = 1..k, shape (k,)."""
    return 1.0 / np.log2(np.arange(2, k + 2))


def _check(scores: Scores, relevant: BoolArray) -> None:
    if scores.ndim == 0 or scores.shape != relevant.shape:
        raise ShapeError(
            f"expected scores and relevance (..., G), got {scores.shape}, {relevant.shape}"
        )
    if not np.isfinite(scores).all():
        raise ShapeError("expected finite scores, got NaN or infinity")
    if not relevant.any(axis=-1).all():
        raise ShapeError("expected at least one relevant item, got none")
