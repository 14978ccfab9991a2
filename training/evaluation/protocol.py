"""The protocols by name, and the only reader of the test split.

``class``: relevant are the rows of the query's class in the other view (the MAP of this family).
``instance``: relevant is the query's true partner, the row of the other view with the same id;
every row of the other view is in the gallery. Queries and gallery are of different views, so the
query itself is never in the gallery, and each row is embedded alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import permutations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.errors import DataError
from models.spaces import SharedSpace
from models.types import Float32Array
from training.datasets.feature_data import FeatureData, FeatureView
from training.evaluation.retrieval import (
    AnyLabels,
    RetrievalScores,
    chance_retrieval,
    score_retrieval,
)

CLASS = "class"
INSTANCE = "instance"
Projector = Callable[[str, Float32Array], Float32Array]


@dataclass(frozen=True, slots=True, eq=False)
class Direction:
    """Figures of one query view and one target view under one protocol.

    Attributes:
        protocol: ``class`` or ``instance``.
        query: View of the queries.
        target: View of the gallery.
        scores: What the space reaches.
        chance: What a random order reaches.
    """

    protocol: str
    query: str
    target: str
    scores: RetrievalScores
    chance: RetrievalScores


class _Task(NamedTuple):
    """Queries with something to find, and the keys that say what is relevant."""

    protocol: str
    query_keys: AnyLabels  # (Q,)
    target_keys: AnyLabels  # (G,)
    rows: NDArray[np.bool_]  # (N,), which rows of the view are queries


def pooled_rows(view: FeatureView) -> Float32Array:
    """Rows (N, D): sequences (N, T, D) are averaged over time."""
    features = view.features
    return features.mean(axis=1, dtype=np.float32) if features.ndim == 3 else features


def measure(
    project: Projector, views: Mapping[str, FeatureView], *, chance: bool = True
) -> list[Direction]:
    """Measure every direction between views under every protocol that the rows admit.

    Args:
        project: Maps the name of a view and features (N, D) to unit rows (N, K).
        views: Rows of one split.
        chance: Also compute the figures of a random order (otherwise they repeat the scores).

    Returns:
        Directions in the order of the views; empty when no protocol applies.
    """
    embedded = {name: project(name, pooled_rows(view)) for name, view in views.items()}
    directions = []
    for query, target in permutations(views, 2):
        for task in _tasks(views[query], views[target]):
            keys = (task.query_keys, task.target_keys)
            scores = score_retrieval(embedded[query][task.rows], embedded[target], *keys)
            random = chance_retrieval(*keys) if chance else scores
            directions.append(Direction(task.protocol, query, target, scores, random))
    return directions


def evaluate(space: SharedSpace, data: FeatureData, *, split: str = "test") -> list[Direction]:
    """Measure a trained space on one split, by default the test split.

    Raises:
        DataError: If the file lacks a view of the space, D differs, or the split has no rows that
            can be compared.
    """
    views = {}
    for name, view in space.views.items():
        if name not in data.views:
            raise DataError(f"expected a view {name} in the data, found {sorted(data.views)}")
        views[name] = data.views[name].only(split)
        found = pooled_rows(data.views[name]).shape[1]
        if found != view.dimension:
            raise DataError(f"expected {name} features of D = {view.dimension}, found {found}")
        if not len(views[name]):
            raise DataError(f"expected {split} rows in view {name}, found none")
    directions = measure(space.project, views)
    if not directions:
        raise DataError(f"expected labels or true pairs in the {split} split, found neither")
    return directions


def _tasks(query: FeatureView, target: FeatureView) -> list[_Task]:
    """The protocols that the rows of two views admit."""
    tasks: list[_Task] = []
    if query.labels is not None and target.labels is not None:
        every = np.isin(query.labels, target.labels)  # a class the gallery lacks cannot be found
        if every.any():
            tasks.append(_Task(CLASS, query.labels[every], target.labels, every))
    with_partner = np.isin(query.ids, target.ids)
    if with_partner.any():
        tasks.append(_Task(INSTANCE, query.ids[with_partner], target.ids, with_partner))
    return tasks
