"""The one place where scores are computed and ordered, whatever found the candidates."""

import numpy as np

from models.errors import ShapeError
from models.types import Float32Array, Int64Array
from service.index.protocol import NO_ID, Hits
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


def certain_best(
    rows: Rows,
    query: Float32Array,
    k: int,
    candidates: tuple[Int64Array, Float32Array, float],
) -> tuple[Int64Array, Float32Array] | None:
    """Return the k best rows for a query (K,), or None if a row outside might be among them.

    Args:
        rows: All rows.
        query: What is searched for, shape (K,).
        k: Number of answers.
        candidates: Positions in ``rows`` (C,), -1 for none, with their approximate scores (C,),
            best first; every other row has an approximate score of at most the last one. Then the
            error of an approximate score for a query of length 1.
    """
    positions, scores, error = candidates
    scores, positions = scores[positions != NO_ID], positions[positions != NO_ID]
    if len(positions) < k:
        return None
    ids, exact = best(rows.ids[positions], exact_scores(query, rows.vectors[positions]), k)
    length = float(np.linalg.norm(query.astype(np.float64)))
    outside_at_most = float(scores[-1]) + error * length + len(query) * _SMALLEST_NORMAL
    return (ids, exact) if outside_at_most < exact[-1] else None


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
