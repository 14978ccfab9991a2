"""Precision against recall and against the number of answers looked at, mean over queries."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.errors import ShapeError
from models.types import Float32Array, Float64Array, Int64Array
from training.evaluation.metrics import Ranking
from training.evaluation.retrieval import (
    AnyLabels,
    RelevanceKeys,
    rank_blocks,
    similarity_blocks,
)

SCOPES = 40  # places of the precision-scope curve, before equal ones are dropped


@dataclass(frozen=True, slots=True, eq=False)
class PrecisionRecallCurve:
    """Interpolated precision at fixed levels of recall.

    Attributes:
        recall: Levels in [0, 1], shape (P,), rising.
        precision: Mean over queries, shape (P,), falling.
        chance: Precision of a random order before interpolation, mean of R / G.
    """

    recall: Float64Array
    precision: Float64Array
    chance: float


@dataclass(frozen=True, slots=True, eq=False)
class PrecisionScopeCurve:
    """Precision among the first k answers.

    Attributes:
        scope: k, shape (P,), rising, from 1 to G.
        precision: Mean over queries, shape (P,).
        chance: Precision of a random order at every k, mean of R / G.
    """

    scope: Int64Array
    precision: Float64Array
    chance: float


def precision_recall_curve(
    queries: Float32Array,
    gallery: Float32Array,
    query_keys: AnyLabels,
    gallery_keys: AnyLabels,
    *,
    n_points: int = 101,
) -> PrecisionRecallCurve:
    """Mean over queries of p(r) = max of the precision at any place whose recall is at least r.

    The interpolation of TREC (Manning, Raghavan, Schütze, "Introduction to Information Retrieval",
    2008, section 8.4); 11 points give its classic curve. A place is the end of a group of ties.

    Args:
        queries: Unit rows, shape (Q, K).
        gallery: Unit rows, shape (G, K).
        query_keys: Class or item id of each query, shape (Q,).
        gallery_keys: The same for the gallery, shape (G,).
        n_points: Evenly spaced levels of recall from 0 to 1, at least 2.

    Raises:
        ShapeError: If keys and rows differ in number, a query has nothing to find, or there are
            fewer than 2 points.
    """
    if n_points < 2:
        raise ShapeError(f"expected at least 2 levels of recall, got {n_points}")
    relevance = RelevanceKeys((len(queries), len(gallery)), query_keys, gallery_keys)
    total = np.zeros(n_points)
    for ranking in rank_blocks(similarity_blocks(queries, gallery), relevance):
        total += _interpolated_precision(ranking, n_points).sum(axis=0)
    return PrecisionRecallCurve(
        recall=np.linspace(0.0, 1.0, n_points),
        precision=total / len(queries),
        chance=_chance(relevance),
    )


def precision_scope_curve(
    queries: Float32Array,
    gallery: Float32Array,
    query_keys: AnyLabels,
    gallery_keys: AnyLabels,
    *,
    scope: Sequence[int] | None = None,
) -> PrecisionScopeCurve:
    """Mean over queries of ``metrics.precision_at``.

    Args:
        queries: Unit rows, shape (Q, K).
        gallery: Unit rows, shape (G, K).
        query_keys: Class or item id of each query, shape (Q,).
        gallery_keys: The same for the gallery, shape (G,).
        scope: Cut-offs k in [1, G], rising; by default ``scope_grid(G)``.

    Raises:
        ShapeError: If keys and rows differ in number, a query has nothing to find, or a cut-off
            is out of range.
    """
    relevance = RelevanceKeys((len(queries), len(gallery)), query_keys, gallery_keys)
    ks = scope_grid(len(gallery)).tolist() if scope is None else list(scope)
    total = np.zeros(len(ks))
    for ranking in rank_blocks(similarity_blocks(queries, gallery), relevance):
        total += ranking.precision_at(ks).sum(axis=0)
    return PrecisionScopeCurve(
        scope=np.array(ks, dtype=np.int64),
        precision=total / len(queries),
        chance=_chance(relevance),
    )


def scope_grid(n_gallery: int) -> Int64Array:
    """Places from 1 to G, evenly spaced on a logarithmic axis, at most ``SCOPES`` of them.

    Example:
        >>> scope_grid(6)
        array([1, 2, 3, 4, 5, 6])
    """
    return np.unique(np.geomspace(1, n_gallery, SCOPES).round().astype(np.int64))


def _interpolated_precision(ranking: Ranking, n_points: int) -> Float64Array:
    """p(r) of each query of a block, shape (B, P)."""
    reached = np.take_along_axis(ranking.hits, ranking.ends, axis=-1)  # (B, G), rising in a row
    best_from_here = np.maximum.accumulate(ranking.precision_at_ends()[:, ::-1], axis=-1)[:, ::-1]
    # recall >= i / (P - 1) in whole numbers: hits >= ceil(i R / (P - 1))
    levels = np.arange(n_points) * ranking.n_relevant[:, None]
    needed = -(-levels // (n_points - 1))  # (B, P)
    n_rows, n_gallery = reached.shape
    offsets = np.arange(n_rows)[:, None] * (n_gallery + 1)  # rows one after another, still rising
    found = np.searchsorted((reached + offsets).ravel(), (needed + offsets).ravel())
    places = found.reshape(needed.shape) - np.arange(n_rows)[:, None] * n_gallery
    return np.take_along_axis(best_from_here, places, axis=-1)


def _chance(relevance: RelevanceKeys) -> float:
    return float(np.mean(relevance.n_relevant)) / relevance.n_gallery
