"""Kernel CCA and kernel cluster-CCA against the dense generalised eigenproblem of the kernels."""

from itertools import product

import numpy as np
import pytest
import scipy.linalg
import scipy.spatial.distance

from models.cca.kernel_cca import fit_kernel_cca, fit_kernel_cluster_cca
from models.cca.kernel_map import fit_kernel_map
from models.errors import ShapeError

GAMMA = 0.6


def _views(seed, *, n_views=2, n_rows=24):
    """Views with a curved relation, and a class of each item."""
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(n_rows, 2))
    views = [
        np.tanh(hidden @ rng.normal(size=(2, 3 + v))) + 0.2 * rng.normal(size=(n_rows, 3 + v))
        for v in range(n_views)
    ]
    return views, np.arange(n_rows) % 3


def _dense(views, tuples, ridge, n_components):
    """Directions w_v = sum_i a_i phi(x_i) over all rows; ``tuples[v]`` lists corresponding rows.

    Returns:
        The eigenvalues and the projections of all rows of each view, in falling order.
    """
    kernels = [np.exp(-GAMMA * scipy.spatial.distance.cdist(x, x, "sqeuclidean")) for x in views]
    means = [kernel[rows].mean(axis=0) for kernel, rows in zip(kernels, tuples, strict=True)]
    pairs = [kernel[rows] - mean for kernel, rows, mean in zip(kernels, tuples, means, strict=True)]
    n_tuples = len(pairs[0])
    within = scipy.linalg.block_diag(
        *(p.T @ p / n_tuples + ridge * k for p, k in zip(pairs, kernels, strict=True))
    )
    between = np.hstack(pairs).T @ np.hstack(pairs) / n_tuples
    between -= scipy.linalg.block_diag(*(p.T @ p / n_tuples for p in pairs))
    values, vectors = scipy.linalg.eigh(between, within)
    weights = np.split(vectors[:, ::-1][:, :n_components], np.cumsum([len(x) for x in views])[:-1])
    projections = [
        (kernel - mean) @ a for kernel, mean, a in zip(kernels, means, weights, strict=True)
    ]
    return values[::-1][:n_components], projections


def _check(fit, maps, views, expected):
    values, projections = expected
    n_views = len(views)
    np.testing.assert_allclose(fit.correlations, values / (n_views - 1), atol=1e-7)
    ours = [
        (phi(x) - mean) @ weights
        for phi, x, mean, weights in zip(maps, views, fit.means, fit.weights, strict=True)
    ]
    signs = np.sign(np.sum(ours[0] * projections[0], axis=0))
    for found, reference in zip(ours, projections, strict=True):
        np.testing.assert_allclose(found, np.sqrt(n_views) * reference * signs, atol=1e-5)


@pytest.mark.parametrize("n_views", [2, 3])
@pytest.mark.parametrize("ridge", [1e-3, 0.05])
def test_kernel_cca_solves_the_dense_eigenproblem(n_views, ridge):
    views, _ = _views(0, n_views=n_views)
    maps = [fit_kernel_map(x, GAMMA) for x in views]
    fit = fit_kernel_cca(views, maps, n_components=3, ridge=ridge)
    everything = [np.arange(len(x)) for x in views]
    _check(fit, maps, views, _dense(views, everything, ridge, 3))


@pytest.mark.parametrize("n_views", [2, 3])
def test_kernel_cluster_cca_solves_the_dense_eigenproblem_of_all_same_class_tuples(n_views):
    views, y = _views(1, n_views=n_views, n_rows=15)
    views[1], labels = views[1][2:], [y, y[2:], y][:n_views]  # unequal classes
    maps = [fit_kernel_map(x, GAMMA) for x in views]
    fit = fit_kernel_cluster_cca(views, labels, maps, n_components=2, ridge=0.02)
    tuples = [rows for c in range(3) for rows in product(*[np.flatnonzero(y == c) for y in labels])]
    _check(fit, maps, views, _dense(views, list(np.array(tuples).T), 0.02, 2))


def test_fewer_landmarks_are_linear_cca_of_the_nystroem_features():
    views, _ = _views(2)
    maps = [fit_kernel_map(x[:9], GAMMA) for x in views]
    fit = fit_kernel_cca(views, maps, n_components=2, ridge=0.01)
    x, y = (phi(rows) - phi(rows).mean(axis=0) for phi, rows in zip(maps, views, strict=True))
    n, eye = len(x), np.eye(9)
    for w, rows in zip(fit.weights, (x, y), strict=True):
        np.testing.assert_allclose(w.T @ (rows.T @ rows / n + 0.01 * eye) @ w, np.eye(2), atol=1e-8)
    found = fit.weights[0].T @ x.T @ y @ fit.weights[1] / n
    np.testing.assert_allclose(found, np.diag(fit.correlations), atol=1e-8)


def test_a_curved_relation_that_linear_cca_misses_is_found():
    rng = np.random.default_rng(3)
    angle = rng.uniform(0.0, 2.0 * np.pi, 60)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    twice = np.stack([np.cos(2 * angle), np.sin(2 * angle)], axis=1)  # uncorrelated with circle
    maps = [fit_kernel_map(x, 1.0) for x in (circle, twice)]
    fit = fit_kernel_cca([circle, twice], maps, n_components=1, ridge=1e-3)
    assert fit.correlations[0] > 0.9


def test_rows_of_unknown_class_are_as_good_as_dropped():
    views, y = _views(4)
    maps = [fit_kernel_map(x, GAMMA) for x in views]
    labels = [np.where(np.arange(24) % 5 == v, -1, y) for v in range(2)]
    known = [x[label >= 0] for x, label in zip(views, labels, strict=True)]
    dropped = fit_kernel_cluster_cca(
        known, [label[label >= 0] for label in labels], maps, n_components=2, ridge=0.1
    )
    fit = fit_kernel_cluster_cca(views, labels, maps, n_components=2, ridge=0.1)
    for ours, expected in zip(
        fit.weights + fit.means, dropped.weights + dropped.means, strict=True
    ):
        np.testing.assert_allclose(ours, expected, atol=1e-10)


def test_views_that_do_not_pair_up_are_refused():
    views, y = _views(5)
    maps = [fit_kernel_map(x, GAMMA) for x in views]
    with pytest.raises(ShapeError, match="equal length"):
        fit_kernel_cca([views[0], views[1][1:]], maps, n_components=1, ridge=0.1)
    with pytest.raises(ShapeError, match="one label per row"):
        fit_kernel_cluster_cca(views, [y, y[1:]], maps, n_components=1, ridge=0.1)
    with pytest.raises(ShapeError, match="at least one class"):
        fit_kernel_cluster_cca(views, [y, y + 3], maps, n_components=1, ridge=0.1)


def test_more_components_than_landmarks_are_refused():
    views, _ = _views(6)
    maps = [fit_kernel_map(x[:4], GAMMA) for x in views]
    with pytest.raises(ShapeError, match="n_components=5"):
        fit_kernel_cca(views, maps, n_components=5, ridge=0.1)
