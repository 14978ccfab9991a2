"""The shape of a shared space: how far its views lie apart, and which items are found too often.

Both spoil retrieval between views without being seen in a plot of one view. ``corrections`` has
the cures.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from models.errors import ShapeError
from models.types import Float32Array, Float64Array
from training.evaluation.comparison import EmbeddedView
from training.evaluation.protocol import CLASS, INSTANCE, RetrievalTask, retrieval_tasks
from training.evaluation.retrieval import AnyLabels, similarity_blocks

NEIGHBOURS = 10
ROUNDING = 1e-9  # counts that differ by less than this share of their mean are equal


@dataclass(frozen=True, slots=True)
class Hubness:
    """How evenly the gallery is found: N_k of an item counts the queries that find it among k.

    Attributes:
        skewness: Of N_k over the gallery; far above chance means hubs, found by many queries.
        antihub_share: Share of gallery items with N_k = 0, that nobody finds.
        chance_skewness: Skewness when every query finds k items at random (binomial).
        chance_antihub_share: Share of items that nobody finds then.
    """

    skewness: float
    antihub_share: float
    chance_skewness: float
    chance_antihub_share: float


@dataclass(frozen=True, slots=True)
class SpaceGeometry:
    """One query view against one target view.

    Attributes:
        query: View of the queries.
        target: View of the gallery.
        modality_gap: Distance between the centroids of the two views, in [0, 2].
        random_cosine: Mean cosine over all pairs of a query and a gallery item.
        class_cosine: Mean cosine over pairs of one class; None without classes.
        partner_cosine: Mean cosine over true pairs; None without pairs.
        hubness: Of the gallery.
    """

    query: str
    target: str
    modality_gap: float
    random_cosine: float
    class_cosine: float | None
    partner_cosine: float | None
    hubness: Hubness


def space_geometry(
    embedded: Mapping[str, EmbeddedView], *, k: int = NEIGHBOURS
) -> list[SpaceGeometry]:
    """Measure every direction between views.

    Args:
        embedded: Rows of one split of each view.
        k: Neighbours counted, see ``hubness``.
    """
    found = []
    for query, target in permutations(embedded, 2):
        rows, others = embedded[query].embedding, embedded[target].embedding
        cosines = {
            task.protocols[0]: _related_cosine(rows, others, task)
            for task in retrieval_tasks(embedded[query], embedded[target], (CLASS, INSTANCE))
        }
        found.append(
            SpaceGeometry(
                query=query,
                target=target,
                modality_gap=modality_gap(rows, others),
                random_cosine=float(_centroid(rows) @ _centroid(others)),
                class_cosine=cosines.get(CLASS),
                partner_cosine=cosines.get(INSTANCE),
                hubness=hubness(rows, others, k=k),
            )
        )
    return found


def modality_gap(first: Float32Array, second: Float32Array) -> float:
    """||mean of the rows of one view - mean of the rows of the other||, in [0, 2].

    Liang, Zhang, Kwon, Yeung, Zou, "Mind the Gap: Understanding the Modality Gap in Multi-modal
    Contrastive Representation Learning", NeurIPS 2022.

    Args:
        first: Unit rows, shape (N, K).
        second: Unit rows, shape (N_other, K).
    """
    return float(np.linalg.norm(_centroid(first) - _centroid(second)))


def mean_related_cosine(
    queries: Float32Array,
    gallery: Float32Array,
    query_keys: AnyLabels,
    gallery_keys: AnyLabels,
) -> float:
    """Mean cosine over the pairs of a query and a gallery item with the same key.

    By sums over keys: sum_c <sum of the queries of c, sum of the items of c> / number of pairs.

    Args:
        queries: Unit rows, shape (Q, K).
        gallery: Unit rows, shape (G, K).
        query_keys: Class or item id of each query, shape (Q,).
        gallery_keys: The same for the gallery, shape (G,).

    Raises:
        ShapeError: If no key is in both.
    """
    shared = np.intersect1d(query_keys, gallery_keys)
    if not len(shared):
        raise ShapeError("expected a query and a gallery item of one key, found none")
    query_sums, n_queries = _sums(queries, query_keys, shared)
    gallery_sums, n_gallery = _sums(gallery, gallery_keys, shared)
    return float(np.sum(query_sums * gallery_sums) / (n_queries @ n_gallery))


def hubness(queries: Float32Array, gallery: Float32Array, *, k: int = NEIGHBOURS) -> Hubness:
    """Skewness of the k-occurrences E[(N_k - mean)^3] / deviation^3 and the share of antihubs.

    Radovanović, Nanopoulos, Ivanović, "Hubs in Space: Popular Nearest Neighbors in
    High-Dimensional Data", JMLR 2010; here the neighbours are of the other view. Items that tie for
    the last of the k places share them.

    Args:
        queries: Unit rows, shape (Q, K).
        gallery: Unit rows, shape (G, K).
        k: Neighbours of each query, >= 1; more than G are G.

    Raises:
        ShapeError: If k < 1.
    """
    if k < 1:
        raise ShapeError(f"expected k >= 1, got {k}")
    counts = k_occurrences(queries, gallery, min(k, len(gallery)))
    share = min(k / len(gallery), 1.0)
    variance = len(queries) * share * (1.0 - share)  # of a binomial N_k
    return Hubness(
        skewness=_skewness(counts),
        antihub_share=float(np.mean(counts == 0.0)),
        chance_skewness=(1.0 - 2.0 * share) / float(np.sqrt(variance)) if variance else 0.0,
        chance_antihub_share=(1.0 - share) ** len(queries),
    )


def k_occurrences(queries: Float32Array, gallery: Float32Array, k: int) -> Float64Array:
    """N_k of each gallery item, shape (G,), sum Q k; k in [1, G]."""
    counts = np.zeros(len(gallery))
    for similarities in similarity_blocks(queries, gallery):
        last = np.partition(similarities, -k, axis=1)[:, [-k]]  # (B, 1), the k-th largest
        above, tied = similarities > last, similarities == last
        left = k - np.count_nonzero(above, axis=1, keepdims=True)
        share = left / np.count_nonzero(tied, axis=1, keepdims=True)
        counts += above.sum(axis=0) + (tied * share).sum(axis=0)
    return counts


def _related_cosine(rows: Float32Array, others: Float32Array, task: RetrievalTask) -> float:
    return mean_related_cosine(
        rows[task.queries], others[task.gallery], task.query_keys, task.gallery_keys
    )


def _centroid(rows: Float32Array) -> Float64Array:
    return rows.mean(axis=0, dtype=np.float64)


def _sums(
    rows: Float32Array, keys: AnyLabels, shared: AnyLabels
) -> tuple[Float64Array, Float64Array]:
    """Sum (number of keys, K) and count of the rows of each shared key, shared is sorted."""
    kept = np.isin(keys, shared)
    codes = np.searchsorted(shared, keys[kept])
    sums = np.zeros((len(shared), rows.shape[1]))
    np.add.at(sums, codes, rows[kept].astype(np.float64))
    return sums, np.bincount(codes, minlength=len(shared)).astype(np.float64)


def _skewness(counts: Float64Array) -> float:
    mean, deviation = float(counts.mean()), float(counts.std())
    if deviation < ROUNDING * mean:
        return 0.0
    return float(np.mean((counts - mean) ** 3)) / deviation**3
