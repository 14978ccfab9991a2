"""Dynamic time warping: the cheapest way to go through two sequences together.

Sakoe and Chiba, "Dynamic Programming Algorithm Optimization for Spoken Word Recognition", IEEE
TASSP 26(1), 1978, without slope weights.
"""

import numpy as np

from models.types import Float64Array, Int64Array

_STEPS = ((1, 1), (1, 0), (0, 1))


def warping_path(cost: Float64Array) -> Int64Array:
    """Return the pairs (i, j) of the cheapest path from the first pair to the last, (L, 2).

    A step goes on by one in either sequence or in both.

    Args:
        cost: Of every pair, shape (N, M), >= 0.
    """
    total = _totals(cost)
    i, j = cost.shape[0] - 1, cost.shape[1] - 1
    path = [(i, j)]
    while i or j:
        before = [(i - di, j - dj) for di, dj in _STEPS if i >= di and j >= dj]
        i, j = min(before, key=lambda pair: float(total[pair]))
        path.append((i, j))
    return np.array(path[::-1], np.int64)


def _totals(cost: Float64Array) -> Float64Array:
    """Cost of the cheapest path to each pair, one diagonal after the other, (N, M)."""
    n, m = cost.shape
    total = np.full((n + 1, m + 1), np.inf)  # a border before the first of each
    total[0, 0] = 0.0
    for diagonal in range(n + m - 1):
        i = np.arange(max(0, diagonal - m + 1), min(n, diagonal + 1))
        j = diagonal - i
        best = np.minimum(np.minimum(total[i, j], total[i, j + 1]), total[i + 1, j])
        total[i + 1, j + 1] = cost[i, j] + best
    return total[1:, 1:]
