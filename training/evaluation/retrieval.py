"""Retrieval from one view to another: every query ranks the whole gallery by cosine."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.errors import ShapeError
from models.types import Float32Array, Float64Array
from training.evaluation.chance import chance_average_precision, chance_first_rank
from training.evaluation.metrics import average_precision, first_relevant_rank

RECALL_AT = (1, 5, 10)
QUERIES_AT_ONCE = 256  # bounds the memory of a ranking: 256 x G numbers
AnyLabels = NDArray[np.generic]


@dataclass(frozen=True, slots=True, eq=False)
class RetrievalScores:
    """Figures of one direction, with those of a random order beside them.

    Attributes:
        map: Mean average precision over the full ranking.
        mrr: Mean of 1 / place of the first relevant item.
        recall: Share of queries with a relevant item among the first k, by k in ``RECALL_AT``.
        median_rank: Median place of the first relevant item.
        ranks: That place for each query, shape (Q,); empty for chance.
        n_queries: Q, all of them scored.
        n_gallery: G.
    """

    map: float
    mrr: float
    recall: dict[int, float]
    median_rank: float
    ranks: Float64Array
    n_queries: int
    n_gallery: int

    def as_dict(self) -> dict[str, float]:
        """The figures by the names of the results file."""
        named = {"map": self.map, "mrr": self.mrr, "median_rank": self.median_rank}
        return {**named, **{f"recall@{k}": value for k, value in self.recall.items()}}


def score_retrieval(
    queries: Float32Array,
    gallery: Float32Array,
    query_keys: AnyLabels,
    gallery_keys: AnyLabels,
) -> RetrievalScores:
    """Rank the gallery for every query; relevant items have the key of the query.

    Args:
        queries: Unit rows, shape (Q, K).
        gallery: Unit rows, shape (G, K).
        query_keys: Class or item id of each query, shape (Q,).
        gallery_keys: The same for the gallery, shape (G,).

    Raises:
        ShapeError: If keys and rows differ in number, or a query has nothing to find.
    """
    if len(queries) != len(query_keys) or len(gallery) != len(gallery_keys) or not len(queries):
        raise ShapeError(
            f"expected a key per row, got {queries.shape} with {query_keys.shape} and "
            f"{gallery.shape} with {gallery_keys.shape}"
        )
    findable = np.isin(query_keys, gallery_keys)
    if not findable.all():
        missing = query_keys[~findable][0]
        raise ShapeError(f"expected every query to have a match in the gallery, {missing} has none")
    transposed = gallery.astype(np.float64).T  # (K, G)
    precisions, places = [], []
    for start in range(0, len(queries), QUERIES_AT_ONCE):
        rows = slice(start, start + QUERIES_AT_ONCE)
        similarities = queries[rows].astype(np.float64) @ transposed  # (B, G)
        relevance = query_keys[rows, None] == gallery_keys[None, :]
        precisions.append(average_precision(similarities, relevance))
        places.append(first_relevant_rank(similarities, relevance))
    precision, ranks = np.concatenate(precisions), np.concatenate(places)
    return RetrievalScores(
        map=float(np.mean(precision)),
        mrr=float(np.mean(1.0 / ranks)),
        recall={k: float(np.mean(ranks <= k)) for k in RECALL_AT},
        median_rank=float(np.median(ranks)),
        ranks=ranks,
        n_queries=len(queries),
        n_gallery=len(gallery),
    )


def chance_retrieval(query_keys: AnyLabels, gallery_keys: AnyLabels) -> RetrievalScores:
    """What ``score_retrieval`` gives on average when the gallery is in random order."""
    n_gallery = len(gallery_keys)
    relevant = Counter(gallery_keys.tolist())
    queries_by_relevant = Counter(relevant[key] for key in query_keys.tolist())
    places = np.arange(1, n_gallery + 1)
    expected_precision = 0.0
    distribution = np.zeros(n_gallery)  # of the first relevant place, over all queries
    for n_relevant, n_queries in queries_by_relevant.items():
        share = n_queries / len(query_keys)
        expected_precision += share * chance_average_precision(n_gallery, n_relevant)
        distribution += share * chance_first_rank(n_gallery, n_relevant)
    return RetrievalScores(
        map=expected_precision,
        mrr=float(np.sum(distribution / places)),
        recall={k: float(distribution[:k].sum()) for k in RECALL_AT},
        median_rank=float(places[np.searchsorted(distribution.cumsum(), 0.5)]),
        ranks=np.empty(0),
        n_queries=len(query_keys),
        n_gallery=n_gallery,
    )
