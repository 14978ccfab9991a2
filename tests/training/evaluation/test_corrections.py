"""Corrections against loops and their definitions; they read training rows only."""

import numpy as np
import pytest

from training.evaluation.comparison import EmbeddedView
from training.evaluation.corrections import (
    CORRECTIONS,
    NEIGHBOURS,
    SHRINKAGE,
    centred_scores,
    csls_scores,
    measure_corrections,
    plain_scores,
    whitened_scores,
)
from training.evaluation.protocol import CLASS, INSTANCE, measure


def _unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def _rows(seed, n_rows, shift=0.0, n_components=5):
    return _unit(np.random.default_rng(seed).normal(size=(n_rows, n_components)) + shift)


@pytest.fixture
def problem():
    """Queries, gallery and training rows of two views on opposite sides of the sphere."""
    return _rows(0, 20, 0.8), _rows(1, 30, -0.8), _rows(2, 50, 0.8), _rows(3, 60, -0.8)


def test_no_correction_gives_cosines(problem):
    queries, gallery, *_ = problem
    np.testing.assert_allclose(plain_scores(*problem), queries @ gallery.T, atol=1e-6)


def test_centred_scores_equal_a_loop(problem):
    queries, gallery, train_queries, train_gallery = problem
    found = centred_scores(*problem)
    for i, query in enumerate(queries):
        for j, item in enumerate(gallery):
            x, y = query - train_queries.mean(axis=0), item - train_gallery.mean(axis=0)
            expected = float(x @ y) / np.linalg.norm(x) / np.linalg.norm(y)
            assert found[i, j] == pytest.approx(expected, abs=1e-5)


def test_whitened_scores_are_cosines_under_the_inverse_root_of_the_covariance(problem):
    queries, gallery, train_queries, train_gallery = (rows.astype(float) for rows in problem)

    def whitened(rows, train):
        covariance = np.cov(train.T, bias=True)
        covariance += SHRINKAGE * np.trace(covariance) / 5 * np.eye(5)
        U, s, Vt = np.linalg.svd(covariance)
        rows = (rows - train.mean(axis=0)) @ (U / np.sqrt(s)) @ Vt
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    expected = whitened(queries, train_queries) @ whitened(gallery, train_gallery).T
    np.testing.assert_allclose(whitened_scores(*problem), expected, atol=1e-5)


def test_csls_equals_a_loop(problem):
    queries, gallery, train_queries, train_gallery = problem
    found = csls_scores(*problem)
    for i, query in enumerate(queries):
        for j, item in enumerate(gallery):
            near = sorted((float(query @ t) for t in train_gallery), reverse=True)
            popular = sorted((float(item @ t) for t in train_queries), reverse=True)
            expected = 2 * float(query @ item) - np.mean(near[:10]) - np.mean(popular[:10])
            assert found[i, j] == pytest.approx(expected, abs=1e-5)
    assert NEIGHBOURS == 10


def test_csls_with_few_training_rows_takes_them_all(problem):
    queries, gallery, train_queries, train_gallery = problem
    found = csls_scores(queries, gallery, train_queries[:3], train_gallery[:4])
    near = (queries @ train_gallery[:4].T).mean(axis=1)
    popular = (gallery @ train_queries[:3].T).mean(axis=1)
    expected = 2 * queries @ gallery.T - near[:, None] - popular[None, :]
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("name", CORRECTIONS)
def test_a_query_is_answered_alone_as_among_others(name, problem):
    queries, gallery, *train = problem
    together = CORRECTIONS[name](queries, gallery, *train)
    alone = CORRECTIONS[name](queries[4:5], gallery[7:9], *train)
    np.testing.assert_allclose(alone, together[4:5, 7:9], atol=1e-6)
    assert together.shape == (20, 30)
    assert together.dtype == np.float32


@pytest.mark.parametrize("name", CORRECTIONS)
def test_a_space_of_one_point_gives_every_item_one_score(name):
    row = _rows(4, 1)
    found = CORRECTIONS[name](*(np.tile(row, (n, 1)) for n in (3, 4, 12, 13)))
    assert np.isfinite(found).all()
    assert len(np.unique(found)) == 1


def _view(rows, labels, prefix="item"):
    return EmbeddedView(rows, np.array([f"{prefix} {i}" for i in range(len(rows))]), labels)


def _shifted_views(seed, n_rows):
    """Partners near each other, after which one view is moved by a constant and given a hub."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n_rows) % 3
    rows = np.eye(6)[labels] + 0.4 * rng.normal(size=(n_rows, 6))
    noisy = [rows + 0.2 * rng.normal(size=rows.shape) for _ in range(2)]
    noisy[1][:, 3] += 4.0 * rng.random(n_rows)
    return {n: _view(_unit(r), labels) for n, r in zip(("audio", "visual"), noisy, strict=True)}


def test_each_correction_is_measured_in_each_direction_beside_none():
    views, train = _shifted_views(5, 60), _shifted_views(6, 90)
    found = measure_corrections(views, train)
    assert [(f.query, f.protocol, f.metric, f.correction) for f in found] == [
        (query, protocol, metric, name)
        for query in ("audio", "visual")
        for protocol, metric in ((CLASS, "map"), (INSTANCE, "mrr"))
        for name in CORRECTIONS
    ]
    embedded = {name: view.embedding for name, view in views.items()}
    expected = {(d.protocol, d.query): d.scores for d in measure(embedded, views)}
    plain = {(f.protocol, f.query): f for f in found if f.correction == "none"}
    for key, figure in plain.items():
        assert figure.value == pytest.approx(expected[key].as_dict()[figure.metric])
        assert figure.gain == 0.0
    for figure in found:
        base = plain[figure.protocol, figure.query].value
        assert figure.gain == pytest.approx(figure.value - base)


def test_centring_brings_back_what_a_constant_shift_took():
    views, train = _shifted_views(5, 60), _shifted_views(6, 90)
    gains = {
        (f.correction, f.query): f.gain
        for f in measure_corrections(views, train)
        if f.protocol == CLASS
    }
    assert gains["centred", "visual"] > 0.02
    assert gains["centred", "audio"] > 0.02


def test_rows_that_nothing_relates_have_no_figures():
    views = {
        "audio": _view(_rows(0, 4), None, "audio"),
        "visual": _view(_rows(1, 4), None, "visual"),
    }
    assert measure_corrections(views, views) == []
