import math

import numpy as np
import pytest

from service.index.protocol import NO_ID, Hits
from service.index.queries import Queries
from service.index.rows import Rows
from service.index.scoring import are_certain, best, exact_scores, merged, rescored


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


@pytest.mark.parametrize("dimension", [1, 3, 8, 127, 300])
def test_candidates_get_the_scores_of_the_naive_function_bit_by_bit(dimension):
    rng = np.random.default_rng(2)
    vectors = rng.standard_normal((500, dimension)).astype(np.float32)
    rows = Rows(np.arange(500) * 3, vectors, 0, 100.0)
    queries = rng.standard_normal((40, dimension)).astype(np.float32)
    positions = np.stack([rng.permutation(500)[:60] for _ in range(40)])
    positions[:, 50:] = -1
    hits = rescored(rows, Queries(queries), positions, 70)
    for number, query in enumerate(queries):
        places = positions[number, :50]
        ids, scores = best(rows.ids[places], exact_scores(query, vectors[places]), 50)
        assert hits.ids[number].tolist() == ids.tolist() + [NO_ID] * 20
        assert hits.scores[number].tolist() == scores.tolist() + [-np.inf] * 20


def test_one_query_alone_is_scored_as_in_a_batch():
    rng = np.random.default_rng(4)
    rows = Rows(np.arange(200), rng.standard_normal((200, 33)).astype(np.float32), 0, 100.0)
    queries = rng.standard_normal((9, 33)).astype(np.float32)
    positions = np.stack([rng.permutation(200)[:30] for _ in range(9)])
    together = rescored(rows, Queries(queries), positions, 12)
    for number in range(9):
        some = slice(number, number + 1)
        alone = rescored(rows, Queries(queries[some]), positions[some], 12)
        assert np.array_equal(alone.ids[0], together.ids[number])
        assert np.array_equal(alone.scores[0], together.scores[number])


@pytest.mark.parametrize(
    ("last", "is_certain"), [(0.5, True), (0.79, False)], ids=["clear", "too close"]
)
def test_an_answer_is_certain_only_when_rounding_cannot_hide_a_better_row(last, is_certain):
    rows = rows_on_a_line([0.9, 0.8, 0.5, 0.1])
    query = Queries(np.ones((1, 1), np.float32))
    hits = rescored(rows, query, np.array([[0, 1, 2]]), 2)
    assert hits.ids.tolist() == [[0, 1]]
    certain = are_certain(hits, query, np.array([last], np.float32), 0.1)
    assert certain.tolist() == [is_certain]


def test_an_answer_with_too_few_candidates_is_not_certain():
    rows = rows_on_a_line([0.9, 0.8])
    query = Queries(np.ones((1, 1), np.float32))
    hits = rescored(rows, query, np.array([[0, -1, -1]]), 2)
    assert are_certain(hits, query, np.array([-3e38], np.float32), 0.1).tolist() == [False]


def test_answers_over_different_items_are_merged_by_score_then_id():
    one = Hits(np.array([[4, 2, NO_ID]]), np.array([[0.9, 0.5, -np.inf]], np.float32))
    other = Hits(np.array([[1, 7, NO_ID]]), np.array([[0.5, 0.1, -np.inf]], np.float32))
    both = merged(one, other)
    assert both.ids.tolist() == [[4, 1, 2]]
    assert both.scores.tolist() == [[np.float32(0.9), 0.5, 0.5]]
