"""What a random order of the gallery scores, in closed form: stands beside every figure."""

import numpy as np

from models.errors import ShapeError
from models.types import Float64Array
from training.evaluation.metrics import rank_discounts
from training.evaluation.retrieval import (
    NDCG_AT,
    RECALL_AT,
    AnyLabels,
    RelevanceKeys,
    RetrievalScores,
    class_weights,
)


def chance_retrieval(
    query_keys: AnyLabels, gallery_keys: AnyLabels, *, by_class: bool = False
) -> RetrievalScores:
    """What ``score_retrieval`` gives on average when the gallery is in random order.

    Args:
        query_keys: Class or item id of each query, shape (Q,).
        gallery_keys: The same for the gallery, shape (G,).
        by_class: Average over the queries of each class first, as ``class_averaged`` does.

    Returns:
        Expectations; the median is the first place by which more than half of the queries have
        found something.

    Raises:
        ShapeError: If there is no query, or one has nothing to find.
    """
    n_queries, n_gallery = len(query_keys), len(gallery_keys)
    relevant = RelevanceKeys((n_queries, n_gallery), query_keys, gallery_keys).n_relevant
    weights = class_weights(query_keys) if by_class else np.full(n_queries, 1.0 / n_queries)
    places = np.arange(1, n_gallery + 1)
    distribution = np.zeros(n_gallery)  # of the first relevant place, over all queries
    precisions, ndcgs = np.empty(n_queries), np.empty(n_queries)
    for n_relevant in np.unique(relevant).tolist():
        alike = relevant == n_relevant
        precisions[alike] = chance_average_precision(n_gallery, n_relevant)
        ndcgs[alike] = chance_ndcg(n_gallery, n_relevant, NDCG_AT)
        distribution += weights[alike].sum() * chance_first_rank(n_gallery, n_relevant)
    return RetrievalScores(
        map=float(weights @ precisions),
        mrr=float(np.sum(distribution / places)),
        ndcg_at_10=float(weights @ ndcgs),
        recall={k: float(distribution[:k].sum()) for k in RECALL_AT},
        median_rank=float(places[np.searchsorted(distribution.cumsum(), 0.5 + 1e-12)]),
        average_precisions=precisions,
        ndcgs=ndcgs,
        ranks=np.empty(0),
        query_keys=query_keys,
        n_queries=n_queries,
        n_gallery=n_gallery,
    )


def chance_average_precision(n_gallery: int, n_relevant: int) -> float:
    """E[AP] of a random order: H/G + (R - 1)/(G - 1) (1 - H/G), H the G-th harmonic number.

    From E[rel_k hits_k] = R/G + (k - 1) R (R - 1) / (G (G - 1)), summed over k and divided by R.

    Args:
        n_gallery: G >= 1.
        n_relevant: R in [1, G].

    Example:
        >>> round(chance_average_precision(2, 1), 4)
        0.75
    """
    _check(n_gallery, n_relevant)
    if n_gallery == 1:
        return 1.0
    mean_inverse_rank = float(np.mean(1.0 / np.arange(1, n_gallery + 1)))
    return mean_inverse_rank + (n_relevant - 1) / (n_gallery - 1) * (1.0 - mean_inverse_rank)


def chance_first_rank(n_gallery: int, n_relevant: int) -> Float64Array:
    """P(the first relevant item stands at place k) in a random order, k = 1..G, shape (G,)."""
    _check(n_gallery, n_relevant)
    k = np.arange(n_gallery)
    stays_empty = np.clip((n_gallery - n_relevant - k) / (n_gallery - k), 0.0, 1.0)
    none_before = np.concatenate([[1.0], np.cumprod(stays_empty)[:-1]])
    return none_before * (1.0 - stays_empty)


def chance_ndcg(n_gallery: int, n_relevant: int, k: int) -> float:
    """E[NDCG@k] of a random order: (R/G) sum_(i <= min(k, G)) d_i / sum_(i <= min(k, R)) d_i.

    d_i = 1 / log2(i + 1): every place holds a relevant item with probability R/G.

    Args:
        n_gallery: G >= 1.
        n_relevant: R in [1, G].
        k: Places looked at, >= 1.

    Example:
        >>> chance_ndcg(10, 1, 1)
        0.1
    """
    _check(n_gallery, n_relevant)
    discounts = rank_discounts(min(k, n_gallery))
    ideal = float(discounts[:n_relevant].sum())
    return n_relevant / n_gallery * float(discounts.sum()) / ideal


def _check(n_gallery: int, n_relevant: int) -> None:
    if not 1 <= n_relevant <= n_gallery:
        raise ShapeError(f"expected 1 <= relevant <= gallery, got {n_relevant} of {n_gallery}")
