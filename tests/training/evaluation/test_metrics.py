"""Metrics against scikit-learn and brute force; only the order of scores may matter."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from models.errors import ShapeError
from training.evaluation.chance import chance_average_precision, chance_first_rank
from training.evaluation.metrics import average_precision, first_relevant_rank

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


@given(rankings, st.floats(-100, 100), st.floats(0.01, 50))
def test_metrics_depend_on_the_order_only(items, shift, scale):
    scores, relevant = _arrays(items)
    moved = scores * scale + shift
    # equal scores stay equal and distinct ones stay distinct for these integers
    assert average_precision(moved, relevant) == pytest.approx(average_precision(scores, relevant))
    assert first_relevant_rank(moved, relevant) == first_relevant_rank(scores, relevant)


@given(
    st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=1, max_size=6).filter(
        lambda items: any(r for _, r in items)
    )
)
def test_first_rank_is_the_mean_over_all_orders_of_ties(items):
    scores, relevant = _arrays(items)
    places = []
    for order in permutations(range(len(items))):
        ranked = sorted(order, key=lambda i: -scores[i])  # stable: ties keep the permuted order
        places.append(1 + [bool(relevant[i]) for i in ranked].index(True))
    assert first_relevant_rank(scores, relevant) == pytest.approx(np.mean(places))


def test_rows_are_measured_one_by_one():
    rng = np.random.default_rng(0)
    scores, relevant = rng.integers(0, 4, (9, 12)).astype(float), rng.random((9, 12)) < 0.4
    relevant[:, 0] = True
    for metric in (average_precision, first_relevant_rank):
        expected = [metric(s, r) for s, r in zip(scores, relevant, strict=True)]
        np.testing.assert_allclose(metric(scores, relevant), expected)


def test_negative_scores_are_as_good_as_positive_ones():
    scores, relevant = np.array([-0.1, -0.5, -0.2]), np.array([True, False, True])
    assert average_precision(scores, relevant) == 1.0
    assert first_relevant_rank(scores, relevant) == 1.0


@pytest.mark.parametrize("metric", [average_precision, first_relevant_rank])
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


@pytest.mark.parametrize(("n_gallery", "n_relevant"), [(1, 1), (4, 1), (5, 2), (6, 6), (7, 3)])
def test_chance_is_the_mean_over_all_orders(n_gallery, n_relevant):
    scores = -np.arange(n_gallery, dtype=float)
    orders = set(permutations([True] * n_relevant + [False] * (n_gallery - n_relevant)))
    precision = [average_precision(scores, np.array(order)) for order in orders]
    places = [first_relevant_rank(scores, np.array(order)) for order in orders]
    assert chance_average_precision(n_gallery, n_relevant) == pytest.approx(np.mean(precision))
    expected = [np.mean([place == k for place in places]) for k in range(1, n_gallery + 1)]
    np.testing.assert_allclose(chance_first_rank(n_gallery, n_relevant), expected, atol=1e-12)


def test_chance_with_nothing_relevant_is_refused():
    with pytest.raises(ShapeError, match="relevant"):
        chance_average_precision(5, 0)
