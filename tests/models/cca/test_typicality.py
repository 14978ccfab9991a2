"""Distance to the training data against SciPy's Mahalanobis distance and known Gaussians."""

import numpy as np
import pytest
from scipy.spatial.distance import mahalanobis

from models.cca.standardise import fit_standardiser
from models.cca.typicality import MARGIN, QUANTILE, fit_typicality


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(4, 12))
    return rng.normal(size=(600, 4)) @ mixing + 0.1 * rng.normal(size=(600, 12))


def test_distance_equals_mahalanobis_with_the_low_rank_covariance(rows):
    model = fit_typicality(rows[:400], rows[400:])
    rest = np.eye(12) - model.basis @ model.basis.T
    covariance = model.basis @ np.diag(model.variances) @ model.basis.T
    covariance += model.residual_variance[0] * rest
    inverse = np.linalg.inv(covariance)
    for row, found in zip(rows[:10], model.distances(rows[:10]), strict=True):
        assert found == pytest.approx(mahalanobis(row, np.zeros(12), inverse) ** 2 / 12, rel=1e-6)


def test_training_rows_lie_at_a_distance_of_about_one(rows):
    model = fit_typicality(rows[:400], rows[400:])
    assert np.mean(model.distances(rows[:400])) == pytest.approx(1.0, abs=0.1)


def test_the_threshold_is_a_quantile_of_the_held_out_distances(rows):
    model = fit_typicality(rows[:400], rows[400:])
    expected = MARGIN * np.quantile(model.distances(rows[400:]), QUANTILE)
    assert model.threshold[0] == pytest.approx(expected)
    assert np.mean(model.typicality(rows[400:]) == 1.0) >= QUANTILE


def test_typicality_falls_with_the_squared_distance(rows):
    model = fit_typicality(rows[:400], rows[400:])
    direction = np.random.default_rng(1).normal(size=12)
    near, far = model.typicality(np.stack([direction * 100, direction * 1000]))
    assert near == pytest.approx(100 * far, rel=1e-4)
    assert 0 < far < 1e-3


def test_rows_outside_the_training_subspace_are_untypical(rows):
    model = fit_typicality(rows[:400], rows[400:])
    basis = np.linalg.svd(rows[:400])[2][4:]  # directions that training rows hardly use
    inside = model.typicality(rows[400:401])
    outside = model.typicality(rows[400:401] + 5.0 * basis[:1])
    assert inside[0] == 1.0
    assert outside[0] < 0.05


def test_few_rows_of_many_dimensions_still_give_finite_distances():
    rng = np.random.default_rng(2)
    model = fit_typicality(rng.normal(size=(5, 40)), rng.normal(size=(2, 40)))
    assert np.isfinite(model.distances(rng.normal(size=(3, 40)))).all()


def test_rows_of_a_single_feature_have_a_distance():
    rows = np.random.default_rng(3).normal(size=(50, 1))
    model = fit_typicality(rows[:40], rows[40:])
    assert model.distances(np.array([[3.0]]))[0] == pytest.approx(9.0 / np.mean(rows[:40] ** 2))


def test_features_get_zero_mean_and_unit_scale():
    rows = np.random.default_rng(4).normal(3, 2, size=(100, 5))
    standardised = fit_standardiser(rows)(rows)
    np.testing.assert_allclose(standardised.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(standardised.std(axis=0), 1, atol=1e-12)


def test_a_rare_feature_is_not_blown_up():
    rows = np.random.default_rng(5).normal(size=(100, 4))
    rows[:, 0] *= 1e-6
    assert np.abs(fit_standardiser(rows)(rows)[:, 0]).max() < 1e-3


def test_constant_features_stay_finite():
    assert np.isfinite(fit_standardiser(np.ones((10, 3)))(np.ones((2, 3)))).all()
