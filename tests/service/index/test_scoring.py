import math

import numpy as np
import pytest

from service.index.rows import Rows
from service.index.scoring import best, certain_best, exact_scores


def test_scores_are_correctly_rounded_inner_products():
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((50, 129)).astype(np.float32)
    query = rng.standard_normal(129).astype(np.float32)
    expected = [
        np.float32(math.fsum(float(a) * float(b) for a, b in zip(row, query, strict=True)))
        for row in vectors
    ]
    assert exact_scores(query, vectors).tolist() == expected


@pytest.mark.parametrize("dimension", [1, 2, 7, 64, 300])
def test_a_score_does_not_depend_on_the_rows_beside_it(dimension):
    rng = np.random.default_rng(1)
    vectors = rng.standard_normal((9000, dimension)).astype(np.float32)
    query = rng.standard_normal(dimension).astype(np.float32)
    together = exact_scores(query, vectors)
    for row in (0, 1, 4095, 8999):
        assert exact_scores(query, vectors[row : row + 1])[0] == together[row]
        assert exact_scores(query, vectors[max(0, row - 3) : row + 1])[-1] == together[row]


def test_best_orders_by_score_then_id_and_takes_what_there_is():
    ids, scores = np.array([9, 2, 5, 7]), np.array([0.5, 1.0, 0.5, -1.0], np.float32)
    assert best(ids, scores, 2)[0].tolist() == [2, 5]
    assert best(ids, scores, 9)[0].tolist() == [2, 5, 9, 7]


def rows_on_a_line(values):
    vectors = np.array(values, np.float32)[:, None]
    return Rows(np.arange(len(values)), vectors, 0, float(np.abs(vectors).max()))


@pytest.mark.parametrize(
    ("positions", "scores", "is_certain"),
    [
        ([0, 1, 2], [0.9, 0.8, 0.5], True),
        ([0, 1, 2], [0.9, 0.8, 0.79], False),
        ([0, -1, -1], [0.9, -3e38, -3e38], False),
    ],
    ids=["clear", "too close", "too few"],
)
def test_candidates_are_certain_only_when_rounding_cannot_hide_a_better_row(
    positions, scores, is_certain
):
    rows = rows_on_a_line([0.9, 0.8, 0.5, 0.1])
    query = np.ones(1, np.float32)
    candidates = (np.array(positions), np.array(scores, np.float32), 0.1)
    found = certain_best(rows, query, 2, candidates)
    assert (found is not None) == is_certain
    if found is not None:
        assert found[0].tolist() == [0, 1]
