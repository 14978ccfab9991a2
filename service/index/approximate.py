"""Search through an approximate structure: its candidates, the exact scores, a stable order.

For a query there is one list of candidates, whatever k is; the answer is its start. So the first k
answers are the start of the first k + m. Behind the end of that list the ranking goes on exactly;
a row that belongs before the end and was missed comes only when all rows are asked for.
"""

import numpy as np

from models.types import Float32Array, Int64Array
from service.index.ann import Effort, Finder
from service.index.eligible import Eligible
from service.index.exact import (
    SPARE,
    CpuScanner,
    flat_search,
    single_rounding_error,
    subset_search,
)
from service.index.protocol import NO_ID, Hits
from service.index.queries import Queries
from service.index.rows import Rows
from service.index.scoring import are_certain, doubt, no_hits, put, rescored, rescored_one

# So few rows are scored one by one, whatever their share: at once, and without missing any.
_FEW_ROWS = 2048
# Candidates beyond k that settle the order of the k best where scores are exact but for rounding.
_SPARE = 4


def approximate_search(
    finder: Finder,
    effort: Effort,
    cpu: CpuScanner,
    rows: Rows,
    queries: Queries,
    k: int,
    eligible: Eligible,
) -> Hits:
    """Return about the k best of the eligible rows: k of them whenever there are so many.

    Args:
        finder: Over the rows.
        effort: How hard to look when all rows may answer; a filter raises it.
        cpu: Who scans.
        rows: The table.
        queries: Shape (B, K).
        k: Number of answers, >= 1.
        eligible: Which rows may answer.
    """
    few = max(_FEW_ROWS, finder.fewest_share * eligible.n_rows)
    if eligible.count <= k or (eligible.count < few and not eligible.is_all):
        return subset_search(cpu, rows, queries, k, eligible.positions)
    cpu.claim_threads()
    if len(queries) == 1 and eligible.is_all and finder.scores_are_exact:
        found = _one_candidate_list(finder, effort, rows, queries, k, eligible)
        if found is not None:
            return found
    hits = _candidates(finder, effort, rows, queries, min(k, effort.depth), eligible)
    if k > effort.depth:
        hits = _padded(hits, k)
    for number in np.flatnonzero(hits.ids[:, -1] == NO_ID).tolist():
        found = hits.ids[number] >= 0
        start = hits.ids[number][found], hits.scores[number][found]
        query = queries.take(np.array([number]))
        put(hits, number, _continued(start, cpu, rows, query, k, eligible))
    return hits


def _one_candidate_list(
    finder: Finder, effort: Effort, rows: Rows, queries: Queries, k: int, eligible: Eligible
) -> Hits | None:
    """What ``_candidates`` gives for the commonest question, without what that does not need."""
    if k + _SPARE > effort.depth:
        return None
    scores, positions = finder.search(queries, k + _SPARE, effort.width, eligible)
    if positions[0, -1] < 0:
        return None
    query = queries.wide[0]
    hits = rescored_one(rows, query, positions[0], k)
    slack = doubt(query, single_rounding_error(queries.dimension) * rows.largest_norm)
    return hits if scores[0, -1] + slack < hits.scores[0, -1] else None


def _candidates(
    finder: Finder, effort: Effort, rows: Rows, queries: Queries, k: int, eligible: Eligible
) -> Hits:
    """Return the k <= depth best of the structure's candidates."""
    width = finder.widened(effort.width, eligible.share)
    few = k + _SPARE
    if not finder.scores_are_exact or few >= effort.depth:
        _, positions = finder.search(queries, effort.depth, width, eligible)
        return rescored(rows, queries, positions, k)
    scores, positions = finder.search(queries, few, width, eligible)
    hits = rescored(rows, queries, positions, k)
    error = single_rounding_error(queries.dimension) * rows.largest_norm
    certain = are_certain(hits, queries, scores[:, -1], error)
    if not certain.all():
        waiting = np.flatnonzero(~certain)
        some = queries.take(waiting)
        _, positions = finder.search(some, effort.depth, width, eligible)
        rest = rescored(rows, some, positions, k)
        hits.ids[waiting], hits.scores[waiting] = rest.ids, rest.scores
    return hits


def _padded(hits: Hits, k: int) -> Hits:
    wider = no_hits(len(hits.ids), k)
    wider.ids[:, : hits.ids.shape[1]] = hits.ids
    wider.scores[:, : hits.ids.shape[1]] = hits.scores
    return wider


def _continued(
    start: tuple[Int64Array, Float32Array],
    cpu: CpuScanner,
    rows: Rows,
    query: Queries,
    k: int,
    eligible: Eligible,
) -> tuple[Int64Array, Float32Array]:
    """Go on behind the candidates with what an exact search has there."""
    ids, scores = start
    n = min(eligible.count, k + SPARE)
    while True:
        exact = flat_search(cpu, cpu, rows, query, n, eligible)
        all_ids, all_scores = exact.ids[0], exact.scores[0]
        if len(ids):
            behind = (all_scores < scores[-1]) | ((all_scores == scores[-1]) & (all_ids > ids[-1]))
            all_ids, all_scores = all_ids[behind], all_scores[behind]
        if len(ids) + len(all_ids) >= k:
            found = np.concatenate([ids, all_ids]), np.concatenate([scores, all_scores])
            return found[0][:k], found[1][:k]
        if n == eligible.count:  # nearly everything is asked for: the ranking itself
            return exact.ids[0][:k], exact.scores[0][:k]
        n = min(eligible.count, 4 * n)
