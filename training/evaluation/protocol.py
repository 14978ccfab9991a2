"""The protocols by name, and the only reader of the test split.

``class``: relevant are the rows of the query's class in the other view (the MAP of this family).
``class-averaged``: the same ranking, averaged over the queries of each class first and then over
classes, so that a large class does not outweigh a small one (AudioSetZSL retrieval challenge).
``instance``: relevant is the query's true partner, the row of the other view with the same id.

Query and gallery are of different views, so the query itself is never in the gallery and there is
nothing to remove; its true partner stays in. Every row of the other view is in the gallery; rows of
unknown class (label -1) are neither queries nor gallery items of the class protocols. Each row is
embedded alone: a query vector cannot depend on the partner that is to be found.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import permutations
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from models.errors import DataError, ShapeError
from models.spaces import SharedSpace
from models.types import Float32Array, Int64Array, View
from training.datasets.feature_data import FeatureData, FeatureView, StrArray
from training.datasets.split import TEST
from training.evaluation.chance import chance_retrieval
from training.evaluation.retrieval import (
    AnyLabels,
    RetrievalScores,
    class_averaged,
    score_retrieval,
)

CLASS = "class"
CLASS_AVERAGED = "class-averaged"
INSTANCE = "instance"
PROTOCOLS = (CLASS, CLASS_AVERAGED, INSTANCE)


@dataclass(frozen=True, slots=True, eq=False)
class Direction:
    """Figures of one query view and one target view under one protocol.

    Attributes:
        protocol: One of ``PROTOCOLS``.
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


class KeyedRows(Protocol):
    """Rows of one view with what can make them relevant to each other."""

    @property
    def ids(self) -> StrArray:
        """Name of each row, shape (N,)."""
        ...

    @property
    def labels(self) -> Int64Array | None:
        """Class of each row, -1 where it is not known, shape (N,); None without labels."""
        ...


class RetrievalTask(NamedTuple):
    """Queries with something to find, and the keys that say what is relevant.

    Attributes:
        protocols: Those of ``PROTOCOLS`` that this one ranking serves.
        queries: Which rows of the query view are queries, shape (N,).
        gallery: Which rows of the target view are in the gallery, shape (N,).
        query_keys: Class or id of each query, shape (Q,).
        gallery_keys: Class or id of each gallery item, shape (G,).
    """

    protocols: tuple[str, ...]
    queries: NDArray[np.bool_]
    gallery: NDArray[np.bool_]
    query_keys: AnyLabels
    gallery_keys: AnyLabels


def pooled_rows(view: FeatureView) -> Float32Array:
    """Rows (N, D): sequences (N, T, D) are averaged over time."""
    features = view.features
    return features.mean(axis=1, dtype=np.float32) if features.ndim == 3 else features


def rows_for(view: FeatureView, wanted: View) -> Float32Array:
    """Rows as a space takes them: (N, T, D) where it wants steps, else pooled to (N, D).

    Pooled features are sequences of one step, (N, 1, D).
    """
    if wanted.steps is None:
        return pooled_rows(view)
    return view.features if view.features.ndim == 3 else view.features[:, None, :]


def measure(
    embedded: Mapping[str, Float32Array],
    views: Mapping[str, KeyedRows],
    *,
    protocols: Collection[str] = PROTOCOLS,
    chance: bool = True,
) -> list[Direction]:
    """Measure every direction between views under every protocol that the rows admit.

    Args:
        embedded: Unit rows (N, K) of each view.
        views: Ids and labels of the same rows, all of one split.
        protocols: Those that are wanted; ``class`` and ``class-averaged`` share one ranking.
        chance: Also compute the figures of a random order (otherwise they repeat the scores).

    Returns:
        Directions in the order of the views; empty when no protocol applies.

    Raises:
        ShapeError: If a view does not have as many embedded rows as ids.
        DataError: If a protocol is unknown.
    """
    for name, view in views.items():
        if len(embedded[name]) != len(view.ids):
            raise ShapeError(
                f"expected every one of the {len(view.ids)} {name} rows to be embedded, "
                f"got {embedded[name].shape}"
            )
    directions = []
    for query, target in permutations(views, 2):
        for task in retrieval_tasks(views[query], views[target], protocols):
            keys = (task.query_keys, task.gallery_keys)
            rows = (embedded[query][task.queries], embedded[target][task.gallery])
            scores = score_retrieval(*rows, *keys)
            for protocol in task.protocols:
                by_class = protocol == CLASS_AVERAGED
                found = class_averaged(scores) if by_class else scores
                random = chance_retrieval(*keys, by_class=by_class) if chance else found
                directions.append(Direction(protocol, query, target, found, random))
    return directions


def evaluate(space: SharedSpace, data: FeatureData, *, split: str = TEST) -> list[Direction]:
    """Measure a trained space on one split, by default the test split, under every protocol.

    Raises:
        DataError: If the file lacks a view of the space, D differs, the split has no rows that
            can be compared, or a row that can be a query was not scored.
        ShapeError: If the space gives another number of rows than it was given.
    """
    views = {name: view.only(split) for name, view in data.views.items()}
    return evaluate_embedded(embed_split(space, data, split), views, split=split)


def embed_split(space: SharedSpace, data: FeatureData, split: str) -> dict[str, Float32Array]:
    """Unit rows (N, K) of one split of every view of a space, each row embedded alone.

    Raises:
        DataError: If the file lacks a view of the space, D differs, or the split has no rows.
    """
    embedded = {}
    for name, wanted in space.views.items():
        if name not in data.views:
            raise DataError(f"expected a view {name} in the data, found {sorted(data.views)}")
        rows = rows_for(data.views[name].only(split), wanted)
        if rows.shape[-1] != wanted.dimension:
            raise DataError(
                f"expected {name} features of D = {wanted.dimension}, found {rows.shape[-1]}"
            )
        if not len(rows):
            raise DataError(f"expected {split} rows in view {name}, found none")
        embedded[name] = space.project(name, rows)
    return embedded


def evaluate_embedded(
    embedded: Mapping[str, Float32Array], views: Mapping[str, FeatureView], *, split: str
) -> list[Direction]:
    """Measure rows that are embedded already, and check that every one of them was scored.

    Args:
        embedded: Unit rows of each view of the space, from ``embed_split``.
        views: The rows of the same split; other views are left out.
        split: Its name, for messages.

    Raises:
        DataError: If nothing can be compared, or a row that can be a query was not scored.
        ShapeError: If a view has another number of embedded rows than of ids.
    """
    measured = {name: views[name] for name in embedded}
    directions = measure(embedded, measured)
    if not directions:
        raise DataError(f"expected labels or true pairs in the {split} split, found neither")
    for direction in directions:
        _check_all_scored(direction, views[direction.query], views[direction.target])
    return directions


def validation_score(
    embedded: Mapping[str, Float32Array], views: Mapping[str, FeatureView], *, use_labels: bool
) -> float:
    """Return what settings and epochs are chosen by, from rows that are not of the test split.

    It is the mean over directions of class MAP, or of instance MRR, or the mean of these two means
    where both apply.

    Args:
        embedded: Unit rows (N, K) of each view.
        views: The same rows, of the validation split.
        use_labels: False measures true pairs only, for methods that are not given labels.

    Raises:
        DataError: If a row is of the test split, or no protocol applies.
    """
    refuse_test_rows(views)
    protocols = (CLASS, INSTANCE) if use_labels else (INSTANCE,)
    by_protocol: dict[str, list[float]] = {}
    for direction in measure(embedded, views, protocols=protocols, chance=False):
        scores = direction.scores
        value = scores.map if direction.protocol == CLASS else scores.mrr
        by_protocol.setdefault(direction.protocol, []).append(value)
    if not by_protocol:
        wanted = "labels or true pairs" if use_labels else "true pairs"
        raise DataError(f"expected {wanted} in the validation split, found none")
    return float(np.mean([np.mean(values) for values in by_protocol.values()]))


def refuse_test_rows(views: Mapping[str, FeatureView]) -> None:
    """Keep test rows out of training and of choosing.

    Raises:
        DataError: If any row has split ``test``.
    """
    for name, view in views.items():
        n_test = np.count_nonzero(view.split == TEST)
        if n_test:
            raise DataError(
                f"expected no test rows before the evaluation, found {n_test} in view {name}; "
                "settings chosen on test rows give figures that mean nothing"
            )


def retrieval_tasks(
    query: KeyedRows, target: KeyedRows, protocols: Collection[str] = PROTOCOLS
) -> list[RetrievalTask]:
    """List the rankings that the rows of two views admit, at most one by class and one by id.

    Raises:
        DataError: If a protocol is unknown.
    """
    unknown = sorted(set(protocols) - set(PROTOCOLS))
    if unknown:
        raise DataError(f"unknown protocol {unknown[0]!r}, expected one of {list(PROTOCOLS)}")
    tasks = []
    by_class = tuple(p for p in (CLASS, CLASS_AVERAGED) if p in protocols)
    if by_class and query.labels is not None and target.labels is not None:
        known = target.labels >= 0
        tasks.append(_task(by_class, query.labels, target.labels, known))
    if INSTANCE in protocols:
        every = np.ones(len(target.ids), dtype=np.bool_)
        tasks.append(_task((INSTANCE,), query.ids, target.ids, every))
    return [task for task in tasks if task.queries.any()]


def _task(
    protocols: tuple[str, ...],
    query_keys: AnyLabels,
    target_keys: AnyLabels,
    gallery: NDArray[np.bool_],
) -> RetrievalTask:
    """Queries are the rows whose key the gallery has; a class it lacks cannot be found."""
    gallery_keys = target_keys[gallery]
    queries = np.isin(query_keys, gallery_keys)
    return RetrievalTask(protocols, queries, gallery, query_keys[queries], gallery_keys)


def _check_all_scored(direction: Direction, query: FeatureView, target: FeatureView) -> None:
    """Count again, without ``retrieval_tasks``, what has to be scored."""
    if direction.protocol == INSTANCE:
        query_keys, gallery_keys = query.ids.tolist(), target.ids.tolist()
    else:
        query_keys = [] if query.labels is None else query.labels.tolist()
        gallery_keys = [] if target.labels is None else target.labels.tolist()
        gallery_keys = [label for label in gallery_keys if label != -1]
    findable = set(gallery_keys)
    expected = (sum(key in findable for key in query_keys), len(gallery_keys))
    found = (direction.scores.n_queries, direction.scores.n_gallery)
    if found != expected:
        raise DataError(
            f"{direction.protocol}, {direction.query} -> {direction.target}: expected (queries, "
            f"gallery) = {expected} to be scored, found {found}"
        )
