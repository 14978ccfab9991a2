"""The search over settings against fits of each setting by itself."""

from dataclasses import replace

import numpy as np
import pytest

from models.cca.linear_cca import fit_linear_cca
from models.cca.mean_cca import fit_mean_cca
from tests.training.feature_sets import paired_features, unpaired_features
from training.loops.linear_config import LinearChoice, LinearConfig
from training.loops.linear_problem import (
    CCA,
    CLUSTER_CCA,
    MEAN_CCA,
    LinearProblem,
    StandardisedRows,
)
from training.loops.linear_search import best_setting, fit_setting, search_settings

CONFIG = LinearConfig(
    ridges=(0.01, 1.0), betas=(0.0, 1.0), correlation_powers=(0.0, 2.0), n_components=(2, 9)
)


def _search(method, data, config=CONFIG):
    problem = LinearProblem(method, data)
    rows = StandardisedRows(problem.train)
    held_out = rows.of(problem.validation)
    found = search_settings(problem, rows.fitted, held_out, config, progress=False)
    return problem, rows, held_out, found


@pytest.mark.parametrize("method", [CCA, CLUSTER_CCA, MEAN_CCA])
def test_the_score_of_a_setting_is_that_of_its_own_fit(method):
    problem, rows, held_out, tried = _search(method, paired_features(seed=0))
    for choice in tried:
        solved = fit_setting(problem, problem.train, rows.fitted, choice)
        embedded = {}
        for name, mean, weights in zip(held_out, solved.means, solved.weights, strict=True):
            z = (held_out[name] - mean) @ weights
            unit = z / np.linalg.norm(z, axis=1, keepdims=True)
            embedded[name] = unit.astype(np.float32)
        assert problem.score(embedded) == pytest.approx(choice.validation_score, abs=1e-6)


GRID = replace(CONFIG, ridges=(0.01, 1.0, 100.0), betas=(0.0, 0.5, 1.0))


def _points(tried):
    """(beta, ridge) in the order in which they were tried, each with every power and size."""
    points = list(dict.fromkeys((choice.beta, choice.ridge) for choice in tried))
    sizes = {0.0: (3,), 0.5: (2, 5), 1.0: (2, 5)}
    assert [(t.beta, t.ridge, t.correlation_power, t.n_components) for t in tried] == [
        (beta, ridge, power, size)
        for beta, ridge in points
        for power in (0.0, 2.0)
        for size in sizes[beta]
    ]
    return points


@pytest.mark.parametrize("betas", [(0.0, 0.5, 1.0), (0.5, 0.0, 1.0)])
def test_ridges_are_tried_at_the_middle_share_then_the_shares_then_ridges_at_the_best(betas):
    config = replace(GRID, betas=betas)
    _, _, _, tried = _search(CLUSTER_CCA, paired_features(seed=1), config)
    points = _points(tried)
    assert points[:3] == [(betas[1], ridge) for ridge in config.ridges]
    ridge = best_setting([t for t in tried if (t.beta, t.ridge) in points[:3]]).ridge
    assert points[3:5] == [(betas[0], ridge), (betas[2], ridge)]
    share = best_setting([t for t in tried if (t.beta, t.ridge) in points[:5]]).beta
    assert (share == betas[1]) == (betas[1] == 0.5)  # same-class pairs alone do not find partners
    others = [r for r in config.ridges if r != ridge] if share != betas[1] else []
    assert points[5:] == [(share, r) for r in others]


def test_without_labels_or_true_pairs_there_is_one_share_and_every_ridge_is_tried():
    for method, data, share in (
        (CCA, paired_features(seed=1), 1.0),
        (CLUSTER_CCA, unpaired_features(seed=1), 0.0),
        (MEAN_CCA, paired_features(seed=1), 0.0),
    ):
        _, _, _, tried = _search(method, data, GRID)
        assert _points(tried) == [(share, 0.01), (share, 1.0), (share, 100.0)]


def test_a_setting_is_the_closed_form_with_directions_scaled_by_their_correlations():
    problem, rows, _, _ = _search(CCA, paired_features(seed=2))
    choice = LinearChoice(0.3, 1.0, 2.0, 3, 0.0)
    fit = fit_setting(problem, problem.train, rows.fitted, choice)
    expected = fit_linear_cca(list(rows.fitted.values()), n_components=3, ridge=0.3)
    np.testing.assert_allclose(fit.correlations, expected.correlations, atol=1e-10)
    for ours, weights in zip(fit.weights, expected.weights, strict=True):
        np.testing.assert_allclose(ours, weights * expected.correlations**2, atol=1e-8)


def test_a_setting_of_mean_cca_is_fitted_on_class_means():
    problem, rows, _, _ = _search(MEAN_CCA, paired_features(seed=3))
    labels = [view.labels for view in problem.train.values()]
    fit = fit_setting(problem, problem.train, rows.fitted, LinearChoice(0.3, 0.0, 0.0, 3, 0.0))
    expected = fit_mean_cca(list(rows.fitted.values()), labels, n_components=3, ridge=0.3)
    np.testing.assert_allclose(fit.weights[1], expected.weights[1], atol=1e-10)


def test_a_setting_has_no_more_directions_than_the_features_it_is_fitted_on():
    problem, rows, _, _ = _search(CCA, paired_features(seed=4))
    fit = fit_setting(problem, problem.train, rows.fitted, LinearChoice(0.3, 1.0, 0.0, 6, 0.0))
    assert [w.shape for w in fit.weights] == [(6, 5), (5, 5)]


def test_of_equal_settings_that_with_the_largest_ridge_is_best():
    weak = LinearChoice(0.1, 1.0, 0.0, 3, 0.5)
    strong, worse = replace(weak, ridge=3.0), replace(weak, ridge=9.0, validation_score=0.4)
    assert best_setting([weak, strong, worse]) is strong


def test_progress_is_shown_when_asked_for(capsys):
    problem, rows, held_out, _ = _search(CCA, paired_features(seed=5))
    search_settings(problem, rows.fitted, held_out, CONFIG, progress=True)
    assert "cca: settings" in capsys.readouterr().err
