"""Plain CCA against scikit-learn, a dense generalised eigenproblem and first principles."""

import numpy as np
import pytest
import scipy.linalg
from sklearn.cross_decomposition import CCA

from models.cca.linalg import WhitenedMoments, _largest_eigenpairs
from models.cca.linear_cca import fit_linear_cca
from models.cca.pair_moments import paired_moments
from models.errors import ShapeError


def _related_views(seed, n_rows=400, dimensions=(6, 5)):
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=(n_rows, 3)) * [2.0, 1.0, 0.5]
    return [
        shared @ rng.normal(size=(3, d)) + rng.normal(size=(n_rows, d)) + rng.normal(size=d)
        for d in dimensions
    ]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_correlations_equal_those_of_scikit_learn(seed):
    x, y = _related_views(seed)
    fit = fit_linear_cca([x, y], n_components=3, ridge=0.0)
    reference = CCA(n_components=3, max_iter=5000, tol=1e-12).fit(x, y)
    scores = reference.transform(x, y)
    expected = [np.corrcoef(scores[0][:, k], scores[1][:, k])[0, 1] for k in range(3)]
    np.testing.assert_allclose(fit.correlations, expected, atol=1e-4)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_directions_equal_those_of_scikit_learn_up_to_sign_and_scale(seed):
    x, y = _related_views(seed)
    fit = fit_linear_cca([x, y], n_components=3, ridge=0.0)
    reference = CCA(n_components=3, max_iter=5000, tol=1e-12).fit(x, y).transform(x, y)
    for view, mean, weights, expected in zip(
        (x, y), fit.means, fit.weights, reference, strict=True
    ):
        ours = (view - mean) @ weights
        for k in range(3):
            assert abs(np.corrcoef(ours[:, k], expected[:, k])[0, 1]) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("ridge", [0.0, 0.1, 10.0])
def test_projected_views_have_unit_variance_plus_ridge_and_the_stated_correlation(ridge):
    x, y = _related_views(3)
    fit = fit_linear_cca([x, y], n_components=4, ridge=ridge)
    wx, wy = fit.weights
    cov = np.cov(np.hstack([x, y]).T, bias=True)
    cxx, cyy, cxy = cov[:6, :6], cov[6:, 6:], cov[:6, 6:]
    np.testing.assert_allclose(wx.T @ (cxx + ridge * np.eye(6)) @ wx, np.eye(4), atol=1e-9)
    np.testing.assert_allclose(wy.T @ (cyy + ridge * np.eye(5)) @ wy, np.eye(4), atol=1e-9)
    np.testing.assert_allclose(wx.T @ cxy @ wy, np.diag(fit.correlations), atol=1e-9)


def test_two_views_solved_as_many_give_the_same_directions():
    """The multi-set eigenproblem of two views has the CCA solution."""
    x, y = _related_views(4)
    fit = fit_linear_cca([x, y], n_components=3, ridge=0.3)
    cov = np.cov(np.hstack([x, y]).T, bias=True)
    within = scipy.linalg.block_diag(cov[:6, :6], cov[6:, 6:]) + 0.3 * np.eye(11)
    between = cov - scipy.linalg.block_diag(cov[:6, :6], cov[6:, 6:])
    values = scipy.linalg.eigh(between, within, eigvals_only=True)[::-1]
    np.testing.assert_allclose(fit.correlations, values[:3], atol=1e-9)


def test_three_views_solve_the_generalised_eigenproblem():
    views = _related_views(5, dimensions=(6, 5, 4))
    fit = fit_linear_cca(views, n_components=3, ridge=0.2)
    cov = np.cov(np.hstack(views).T, bias=True)
    blocks = scipy.linalg.block_diag(cov[:6, :6], cov[6:11, 6:11], cov[11:, 11:])
    within = blocks + 0.2 * np.eye(15)
    values, vectors = scipy.linalg.eigh(cov - blocks, within)
    np.testing.assert_allclose(fit.correlations, values[::-1][:3] / 2, atol=1e-9)
    stacked = np.vstack(fit.weights)
    np.testing.assert_allclose(stacked.T @ within @ stacked, 3 * np.eye(3), atol=1e-8)
    for k in range(3):
        cosine = stacked[:, k] @ vectors[:, -1 - k]
        assert abs(cosine) == pytest.approx(
            np.linalg.norm(stacked[:, k]) * np.linalg.norm(vectors[:, -1 - k]), rel=1e-8
        )


def test_many_dimensions_are_solved_by_lanczos_to_the_same_result():
    rng = np.random.default_rng(9)
    matrix = rng.normal(size=(450, 450))
    matrix = matrix @ np.diag(np.linspace(-1, 1, 450)) @ matrix.T
    values, vectors = _largest_eigenpairs(matrix, 6)
    dense, basis = np.linalg.eigh(matrix)
    np.testing.assert_allclose(values, dense[::-1][:6], rtol=1e-9)
    overlap = np.abs(np.sum(vectors * basis[:, ::-1][:, :6], axis=0))
    np.testing.assert_allclose(overlap, 1.0, atol=1e-7)


def test_a_constant_feature_does_no_harm_without_ridge():
    x, y = _related_views(6)
    with_constant = np.hstack([x, np.ones((len(x), 1))])
    plain = fit_linear_cca([x, y], n_components=3, ridge=0.0)
    fit = fit_linear_cca([with_constant, y], n_components=3, ridge=0.0)
    np.testing.assert_allclose(fit.correlations, plain.correlations, atol=1e-7)
    assert np.isfinite(fit.weights[0]).all()


def test_signs_do_not_depend_on_the_solver():
    x, y = _related_views(7)
    a = fit_linear_cca([x, y], n_components=3, ridge=0.1)
    b = fit_linear_cca([x.copy(order="F"), y], n_components=3, ridge=0.1)
    np.testing.assert_allclose(a.weights[0], b.weights[0], atol=1e-8)
    largest = np.abs(a.weights[0]).argmax(axis=0)
    assert (a.weights[0][largest, [0, 1, 2]] > 0).all()


def test_a_failing_divide_and_conquer_is_replaced_by_the_slower_driver(monkeypatch):
    views = _related_views(10)
    expected = fit_linear_cca(views, n_components=3, ridge=0.1)
    svd = scipy.linalg.svd

    def fails_by_default(matrix, *, lapack_driver="gesdd", **options):
        if lapack_driver == "gesdd":
            raise np.linalg.LinAlgError("SVD did not converge")
        return svd(matrix, lapack_driver=lapack_driver, **options)

    monkeypatch.setattr(scipy.linalg, "svd", fails_by_default)
    fit = fit_linear_cca(views, n_components=3, ridge=0.1)
    np.testing.assert_allclose(fit.weights[0], expected.weights[0], atol=1e-9)


def test_unpaired_views_are_refused():
    with pytest.raises(ShapeError, match="equal length"):
        fit_linear_cca([np.zeros((4, 2)), np.zeros((5, 2))], n_components=1, ridge=1.0)


def test_a_single_view_is_refused():
    with pytest.raises(ShapeError, match="at least two"):
        fit_linear_cca([np.zeros((4, 2))], n_components=1, ridge=1.0)


@pytest.mark.parametrize(("n_components", "ridge"), [(0, 0.1), (6, 0.1), (2, -1.0)])
def test_component_number_and_ridge_out_of_range_are_refused(n_components, ridge):
    moments = WhitenedMoments(paired_moments(_related_views(8)))
    with pytest.raises(ShapeError):
        moments.solve(n_components=n_components, ridge=ridge)
