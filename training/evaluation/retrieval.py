"""Retrieval from one view to another: every query ranks the whole gallery by cosine."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.errors import ShapeError
from models.types import Float32Array, Float64Array, Int64Array
from training.evaluation.metrics import Ranking, Scores, rank

RECALL_AT = (1, 5, 10)
NDCG_AT = 10
QUERIES_AT_ONCE = 256  # bounds the memory of a ranking: 256 x G numbers
AnyLabels = NDArray[np.generic]


@dataclass(frozen=True, slots=True, eq=False)
class RetrievalScores:
    """Figures of one direction; those of a random order have the same form.

    Attributes:
        map: Mean average precision over the full ranking.
        mrr: Mean of 1 / place of the first relevant item.
        ndcg_at_10: Mean normalised discounted cumulative gain of the first 10 places.
        recall: Share of queries with a relevant item among the first k, by k in ``RECALL_AT``.
        median_rank: Median place of the first relevant item.
        average_precisions: AP of each query, shape (Q,); for chance its expectation.
        ndcgs: NDCG@10 of each query, shape (Q,); for chance its expectation.
        ranks: Place of the first relevant item for each query, shape (Q,); empty for chance.
        query_keys: Class or item id of each query, shape (Q,).
        n_queries: Q, all of them scored.
        n_gallery: G.
    """

    map: float
    mrr: float
    ndcg_at_10: float
    recall: dict[int, float]
    median_rank: float
    average_precisions: Float64Array
    ndcgs: Float64Array
    ranks: Float64Array
    query_keys: AnyLabels
    n_queries: int
    n_gallery: int

    def as_dict(self) -> dict[str, float]:
        """The figures by the names of the results file."""
        named = {"map": self.map, "mrr": self.mrr, "median_rank": self.median_rank}
        named.update({f"recall@{k}": value for k, value in self.recall.items()})
        return {**named, f"ndcg@{NDCG_AT}": self.ndcg_at_10}


def similarity_blocks(queries: Float32Array, gallery: Float32Array) -> Iterator[Float32Array]:
    """Cosines of unit rows, ``QUERIES_AT_ONCE`` queries at a time.

    They are summed in double precision and rounded to single: the last bits of a matrix product
    depend on the place of a row in it, and would otherwise part equal items by gallery order.

    Args:
        queries: Unit rows, shape (Q, K).
        gallery: Unit rows, shape (G, K).

    Yields:
        In [-1, 1] up to rounding, shape (B, G), B consecutive queries.
    """
    transposed = gallery.astype(np.float64).T  # (K, G)
    for start in range(0, len(queries), QUERIES_AT_ONCE):
        block = queries[start : start + QUERIES_AT_ONCE].astype(np.float64)
        yield (block @ transposed).astype(np.float32)


def score_retrieval(
    queries: Float32Array,
    gallery: Float32Array,
    query_keys: AnyLabels,
    gallery_keys: AnyLabels,
) -> RetrievalScores:
    """Rank the gallery for every query by cosine; relevant items have the key of the query.

    Args:
        queries: Unit rows, shape (Q, K).
        gallery: Unit rows, shape (G, K).
        query_keys: Class or item id of each query, shape (Q,).
        gallery_keys: The same for the gallery, shape (G,).

    Raises:
        ShapeError: If keys and rows differ in number, or a query has nothing to find.
    """
    relevance = RelevanceKeys((len(queries), len(gallery)), query_keys, gallery_keys)
    return _score_blocks(similarity_blocks(queries, gallery), relevance)


def score_similarities(
    similarities: Scores, query_keys: AnyLabels, gallery_keys: AnyLabels
) -> RetrievalScores:
    """``score_retrieval`` for similarities of any making.

    Args:
        similarities: Higher is nearer, any range, shape (Q, G).
        query_keys: Class or item id of each query, shape (Q,).
        gallery_keys: The same for the gallery, shape (G,).

    Raises:
        ShapeError: If keys and rows differ in number, or a query has nothing to find.
    """
    relevance = RelevanceKeys(similarities.shape, query_keys, gallery_keys)
    starts = range(0, len(similarities), QUERIES_AT_ONCE)
    return _score_blocks((similarities[s : s + QUERIES_AT_ONCE] for s in starts), relevance)


def class_averaged(scores: RetrievalScores) -> RetrievalScores:
    """The same ranking, averaged over the queries of each class first and then over classes.

    The median is the smallest place that holds at least half of the weight of the queries.
    """
    return _summary(
        (scores.average_precisions, scores.ndcgs, scores.ranks),
        scores.query_keys,
        scores.n_gallery,
        weights=class_weights(scores.query_keys),
    )


def class_weights(query_keys: AnyLabels) -> Float64Array:
    """1 / (number of classes x queries of the class) for each query, shape (Q,), sum 1."""
    _, codes, counts = np.unique(query_keys, return_inverse=True, return_counts=True)
    return 1.0 / (len(counts) * counts[codes])


class RelevanceKeys:
    """Which gallery items are relevant to which query: those with the key of the query.

    Attributes:
        query_keys: As given, shape (Q,).
        n_gallery: G.
        n_relevant: R of each query, shape (Q,), all >= 1.
    """

    def __init__(
        self, shape: tuple[int, ...], query_keys: AnyLabels, gallery_keys: AnyLabels
    ) -> None:
        if shape != (len(query_keys), len(gallery_keys)) or not len(query_keys):
            raise ShapeError(
                f"expected a key per row, got (Q, G) = {shape} with keys "
                f"{query_keys.shape} and {gallery_keys.shape}"
            )
        keys, codes = np.unique(np.concatenate([query_keys, gallery_keys]), return_inverse=True)
        self.query_keys, self.n_gallery = query_keys, len(gallery_keys)
        self._queries, self._gallery = codes[: len(query_keys)], codes[len(query_keys) :]
        counts = np.bincount(self._gallery, minlength=len(keys))
        self.n_relevant: Int64Array = counts[self._queries]
        if not self.n_relevant.all():
            missing = query_keys[self.n_relevant == 0][0]
            raise ShapeError(
                f"expected every query to have a match in the gallery, {missing} has none"
            )

    def of(self, start: int, n_rows: int) -> NDArray[np.bool_]:
        """Relevance for a block of consecutive queries, shape (n_rows, G)."""
        return self._queries[start : start + n_rows, None] == self._gallery[None, :]


def rank_blocks(blocks: Iterable[Scores], relevance: RelevanceKeys) -> Iterator[Ranking]:
    """Rank similarities (B, G) block by block; the blocks hold consecutive queries, all of them."""
    start = 0
    for similarities in blocks:
        yield rank(similarities, relevance.of(start, len(similarities)))
        start += len(similarities)


def _score_blocks(blocks: Iterable[Scores], relevance: RelevanceKeys) -> RetrievalScores:
    found = []
    for ranking in rank_blocks(blocks, relevance):
        precisions, ndcgs = ranking.average_precision(), ranking.ndcg_at(NDCG_AT)
        found.append(np.stack([precisions, ndcgs, ranking.first_relevant_rank()]))  # (3, B)
    precisions, ndcgs, ranks = np.concatenate(found, axis=1)
    return _summary((precisions, ndcgs, ranks), relevance.query_keys, relevance.n_gallery)


def _summary(
    per_query: tuple[Float64Array, Float64Array, Float64Array],
    query_keys: AnyLabels,
    n_gallery: int,
    weights: Float64Array | None = None,
) -> RetrievalScores:
    """Mean figures of the AP, NDCG and first rank of each query, all alike without weights."""
    precisions, ndcgs, ranks = per_query
    return RetrievalScores(
        map=float(np.average(precisions, weights=weights)),
        mrr=float(np.average(1.0 / ranks, weights=weights)),
        ndcg_at_10=float(np.average(ndcgs, weights=weights)),
        recall={k: float(np.average(ranks <= k, weights=weights)) for k in RECALL_AT},
        median_rank=_median(ranks, weights),
        average_precisions=precisions,
        ndcgs=ndcgs,
        ranks=ranks,
        query_keys=query_keys,
        n_queries=len(query_keys),
        n_gallery=n_gallery,
    )


def _median(values: Float64Array, weights: Float64Array | None) -> float:
    if weights is None:
        return float(np.median(values))
    return float(np.quantile(values, 0.5, weights=weights, method="inverted_cdf"))
