"""Exact search with FAISS: candidates in float32, the answer from ``exact_scores``.

FAISS's scores depend on the batch, the processor and the thread count, and it breaks ties by
chance. So a few more candidates than k are fetched, scored again and ordered, and more are fetched
until rounding cannot have hidden a better one. The answer is that of ``NumpyIndex``, bit by bit.
"""

import math
from typing import Protocol

import faiss
import numpy as np

from models.types import Float32Array, Int64Array
from service.index.eligible import Eligible
from service.index.protocol import Hits
from service.index.queries import Queries
from service.index.rows import Rows
from service.index.scoring import (
    are_certain,
    best,
    exact_scores,
    exact_search,
    no_hits,
    put,
    rescored,
)

SPARE = 16
_GROWTH = 4
_SINGLE_ROUNDING = 2.0**-24
# A filter that keeps less is answered from the rows it keeps, one by one.
_FEW = 0.1
# Fetching more than is kept pays only while it stays far below a scan of the rows that are kept.
_MOST_FETCHED = 2048
_BLOCK_ROWS = 8192


class Scanner(Protocol):
    """Candidates by float32 inner product."""

    @property
    def most_candidates(self) -> int:
        """The most that one call may ask for."""
        ...

    def score_error(self, dimension: int) -> float:
        """Bound on the error of a score of two unit vectors (K,)."""
        ...

    def top(self, rows: Rows, queries: Queries, n: int) -> tuple[Float32Array, Int64Array]:
        """Scores and positions in ``rows`` of about the n best, both (B, n), best first."""
        ...


def single_rounding_error(dimension: int) -> float:
    """Bound on the error of an inner product of unit vectors (K,) summed in float32."""
    return (dimension + 2) * _SINGLE_ROUNDING


class CpuScanner:
    """Reads the rows where they lie: no second copy, and no state that threads could share."""

    most_candidates = int(np.iinfo(np.int64).max)

    def __init__(self, threads: int) -> None:
        self.threads = threads

    def claim_threads(self) -> None:
        """Set OpenMP's threads: the setting belongs to the thread that calls."""
        faiss.omp_set_num_threads(self.threads)

    def score_error(self, dimension: int) -> float:
        """Bound for sums in float32 in any order."""
        return single_rounding_error(dimension)

    def top(self, rows: Rows, queries: Queries, n: int) -> tuple[Float32Array, Int64Array]:
        """Scan all rows."""
        self.claim_threads()
        return faiss.knn(queries.host, rows.vectors, n, metric=faiss.METRIC_INNER_PRODUCT)

    def top_among(
        self, rows: Rows, queries: Queries, n: int, positions: Int64Array
    ) -> tuple[Float32Array, Int64Array]:
        """Scan the rows at some positions (at least n), where they lie."""
        self.claim_threads()
        scores = np.empty((len(queries), n), np.float32)
        found = np.empty((len(queries), n), np.int64)
        faiss.knn_inner_products_by_idx(
            *(faiss.swig_ptr(queries.host), faiss.swig_ptr(rows.vectors)),
            *(faiss.swig_ptr(positions), rows.vectors.shape[1], len(queries), len(rows)),
            *(len(positions), n, faiss.swig_ptr(scores), faiss.swig_ptr(found), 0),
        )
        return scores, found


def exact_positions(rows: Rows, queries: Float32Array, n: int, threads: int) -> Int64Array:
    """Return the positions of the n nearest, or of all when there are fewer, shape (B, n)."""
    n = min(n + SPARE, len(rows))
    return CpuScanner(threads).top(rows, Queries(queries), n)[1]


def flat_search(
    scanner: Scanner, cpu: CpuScanner, rows: Rows, queries: Queries, k: int, eligible: Eligible
) -> Hits:
    """Return the k best of the eligible rows, exactly.

    Args:
        scanner: Who scans all rows.
        cpu: Who scans a few of them: no GPU index takes a selector.
        rows: The table.
        queries: Shape (B, K).
        k: Number of answers, >= 1.
        eligible: Which rows may answer.
    """
    if not eligible.is_all and eligible.share < _FEW:
        return subset_search(cpu, rows, queries, k, eligible.positions)
    hits = no_hits(len(queries), k)
    error = scanner.score_error(queries.dimension) * rows.largest_norm
    waiting = np.arange(len(queries))
    n = math.ceil((k + SPARE) / max(_FEW, eligible.share))
    most = scanner.most_candidates
    if not eligible.is_all:
        most = min(most, max(n, _MOST_FETCHED))
    while len(waiting) and n <= most and 2 * n <= len(rows):
        some = queries.take(waiting)
        scores, positions = scanner.top(rows, some, n)
        found = rescored(rows, some, eligible.without_others(positions), k)
        certain = are_certain(found, some, scores[:, -1], error)
        done = waiting[certain]
        hits.ids[done], hits.scores[done] = found.ids[certain], found.scores[certain]
        waiting = waiting[~certain]
        n *= _GROWTH
    if len(waiting):
        rest = _thorough(cpu, rows, queries.take(waiting), k, eligible)
        hits.ids[waiting], hits.scores[waiting] = rest.ids, rest.scores
    return hits


def _thorough(cpu: CpuScanner, rows: Rows, queries: Queries, k: int, eligible: Eligible) -> Hits:
    if eligible.is_all:
        return exact_search(rows, queries.host, k)
    return subset_search(cpu, rows, queries, k, eligible.positions)


def subset_search(
    cpu: CpuScanner, rows: Rows, queries: Queries, k: int, positions: Int64Array
) -> Hits:
    """Return the k best of the rows at some positions (ascending), exactly."""
    n = k + SPARE
    if len(positions) <= n:
        return rescored(rows, queries, np.tile(positions, (len(queries), 1)), k)
    scores, found = cpu.top_among(rows, queries, n, positions)
    hits = rescored(rows, queries, found, k)
    error = cpu.score_error(queries.dimension) * rows.largest_norm
    certain = are_certain(hits, queries, scores[:, -1], error)
    for number in np.flatnonzero(~certain).tolist():
        put(hits, number, _best_of(rows, queries.host[number], k, positions))
    return hits


def _best_of(
    rows: Rows, query: Float32Array, k: int, positions: Int64Array
) -> tuple[Int64Array, Float32Array]:
    """Score the rows at some positions without copying them all."""
    scores = np.empty(len(positions), np.float32)
    for start in range(0, len(positions), _BLOCK_ROWS):
        some = positions[start : start + _BLOCK_ROWS]
        scores[start : start + _BLOCK_ROWS] = exact_scores(query, rows.vectors[some])
    return best(rows.ids[positions], scores, k)
