"""The one place where scores are computed and ordered, whatever found the candidates."""

import math

import numpy as np
from numpy.typing import NDArray

from models.errors import ShapeError
from models.types import Float32Array, Float64Array, Int64Array
from service.index.protocol import NO_ID, Hits
from service.index.queries import Queries
from service.index.rows import Rows, check_vectors

_BLOCK_VALUES = 1 << 20
_SMALLEST_NORMAL = float(np.finfo(np.float32).tiny)  # below it a product may become 0


def exact_scores(query: Float32Array, vectors: Float32Array) -> Float32Array:
    """Inner products of a query (K,) with vectors (N, K), shape (N,), float32.

    Products and sums are taken in float64, where products of float32 values are exact, and summed
    along each row alone, so a score does not depend on which rows stand beside it.
    """
    wide_query = query.astype(np.float64)
    scores = np.empty(len(vectors), np.float32)
    block = max(1, _BLOCK_VALUES // vectors.shape[1])
    for start in range(0, len(vectors), block):
        part = vectors[start : start + block].astype(np.float64)
        scores[start : start + block] = (part * wide_query).sum(axis=1)
    return scores


def best(ids: Int64Array, scores: Float32Array, k: int) -> tuple[Int64Array, Float32Array]:
    """Return the k best (fewer if there are fewer): descending score, then ascending id."""
    if k < len(scores):
        kth = np.partition(scores, len(scores) - k)[len(scores) - k]
        kept = scores >= kth
        ids, scores = ids[kept], scores[kept]
    order = np.lexsort((ids, -scores))[:k]
    return ids[order], scores[order]


def rescored(rows: Rows, queries: Queries, positions: Int64Array, k: int) -> Hits:
    """Score candidates exactly and return the k best of each query.

    Args:
        rows: Where the candidates are.
        queries: Shape (B, K).
        positions: Of candidates in ``rows``, each once, shape (B, C); -1 for none.
        k: Number of answers; beyond C they are padded.
    """
    n_candidates = positions.shape[1]
    if len(queries) == 1 and k <= n_candidates and positions.min() >= 0:
        return rescored_one(rows, queries.wide[0], positions[0], k)
    found = no_hits(len(queries), k)
    width = min(k, n_candidates)
    step = max(1, _BLOCK_VALUES // max(1, n_candidates * queries.dimension))
    for start in range(0, len(queries), step):
        some = slice(start, start + step)
        places = positions[some]
        products = rows.vectors[places] * queries.wide[some, None, :]
        scores, ids = products.sum(axis=2).astype(np.float32), rows.ids[places]
        if (places < 0).any():
            scores[places < 0], ids[places < 0] = -np.inf, NO_ID
        # NO_ID is below every id, but its score is below every score: it stays behind.
        order = np.lexsort((ids, -scores), axis=-1)[:, :width]
        found.ids[some, :width] = np.take_along_axis(ids, order, axis=1)
        found.scores[some, :width] = np.take_along_axis(scores, order, axis=1)
    return found


def rescored_one(rows: Rows, query: Float64Array, places: Int64Array, k: int) -> Hits:
    """The same for one query (K,) and C >= k places, in as few calls of NumPy as there can be."""
    products = rows.vectors.take(places, axis=0) * query
    scores = np.add.reduce(products, axis=1).astype(np.float32)
    ids = rows.ids.take(places)
    order = np.lexsort((ids, -scores))[:k]
    return Hits(ids.take(order)[None], scores.take(order)[None])


def are_certain(
    hits: Hits, queries: Queries, last_scores: Float32Array, error: float
) -> NDArray[np.bool_]:
    """Tell which answers hold although only some rows were looked at, shape (B,).

    Args:
        hits: The k best of the rows that were looked at, exactly scored, k >= 1.
        queries: Shape (B, K).
        last_scores: No other row has an approximate score above it, shape (B,).
        error: Bound on the error of an approximate score for a query of length 1.
    """
    slack = error * queries.lengths + queries.dimension * _SMALLEST_NORMAL
    certain: NDArray[np.bool_] = last_scores + slack < hits.scores[:, -1]
    return certain


def doubt(query: Float64Array, error: float) -> float:
    """By how much the approximate score of a query (K,) may be too low; see ``are_certain``."""
    return error * math.sqrt(np.dot(query, query)) + len(query) * _SMALLEST_NORMAL


def merged(one: Hits, other: Hits) -> Hits:
    """Return the k best of two answers (B, k) over different items."""
    ids = np.concatenate([one.ids, other.ids], axis=1)
    scores = np.concatenate([one.scores, other.scores], axis=1)
    order = np.lexsort((ids, -scores), axis=-1)[:, : one.ids.shape[1]]
    return Hits(np.take_along_axis(ids, order, axis=1), np.take_along_axis(scores, order, axis=1))


def no_hits(n_queries: int, k: int) -> Hits:
    """Return an answer of shape (n_queries, k) that holds nothing yet."""
    ids = np.full((n_queries, k), NO_ID, np.int64)
    return Hits(ids, np.full((n_queries, k), -np.inf, np.float32))


def exact_search(rows: Rows, queries: Float32Array, k: int) -> Hits:
    """Score every row for every query (B, K): slow, simple and right."""
    hits = no_hits(len(queries), k)
    if len(rows):
        for number, query in enumerate(queries):
            put(hits, number, best(rows.ids, exact_scores(query, rows.vectors), k))
    return hits


def put(hits: Hits, number: int, found: tuple[Int64Array, Float32Array]) -> None:
    """Write ids and scores (at most k) as the answer to one query."""
    ids, scores = found
    hits.ids[number, : len(ids)], hits.scores[number, : len(ids)] = ids, scores


def check_search(queries: Float32Array, k: int, dimension: int) -> Float32Array:
    """Return queries as float32 (B, K).

    Raises:
        ShapeError: On another shape, NaN, infinity, or k < 1.
    """
    if k < 1:
        raise ShapeError(f"expected k >= 1, got {k}")
    return check_vectors(queries, dimension)
