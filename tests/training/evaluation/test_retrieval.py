"""Retrieval figures against a naive loop, chance against simulation."""

import numpy as np
import pytest

from models.errors import ShapeError
from training.evaluation import retrieval
from training.evaluation.retrieval import chance_retrieval, score_retrieval


def _unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def problem():
    rng = np.random.default_rng(0)
    queries, gallery = _unit(rng.normal(size=(20, 4))), _unit(rng.normal(size=(30, 4)))
    return queries, gallery, rng.integers(0, 3, 20), rng.integers(0, 3, 30)


def test_figures_equal_a_naive_loop(problem):
    queries, gallery, query_keys, gallery_keys = problem
    scores = score_retrieval(*problem)
    precisions, ranks = [], []
    for query, key in zip(queries, query_keys, strict=True):
        order = sorted(range(30), key=lambda g: -float(np.dot(query, gallery[g])))
        hits, precision = 0, []
        for place, item in enumerate(order, start=1):
            if gallery_keys[item] == key:
                hits += 1
                precision.append(hits / place)
                if hits == 1:
                    ranks.append(place)
        precisions.append(np.mean(precision))
    assert scores.map == pytest.approx(np.mean(precisions))
    assert scores.mrr == pytest.approx(np.mean([1 / r for r in ranks]))
    assert scores.median_rank == np.median(ranks)
    assert scores.recall == {k: pytest.approx(np.mean([r <= k for r in ranks])) for k in (1, 5, 10)}
    assert (scores.n_queries, scores.n_gallery) == (20, 30)


def test_many_queries_are_ranked_in_blocks_to_the_same_figures(problem, monkeypatch):
    whole = score_retrieval(*problem)
    monkeypatch.setattr(retrieval, "QUERIES_AT_ONCE", 7)
    blocks = score_retrieval(*problem)
    assert blocks.as_dict() == pytest.approx(whole.as_dict())
    np.testing.assert_allclose(blocks.ranks, whole.ranks)


def test_chance_equals_the_mean_over_random_orders(problem):
    _, _, query_keys, gallery_keys = problem
    rng = np.random.default_rng(1)
    chance = chance_retrieval(query_keys, gallery_keys)
    runs = [
        score_retrieval(
            _unit(rng.normal(size=(20, 6))),
            _unit(rng.normal(size=(30, 6))),
            query_keys,
            gallery_keys,
        )
        for _ in range(400)
    ]
    assert chance.map == pytest.approx(np.mean([r.map for r in runs]), abs=0.01)
    assert chance.mrr == pytest.approx(np.mean([r.mrr for r in runs]), abs=0.02)
    assert chance.recall[5] == pytest.approx(np.mean([r.recall[5] for r in runs]), abs=0.02)


def test_a_space_that_gives_one_point_scores_as_chance_in_any_gallery_order():
    keys = np.repeat(np.arange(10), 20)
    rows = np.tile(np.array([[1, 0]], np.float32), (200, 1))
    scores, chance = score_retrieval(rows, rows, keys, keys), chance_retrieval(keys, keys)
    assert scores.map == pytest.approx(0.1)
    assert scores.map <= chance.map
    assert scores.mrr <= chance.mrr


def test_a_perfect_space_scores_one():
    rows = np.eye(8, dtype=np.float32)
    scores = score_retrieval(rows, rows, np.arange(8), np.arange(8))
    assert scores.as_dict() == {
        "map": 1.0,
        "mrr": 1.0,
        "median_rank": 1.0,
        "recall@1": 1.0,
        "recall@5": 1.0,
        "recall@10": 1.0,
    }


def test_a_query_with_nothing_to_find_is_refused(problem):
    queries, gallery, query_keys, gallery_keys = problem
    query_keys[3] = 99
    with pytest.raises(ShapeError, match="99"):
        score_retrieval(queries, gallery, query_keys, gallery_keys)


def test_a_row_without_a_key_is_refused(problem):
    queries, gallery, query_keys, gallery_keys = problem
    with pytest.raises(ShapeError, match="key per row"):
        score_retrieval(queries, gallery, query_keys[:-1], gallery_keys)
