"""Precision and recall curves of every method and direction, over folds."""

from dataclasses import dataclass

import numpy as np

from models.types import Float64Array, Int64Array
from training.evaluation.comparison import Comparison, FoldResult
from training.evaluation.comparison_report.summary import (
    Pair,
    direction_pairs,
    find_direction,
    ranking,
)
from training.evaluation.comparison_report.threads import one_thread
from training.evaluation.precision_curves import (
    precision_recall_curve,
    precision_scope_curve,
    scope_grid,
)
from training.evaluation.protocol import CLASS, INSTANCE, retrieval_tasks

MOST_QUERIES = 1000  # of a fold and direction; every one of them ranks the whole gallery
N_LEVELS = 21
_STEPS = (1, 2, 3, 5, 7)


@dataclass(frozen=True, slots=True, eq=False)
class MethodCurve:
    """A curve of one method in one direction.

    Attributes:
        method: Name.
        pair: Query and target view.
        x: Recall, or the number of answers k, shape (P,).
        values: Precision, or recall, in each fold, shape (F, P).
        chance: The same of a random order in each fold, shape (F, P).
    """

    method: str
    pair: Pair
    x: Float64Array
    values: Float64Array
    chance: Float64Array


@dataclass(frozen=True, slots=True, eq=False)
class ClassCurves:
    """Curves under the protocol ``class``, methods best first.

    Attributes:
        recall: Interpolated precision against recall.
        scope: Precision against the number of answers k.
    """

    recall: list[MethodCurve]
    scope: list[MethodCurve]


def class_curves(comparison: Comparison) -> ClassCurves:
    """Precision against recall and scope; empty where the protocol ``class`` does not apply."""
    recall, scope = [], []
    pairs = direction_pairs(comparison, CLASS)
    for one in ranking(comparison, CLASS) if pairs else []:
        results = comparison.of(one.method)
        for pair in pairs:
            sizes = [find_direction(r, CLASS, pair).scores.n_gallery for r in results]
            found = [_fold_curves(r, pair, scopes(min(sizes)), comparison.seed) for r in results]
            recall.append(_method_curve(one.method, pair, [curves[0] for curves in found]))
            scope.append(_method_curve(one.method, pair, [curves[1] for curves in found]))
    return ClassCurves(recall, scope)


def partner_curves(comparison: Comparison) -> list[MethodCurve]:
    """Share of queries whose true partner is among the first k, against k; methods best first."""
    curves = []
    pairs = direction_pairs(comparison, INSTANCE)
    for one in ranking(comparison, INSTANCE) if pairs else []:
        for pair in pairs:
            scores = [find_direction(r, INSTANCE, pair).scores for r in comparison.of(one.method)]
            k = scope_grid(min(s.n_gallery for s in scores))
            values = [np.searchsorted(np.sort(s.ranks), k, side="right") for s in scores]
            found = [
                (k.astype(np.float64), value / s.n_queries, k / s.n_gallery)
                for value, s in zip(values, scores, strict=True)
            ]
            curves.append(_method_curve(one.method, pair, found))
    return curves


def scopes(n_gallery: int) -> Int64Array:
    """Numbers of answers k up to G: 1, 2, 3, 5, 7, 10, 20, ...

    Example:
        >>> scopes(12)
        array([ 1,  2,  3,  5,  7, 10])
    """
    decades = range(len(str(n_gallery)))
    grid = [step * 10**decade for decade in decades for step in _STEPS]
    return np.array([k for k in grid if k <= n_gallery], dtype=np.int64)


_Curve = tuple[Float64Array, Float64Array, Float64Array]  # x, values, chance


def _fold_curves(
    result: FoldResult, pair: Pair, scope: Int64Array, seed: int
) -> tuple[_Curve, _Curve]:
    """Precision against recall, and against scope, of at most ``MOST_QUERIES`` queries."""
    query, target = (result.embedded[name] for name in pair)
    (task,) = retrieval_tasks(query, target, (CLASS,))
    rows = np.arange(len(task.query_keys))
    if len(rows) > MOST_QUERIES:
        rows = np.random.default_rng(seed).choice(rows, MOST_QUERIES, replace=False)
    queries = query.embedding[task.queries][rows]
    gallery = target.embedding[task.gallery]
    keys = (task.query_keys[rows], task.gallery_keys)
    with one_thread():
        recall = precision_recall_curve(queries, gallery, *keys, n_points=N_LEVELS)
        first = precision_scope_curve(queries, gallery, *keys, scope=scope.tolist())
    return (
        (recall.recall, recall.precision, np.full(N_LEVELS, recall.chance)),
        (scope.astype(np.float64), first.precision, np.full(len(scope), first.chance)),
    )


def _method_curve(method: str, pair: Pair, folds: list[_Curve]) -> MethodCurve:
    return MethodCurve(
        method,
        pair,
        folds[0][0],
        np.stack([values for _, values, _ in folds]),
        np.stack([chance for _, _, chance in folds]),
    )
