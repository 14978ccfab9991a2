"""Metrics against scikit-learn and brute force; only the order of scores may matter."""

from functools import partial
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, ndcg_score

from models.errors import ShapeError
from training.evaluation.chance import chance_average_precision, chance_first_rank, chance_ndcg
from training.evaluation.metrics import (
    average_precision,
    first_relevant_rank,
    ndcg_at,
    precision_at,
)

METRICS = (
    average_precision,
    first_relevant_rank,
    partial(ndcg_at, k=3),
    partial(precision_at, ks=(1,)),
)
RISING = {
    "shift below zero": lambda x: x - 1000.0,
    "scale": lambda x: x * 0.013,
    "cube": lambda x: x**3,
    "exponential": np.exp,
    "single precision": lambda x: np.arctan(x).astype(np.float32),
}

rankings = st.lists(st.tuples(st.integers(-5, 5), st.booleans()), min_size=1, max_size=30).filter(
    lambda items: any(relevant for _, relevant in items)
)


def _arrays(items):
    return (
        np.array([score for score, _ in items], dtype=float),
        np.array([relevant for _, relevant in items]),
    )


@given(rankings)
def test_average_precision_equals_that_of_scikit_learn(items):
    scores, relevant = _arrays(items)
    expected = average_precision_score(relevant, scores)
    assert average_precision(scores, relevant) == pytest.approx(expected, abs=1e-12)


@given(rankings.filter(lambda items: len(items) > 1), st.integers(1, 40))
def test_ndcg_equals_that_of_scikit_learn_with_ties(items, k):
    scores, relevant = _arrays(items)
    expected = ndcg_score(relevant[None].astype(float), scores[None], k=k, ignore_ties=False)
    assert ndcg_at(scores, relevant, k) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("transform", RISING.values(), ids=RISING)
@given(rankings)
def test_metrics_depend_on_the_order_only(transform, items):
    scores, relevant = _arrays(items)
    for metric in METRICS:
        found = metric(transform(scores), relevant)
        np.testing.assert_allclose(found, metric(scores, relevant), atol=1e-12)


@given(rankings, st.randoms(use_true_random=False))
def test_metrics_do_not_depend_on_the_order_of_the_gallery(items, random):
    scores, relevant = _arrays(items)
    order = list(range(len(items)))
    random.shuffle(order)
    for metric in METRICS:
        expected = metric(scores, relevant)
        np.testing.assert_allclose(metric(scores[order], relevant[order]), expected, atol=1e-12)


few_items = st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=1, max_size=6).filter(
    lambda items: any(relevant for _, relevant in items)
)


def _every_order(items):
    """Relevance in rank order, for every order of the gallery that the ties admit."""
    scores, relevant = _arrays(items)
    for order in permutations(range(len(items))):
        # sorted is stable: ties keep the permuted order
        yield relevant[sorted(order, key=lambda i: -scores[i])]


@given(few_items)
def test_first_rank_is_the_mean_over_all_orders_of_ties(items):
    places = [1 + ranked.tolist().index(True) for ranked in _every_order(items)]
    assert first_relevant_rank(*_arrays(items)) == pytest.approx(np.mean(places))


@given(few_items)
def test_precision_is_the_mean_over_all_orders_of_ties(items):
    ks = range(1, len(items) + 1)
    expected = np.mean([[r[:k].mean() for k in ks] for r in _every_order(items)], axis=0)
    scores, relevant = _arrays(items)
    np.testing.assert_allclose(precision_at(scores, relevant, ks), expected, atol=1e-12)


def test_rows_are_measured_one_by_one():
    rng = np.random.default_rng(0)
    scores, relevant = rng.integers(0, 4, (9, 12)).astype(float), rng.random((9, 12)) < 0.4
    relevant[:, 0] = True
    for metric in METRICS:
        expected = [metric(s, r) for s, r in zip(scores, relevant, strict=True)]
        np.testing.assert_allclose(metric(scores, relevant), expected)


def test_negative_scores_are_as_good_as_positive_ones():
    scores, relevant = np.array([-0.1, -0.5, -0.2]), np.array([True, False, True])
    assert average_precision(scores, relevant) == 1.0
    assert first_relevant_rank(scores, relevant) == 1.0
    assert ndcg_at(scores, relevant, 2) == 1.0
    assert precision_at(scores, relevant, (2, 1, 3)).tolist() == [1.0, 1.0, 2 / 3]


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(
    ("scores", "relevant", "message"),
    [
        (np.zeros(3), np.zeros(3, dtype=bool), "at least one relevant"),
        (np.zeros(3), np.ones(2, dtype=bool), "expected scores and relevance"),
        (np.array([np.nan, 1.0]), np.ones(2, dtype=bool), "finite"),
    ],
)
def test_undefined_cases_are_refused(metric, scores, relevant, message):
    with pytest.raises(ShapeError, match=message):
        metric(scores, relevant)


@pytest.mark.parametrize("ks", [(), (0, 1), (1, 4)])
def test_a_cut_off_outside_the_gallery_is_refused(ks):
    with pytest.raises(ShapeError, match="from 1 to 3"):
        precision_at(np.zeros(3), np.ones(3, dtype=bool), ks)


def test_ndcg_of_no_place_is_refused():
    with pytest.raises(ShapeError, match="k >= 1"):
        ndcg_at(np.zeros(3), np.ones(3, dtype=bool), 0)


@pytest.mark.parametrize(("n_gallery", "n_relevant"), [(1, 1), (4, 1), (5, 2), (6, 6), (7, 3)])
def test_chance_is_the_mean_over_all_orders(n_gallery, n_relevant):
    scores = -np.arange(n_gallery, dtype=float)
    orders = set(permutations([True] * n_relevant + [False] * (n_gallery - n_relevant)))
    precision = [average_precision(scores, np.array(order)) for order in orders]
    places = [first_relevant_rank(scores, np.array(order)) for order in orders]
    assert chance_average_precision(n_gallery, n_relevant) == pytest.approx(np.mean(precision))
    expected = [np.mean([place == k for place in places]) for k in range(1, n_gallery + 1)]
    np.testing.assert_allclose(chance_first_rank(n_gallery, n_relevant), expected, atol=1e-12)
    for k in (1, 3, 10):
        gains = [ndcg_at(scores, np.array(order), k) for order in orders]
        assert chance_ndcg(n_gallery, n_relevant, k) == pytest.approx(np.mean(gains))


def test_chance_with_nothing_relevant_is_refused():
    with pytest.raises(ShapeError, match="relevant"):
        chance_average_precision(5, 0)
