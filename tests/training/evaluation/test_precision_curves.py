"""Precision curves against naive loops and scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import precision_recall_curve as sklearn_curve

from models.errors import ShapeError
from training.evaluation import retrieval
from training.evaluation.metrics import precision_at
from training.evaluation.precision_curves import (
    precision_recall_curve,
    precision_scope_curve,
    scope_grid,
)


def _unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def problem():
    """Rows that repeat, so that many similarities are tied."""
    rng = np.random.default_rng(0)
    points = _unit(rng.normal(size=(12, 3)))
    queries, gallery = points[rng.integers(0, 12, 17)], points[rng.integers(0, 12, 40)]
    return queries, gallery, rng.integers(0, 3, 17), rng.integers(0, 3, 40)


def _naive_interpolated(scores, relevant, levels):
    """For each level the best precision over all thresholds that reach it."""
    cuts = []
    for threshold in np.unique(scores):
        taken = scores >= threshold
        cuts.append((relevant[taken].sum() / relevant.sum(), relevant[taken].mean()))
    return [max(p for r, p in cuts if r >= level - 1e-12) for level in levels]


@pytest.mark.parametrize("n_points", [2, 11, 101])
def test_precision_against_recall_equals_a_naive_loop(problem, n_points):
    queries, gallery, query_keys, gallery_keys = problem
    scores = (queries.astype(float) @ gallery.astype(float).T).astype(np.float32)
    curve = precision_recall_curve(*problem, n_points=n_points)
    np.testing.assert_allclose(curve.recall, np.linspace(0, 1, n_points))
    rows = [
        _naive_interpolated(s, gallery_keys == key, curve.recall)
        for s, key in zip(scores, query_keys, strict=True)
    ]
    np.testing.assert_allclose(curve.precision, np.mean(rows, axis=0))


def test_one_curve_has_the_points_of_scikit_learn():
    rng = np.random.default_rng(3)
    gallery, keys = _unit(rng.normal(size=(30, 3))), np.arange(30) % 3
    query = _unit(rng.normal(size=(1, 3)))
    precision, recall, _ = sklearn_curve(keys == 0, (query @ gallery.T)[0])
    curve = precision_recall_curve(query, gallery, keys[:1], keys, n_points=11)
    precision, recall = precision[:-1], recall[:-1]  # without its last point, which no item gives
    expected = [precision[recall >= level - 1e-9].max() for level in curve.recall]
    np.testing.assert_allclose(curve.precision, expected)


def test_precision_against_scope_is_the_mean_precision_at_k(problem):
    queries, gallery, query_keys, gallery_keys = problem
    scores = (queries.astype(float) @ gallery.astype(float).T).astype(np.float32)
    relevant = query_keys[:, None] == gallery_keys[None, :]
    curve = precision_scope_curve(*problem)
    expected = precision_at(scores, relevant, curve.scope.tolist()).mean(axis=0)
    np.testing.assert_allclose(curve.precision, expected)
    assert curve.scope[0] == 1
    assert curve.scope[-1] == 40
    assert curve.precision[-1] == pytest.approx(curve.chance)  # the whole gallery
    chosen = precision_scope_curve(*problem, scope=(2, 5))
    np.testing.assert_allclose(chosen.precision, curve.precision[[1, 4]])


def test_chance_is_the_share_of_relevant_items(problem):
    _, _, query_keys, gallery_keys = problem
    expected = np.mean([(gallery_keys == key).mean() for key in query_keys])
    assert precision_recall_curve(*problem).chance == pytest.approx(expected)
    assert precision_scope_curve(*problem).chance == pytest.approx(expected)


def test_a_space_of_one_point_has_the_curves_of_chance():
    keys = np.arange(40) % 4
    rows = np.tile(np.array([[0.6, 0.8]], np.float32), (40, 1))
    np.testing.assert_allclose(precision_recall_curve(rows, rows, keys, keys).precision, 0.25)
    np.testing.assert_allclose(precision_scope_curve(rows, rows, keys, keys).precision, 0.25)


def test_a_perfect_space_is_right_at_every_recall():
    keys = np.arange(40) % 4
    rows = np.eye(4, dtype=np.float32)[keys]
    np.testing.assert_allclose(precision_recall_curve(rows, rows, keys, keys).precision, 1.0)
    curve = precision_scope_curve(rows, rows, keys, keys, scope=(1, 10, 20))
    np.testing.assert_allclose(curve.precision, [1.0, 1.0, 0.5])


def test_blocks_of_queries_give_the_same_curves(problem, monkeypatch):
    by_recall, by_scope = precision_recall_curve(*problem), precision_scope_curve(*problem)
    monkeypatch.setattr(retrieval, "QUERIES_AT_ONCE", 5)
    found = precision_recall_curve(*problem).precision
    np.testing.assert_allclose(found, by_recall.precision)
    np.testing.assert_allclose(precision_scope_curve(*problem).precision, by_scope.precision)


@pytest.mark.parametrize("n_gallery", [1, 2, 39, 5620])
def test_the_grid_of_scopes_rises_from_one_to_the_gallery(n_gallery):
    grid = scope_grid(n_gallery)
    assert grid[0] == 1
    assert grid[-1] == n_gallery
    assert np.all(np.diff(grid) > 0)
    assert len(grid) <= 40


def test_undefined_curves_are_refused(problem):
    queries, gallery, query_keys, gallery_keys = problem
    with pytest.raises(ShapeError, match="at least 2"):
        precision_recall_curve(*problem, n_points=1)
    with pytest.raises(ShapeError, match="cut-offs from 1 to 40"):
        precision_scope_curve(*problem, scope=(1, 41))
    with pytest.raises(ShapeError, match="key per row"):
        precision_recall_curve(queries, gallery, query_keys, gallery_keys[1:])
