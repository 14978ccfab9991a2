"""Corrections of the modality gap and of hubs at search time, fitted on training rows only.

They need no new training: the rows of a space are moved, or its similarities changed, by what the
training rows say. A single query can be served, since nothing is fitted on queries or gallery.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import permutations

import numpy as np
import scipy.linalg

from models.cca.unit_rows import unit_rows
from models.types import Float32Array, Float64Array
from training.evaluation.comparison import EmbeddedView
from training.evaluation.protocol import CLASS, INSTANCE, RetrievalTask, retrieval_tasks
from training.evaluation.retrieval import score_similarities, similarity_blocks

NONE, CENTRED, WHITENED, CSLS = "none", "centred", "whitened", "csls"
NEIGHBOURS = 10
SHRINKAGE = 0.1  # share of the mean variance in every direction
METRICS = {CLASS: "map", INSTANCE: "mrr"}
Correction = Callable[[Float32Array, Float32Array, Float32Array, Float32Array], Float32Array]


@dataclass(frozen=True, slots=True)
class CorrectedFigure:
    """What one correction reaches in one direction.

    Attributes:
        correction: Key in ``CORRECTIONS``.
        query: View of the queries.
        target: View of the gallery.
        protocol: ``class`` or ``instance``.
        metric: ``map`` for class, ``mrr`` for instance.
        value: With the correction.
        gain: Value minus that of ``none``.
    """

    correction: str
    query: str
    target: str
    protocol: str
    metric: str
    value: float
    gain: float


def measure_corrections(
    embedded: Mapping[str, EmbeddedView], train_embedded: Mapping[str, EmbeddedView]
) -> list[CorrectedFigure]:
    """Measure class MAP and partner MRR with every correction, in every direction.

    Args:
        embedded: Rows that are measured, by view.
        train_embedded: Training rows of the same space and views.

    Returns:
        By direction, protocol and correction; empty when no protocol applies.
    """
    found: list[CorrectedFigure] = []
    for query, target in permutations(embedded, 2):
        rows = (embedded[query].embedding, embedded[target].embedding)
        train = (train_embedded[query].embedding, train_embedded[target].embedding)
        tasks = retrieval_tasks(embedded[query], embedded[target], (CLASS, INSTANCE))
        values: dict[str, dict[str, float]] = {}  # protocol -> correction -> figure
        for name, correction in CORRECTIONS.items():
            similarities = correction(*rows, *train)
            for task in tasks:
                values.setdefault(task.protocols[0], {})[name] = _figure(similarities, task)
        found.extend(
            CorrectedFigure(
                name, query, target, protocol, METRICS[protocol], value, value - by_name[NONE]
            )
            for protocol, by_name in values.items()
            for name, value in by_name.items()
        )
    return found


def plain_scores(
    queries: Float32Array,
    gallery: Float32Array,
    _train_queries: Float32Array,
    _train_gallery: Float32Array,
) -> Float32Array:
    """Cosines without any correction, shape (Q, G)."""
    return _cosines(queries, gallery)


def centred_scores(
    queries: Float32Array,
    gallery: Float32Array,
    train_queries: Float32Array,
    train_gallery: Float32Array,
) -> Float32Array:
    """Cosines after the training mean of its view is taken from every row.

    The centroids of the views then coincide: the modality gap is closed.

    Args:
        queries: Unit rows, shape (Q, K).
        gallery: Unit rows of the other view, shape (G, K).
        train_queries: Training rows of the view of the queries, shape (N, K).
        train_gallery: Training rows of the view of the gallery, shape (N_other, K).

    Returns:
        In [-1, 1], shape (Q, G).
    """
    return _cosines(
        unit_rows(queries - _mean(train_queries)), unit_rows(gallery - _mean(train_gallery))
    )


def whitened_scores(
    queries: Float32Array,
    gallery: Float32Array,
    train_queries: Float32Array,
    train_gallery: Float32Array,
) -> Float32Array:
    """Cosines of S^(-1/2) (row - mean), with the training mean and covariance of its view.

    S is the covariance plus ``SHRINKAGE`` times its mean eigenvalue on the diagonal. The symmetric
    root turns no direction into another, so the views stay aligned.

    Args:
        queries: Unit rows, shape (Q, K).
        gallery: Unit rows of the other view, shape (G, K).
        train_queries: Training rows of the view of the queries, shape (N, K).
        train_gallery: Training rows of the view of the gallery, shape (N_other, K).

    Returns:
        In [-1, 1], shape (Q, G).
    """
    return _cosines(_whitened(queries, train_queries), _whitened(gallery, train_gallery))


def csls_scores(
    queries: Float32Array,
    gallery: Float32Array,
    train_queries: Float32Array,
    train_gallery: Float32Array,
) -> Float32Array:
    """Cross-domain similarity local scaling: 2 cos(x, y) - r(x) - r(y), against hubs.

    r is the mean cosine of a row to its ``NEIGHBOURS`` nearest rows of the other view. Conneau,
    Lample, Ranzato, Denoyer, Jégou, "Word Translation Without Parallel Data", ICLR 2018, take those
    from the rows that are searched; here they are training rows, so that one query can be served
    and no query changes the answer to another.

    Args:
        queries: Unit rows, shape (Q, K).
        gallery: Unit rows of the other view, shape (G, K).
        train_queries: Training rows of the view of the queries, shape (N, K).
        train_gallery: Training rows of the view of the gallery, shape (N_other, K).

    Returns:
        In [-4, 4], shape (Q, G).
    """
    nearness = _mean_of_nearest(queries, train_gallery)[:, None]  # (Q, 1)
    popularity = _mean_of_nearest(gallery, train_queries)[None, :]  # (1, G)
    return 2.0 * _cosines(queries, gallery) - nearness - popularity


CORRECTIONS: dict[str, Correction] = {
    NONE: plain_scores,
    CENTRED: centred_scores,
    WHITENED: whitened_scores,
    CSLS: csls_scores,
}


def _figure(similarities: Float32Array, task: RetrievalTask) -> float:
    kept = similarities[np.ix_(task.queries, task.gallery)]
    scores = score_similarities(kept, task.query_keys, task.gallery_keys)
    return scores.as_dict()[METRICS[task.protocols[0]]]


def _cosines(queries: Float32Array, gallery: Float32Array) -> Float32Array:
    return np.concatenate(list(similarity_blocks(queries, gallery)))


def _mean(rows: Float32Array) -> Float64Array:
    return rows.mean(axis=0, dtype=np.float64)


def _whitened(rows: Float32Array, train: Float32Array) -> Float32Array:
    mean = _mean(train)
    centred = train - mean
    covariance = centred.T @ centred / len(train)  # (K, K)
    values, vectors = scipy.linalg.eigh(covariance)
    floor = SHRINKAGE * float(values.mean())
    scale = 1.0 / np.sqrt(np.maximum(values, 0.0) + floor) if floor > 0.0 else np.ones(len(values))
    return unit_rows((rows - mean) @ (vectors * scale) @ vectors.T)


def _mean_of_nearest(rows: Float32Array, train: Float32Array) -> Float32Array:
    """Mean cosine to the nearest training rows, shape (N,)."""
    k = min(NEIGHBOURS, len(train))
    nearest = [
        np.partition(block, -k, axis=1)[:, -k:].mean(axis=1)
        for block in similarity_blocks(rows, train)
    ]
    return np.concatenate(nearest)
