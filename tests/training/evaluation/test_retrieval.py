"""Retrieval figures against a naive loop, chance against simulation."""

import numpy as np
import pytest
from sklearn.metrics import ndcg_score

from models.errors import ShapeError
from training.evaluation import retrieval
from training.evaluation.chance import chance_retrieval
from training.evaluation.retrieval import class_averaged, score_retrieval, score_similarities


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
    np.testing.assert_allclose(scores.average_precisions, precisions)
    np.testing.assert_allclose(scores.ranks, ranks)
    assert scores.map == pytest.approx(np.mean(precisions))
    assert scores.mrr == pytest.approx(np.mean([1 / r for r in ranks]))
    assert scores.median_rank == np.median(ranks)
    assert scores.recall == {k: pytest.approx(np.mean([r <= k for r in ranks])) for k in (1, 5, 10)}
    assert (scores.n_queries, scores.n_gallery) == (20, 30)
    np.testing.assert_array_equal(scores.query_keys, query_keys)


def test_ndcg_equals_that_of_scikit_learn(problem):
    queries, gallery, query_keys, gallery_keys = problem
    relevance = (query_keys[:, None] == gallery_keys[None, :]).astype(float)
    expected = ndcg_score(relevance, queries @ gallery.T, k=10)
    assert score_retrieval(*problem).ndcg_at_10 == pytest.approx(expected)


def test_given_similarities_are_scored_as_those_of_the_rows(problem, monkeypatch):
    queries, gallery, *keys = problem
    expected = score_retrieval(*problem).as_dict()
    monkeypatch.setattr(retrieval, "QUERIES_AT_ONCE", 6)
    assert score_similarities(5 * (queries @ gallery.T) - 9, *keys).as_dict() == expected


def test_class_averages_give_each_class_the_same_weight(problem):
    queries, gallery, _, gallery_keys = problem
    query_keys = np.array([0] * 14 + [1] * 5 + [2])
    scores = score_retrieval(queries, gallery, query_keys, gallery_keys)
    averaged = class_averaged(scores)
    by_class = [query_keys == c for c in range(3)]
    means = {
        "map": [scores.average_precisions[rows].mean() for rows in by_class],
        "mrr": [(1 / scores.ranks[rows]).mean() for rows in by_class],
        "ndcg@10": [scores.ndcgs[rows].mean() for rows in by_class],
        "recall@5": [(scores.ranks[rows] <= 5).mean() for rows in by_class],
    }
    for name, values in means.items():
        assert averaged.as_dict()[name] == pytest.approx(np.mean(values))
    weights = [70 // rows.sum() for rows in by_class]
    ranks = [np.repeat(scores.ranks[r], w) for r, w in zip(by_class, weights, strict=True)]
    repeated = np.sort(np.concatenate(ranks))
    assert averaged.median_rank == repeated[(len(repeated) - 1) // 2]
    np.testing.assert_array_equal(averaged.average_precisions, scores.average_precisions)


def test_class_averages_of_equal_classes_change_no_mean(problem):
    queries, gallery, _, gallery_keys = problem
    scores = score_retrieval(queries[:18], gallery, np.arange(18) % 3, gallery_keys)
    found, expected = class_averaged(scores).as_dict(), scores.as_dict()
    del found["median_rank"], expected["median_rank"]
    assert found == pytest.approx(expected)


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
    assert chance.ndcg_at_10 == pytest.approx(np.mean([r.ndcg_at_10 for r in runs]), abs=0.01)
    simulated = np.mean([r.average_precisions for r in runs], axis=0)
    np.testing.assert_allclose(chance.average_precisions, simulated, atol=0.05)


def test_chance_of_class_averages_equals_the_mean_over_random_orders(problem):
    _, _, query_keys, gallery_keys = problem
    query_keys[:15] = 0
    rng = np.random.default_rng(2)
    chance = chance_retrieval(query_keys, gallery_keys, by_class=True).as_dict()
    runs = []
    for _ in range(400):
        scores = score_similarities(rng.random((20, 30)), query_keys, gallery_keys)
        runs.append(class_averaged(scores).as_dict())
    for name in ("map", "mrr", "recall@1", "recall@10", "ndcg@10"):
        assert chance[name] == pytest.approx(np.mean([run[name] for run in runs]), abs=0.02)


def test_chance_of_finding_one_partner_is_that_of_a_uniform_place():
    keys = np.array([f"item {i}" for i in range(40)])
    chance = chance_retrieval(keys, keys)
    assert chance.mrr == pytest.approx(np.mean(1 / np.arange(1, 41)))
    assert chance.map == pytest.approx(chance.mrr)
    assert chance.recall[10] == pytest.approx(0.25)
    assert chance.median_rank == 21


@pytest.mark.parametrize("n_components", [3, 10, 64])
def test_equal_rows_tie_in_every_place_of_the_gallery(n_components):
    keys = np.repeat(np.arange(10), 33)
    row = _unit(np.random.default_rng(n_components).normal(size=(1, n_components)))
    rows = np.tile(row, (330, 1))
    scores = score_retrieval(rows, rows, keys, keys)
    assert scores.map == pytest.approx(0.1)
    assert scores.ndcg_at_10 == pytest.approx(0.1)


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
        "ndcg@10": 1.0,
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


def test_chance_without_queries_is_refused(problem):
    with pytest.raises(ShapeError, match="key per row"):
        chance_retrieval(problem[2][:0], problem[3])
