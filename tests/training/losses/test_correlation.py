"""Canonical correlation as a loss: against closed-form CCA, scikit-learn and Andrew's gradient."""

from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cross_decomposition import CCA
from torch.autograd import gradcheck

from models.cca.cluster_cca import fit_cluster_cca
from models.cca.linear_cca import fit_linear_cca
from models.cca.pair_moments import cluster_moments, mix_moments, paired_moments
from models.errors import ShapeError
from training.losses.correlation import (
    Covariances,
    cluster_covariances,
    correlation_loss,
    mean_over_pairs,
    mixed_covariances,
    paired_covariances,
    view_pairs,
)

SEEDS = st.integers(0, 2**32 - 1)


def related_views(seed, n_rows=60, dimensions=(5, 4)):
    """Rows with three common factors, off the origin; the mean variance of a view is 1."""
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(n_rows, 3)) * [2.0, 1.0, 0.5]
    views = [
        factors @ rng.normal(size=(3, d)) + rng.normal(size=(n_rows, d)) + 3.0 for d in dimensions
    ]
    return [x / np.sqrt(x.var(axis=0).mean()) for x in views]


def classed_views(seed, counts=((5, 9, 4, 3), (8, 2, 6, 7)), dimensions=(5, 4)):
    """Rows of four classes, another number of each and another order in each view."""
    rng = np.random.default_rng(seed)
    views, labels = [], []
    for per_class, d in zip(counts, dimensions, strict=True):
        y = rng.permutation(np.repeat(np.arange(len(per_class)), per_class))
        views.append(rng.normal(size=(len(per_class), d))[y] + rng.normal(size=(len(y), d)))
        labels.append(y)
    return views, labels


def tensors(*arrays):
    return [torch.from_numpy(array) for array in arrays]


def paired_loss(x, y, n_components=3, ridge=0.1):
    return correlation_loss(paired_covariances(x, y), n_components=n_components, ridge=ridge)


def gradients(x, y, **options):
    x, y = x.clone().requires_grad_(), y.clone().requires_grad_()
    return torch.autograd.grad(paired_loss(x, y, **options), (x, y))


def expanded(views, labels):
    """All pairs of rows of one known class, written out."""
    rows = [
        (i, j)
        for i, j in product(range(len(labels[0])), range(len(labels[1])))
        if labels[0][i] == labels[1][j] and labels[0][i] >= 0
    ]
    first, second = np.array(rows).T
    return [views[0][first], views[1][second]]


def assert_moments_of(covariances, moments):
    (first, second), between = moments.covariances()
    expected = (first, second, between[0, 1], *moments.means)
    for found, wanted in zip(covariances, expected, strict=True):
        assert found.dtype == torch.float64
        np.testing.assert_allclose(found, wanted, atol=1e-12)


# ---------------------------------------------------------------- value


@pytest.mark.parametrize("ridge", [1e-9, 0.1, 2.0])
@pytest.mark.parametrize("n_components", [1, 3, 4])
def test_loss_is_minus_the_mean_of_the_closed_form_correlations(ridge, n_components):
    views = related_views(0)
    fit = fit_linear_cca(views, n_components=n_components, ridge=ridge)
    x, y = tensors(*views)
    loss = paired_loss(x, y, n_components=n_components, ridge=ridge)
    assert loss.item() == pytest.approx(-fit.correlations.mean(), abs=1e-8)


@pytest.mark.parametrize("seed", [1, 2])
def test_loss_is_minus_the_mean_of_the_correlations_of_scikit_learn(seed):
    views = related_views(seed, n_rows=300)
    scores = CCA(n_components=3, max_iter=5000, tol=1e-12).fit(*views).transform(*views)
    expected = [np.corrcoef(scores[0][:, k], scores[1][:, k])[0, 1] for k in range(3)]
    x, y = tensors(*views)
    assert paired_loss(x, y, ridge=1e-9).item() == pytest.approx(-np.mean(expected), abs=1e-4)


@pytest.mark.parametrize("ridge", [0.01, 1.0])
def test_loss_of_classes_is_that_of_closed_form_cluster_cca(ridge):
    views, labels = classed_views(3)
    (first, second), _ = cluster_moments(views, labels).covariances()
    scaled = [  # a ridge relative to the mean variance is then the absolute one
        x / np.sqrt(np.diagonal(s).mean()) for x, s in zip(views, (first, second), strict=True)
    ]
    fit = fit_cluster_cca(scaled, labels, n_components=3, ridge=ridge)
    covariances = cluster_covariances(*tensors(*scaled, *labels))
    loss = correlation_loss(covariances, n_components=3, ridge=ridge)
    assert loss.item() == pytest.approx(-fit.correlations.mean(), abs=1e-10)


@pytest.mark.parametrize(("n_components", "expected"), [(1, 0.9), (2, 0.7), (3, 0.5), (9, 0.5)])
def test_the_largest_correlations_count(n_components, expected):
    identity, zeros = torch.eye(3, dtype=torch.float64), torch.zeros(3, dtype=torch.float64)
    between = torch.diag(torch.tensor([0.1, 0.9, 0.5], dtype=torch.float64))
    covariances = Covariances(identity, identity, between, zeros, zeros)
    loss = correlation_loss(covariances, n_components=n_components, ridge=1e-12)
    assert loss.item() == pytest.approx(-expected, abs=1e-9)


def test_float32_rows_are_computed_in_double_precision():
    x, y = (t.float() for t in tensors(*related_views(4)))
    loss = paired_loss(x, y)
    assert loss.dtype == torch.float64
    assert loss.item() == pytest.approx(paired_loss(x.double(), y.double()).item(), abs=1e-12)
    for found, expected in zip(gradients(x, y), gradients(x.double(), y.double()), strict=True):
        assert found.dtype == torch.float32
        torch.testing.assert_close(found, expected.float())


@given(SEEDS, st.floats(1e-2, 1e3), st.floats(1e-2, 1e3))
@settings(max_examples=25, deadline=None)
def test_scaling_and_moving_the_outputs_changes_nothing(seed, scale, shift):
    x, y = tensors(*related_views(seed, n_rows=20))
    moved = paired_loss(scale * x + shift, y / scale)
    assert moved.item() == pytest.approx(paired_loss(x, y).item(), abs=1e-6)


@given(SEEDS)
@settings(max_examples=25, deadline=None)
def test_the_order_of_pairs_changes_nothing(seed):
    x, y = tensors(*related_views(seed, n_rows=20))
    order = torch.randperm(20, generator=torch.Generator().manual_seed(seed % 2**31))
    assert paired_loss(x[order], y[order]).item() == pytest.approx(
        paired_loss(x, y).item(), abs=1e-10
    )


@given(SEEDS, st.integers(2, 12), st.integers(1, 6), st.integers(1, 6))
@settings(max_examples=50, deadline=None)
def test_loss_lies_between_minus_one_and_zero(seed, n_rows, first, second):
    rng = np.random.default_rng(seed)
    x, y = tensors(rng.normal(size=(n_rows, first)), rng.normal(size=(n_rows, second)))
    assert -1.0 - 1e-9 <= paired_loss(x, y, ridge=1e-3).item() <= 0.0


# ---------------------------------------------------------------- gradient


@pytest.mark.parametrize("n_components", [1, 2, 4])
@pytest.mark.parametrize("ridge", [1e-4, 0.5])
def test_gradient_equals_finite_differences(n_components, ridge):
    x, y = (t.requires_grad_() for t in tensors(*related_views(5, n_rows=12)))
    assert gradcheck(lambda a, b: paired_loss(a, b, n_components, ridge), (x, y))


@pytest.mark.parametrize("beta", [0.0, 0.3])
def test_gradient_of_class_covariances_equals_finite_differences(beta):
    labels = torch.tensor([0, 0, 1, 2, 1, -1, 2, 0])
    x, y = (t.requires_grad_() for t in tensors(*related_views(6, n_rows=8, dimensions=(3, 2))))

    def loss(a, b):
        cluster = cluster_covariances(a, b, labels, labels)
        mixed = mixed_covariances(paired_covariances(a, b), cluster, beta)
        return correlation_loss(mixed, n_components=2, ridge=0.1)

    assert gradcheck(loss, (x, y))


@pytest.mark.parametrize("ridge", [1e-9, 0.3])
def test_gradient_equals_the_formula_of_andrew(ridge):
    """d corr/dH1 = (2 G11 H1 + G12 H2) / m for a fixed ridge; ours follows the mean variance."""
    views = related_views(7)
    x, y = (v - v.mean(axis=0) for v in views)
    m, d = x.shape
    r = [ridge * v.var(axis=0).mean() for v in (x, y)]
    roots = [
        np.linalg.inv(np.linalg.cholesky(v.T @ v / m + s * np.eye(v.shape[1])))
        for v, s in zip((x, y), r, strict=True)
    ]  # any square root will do: the directions A, B below are the same
    U, s, Vt = np.linalg.svd(roots[0] @ (x.T @ y / m) @ roots[1].T, full_matrices=False)
    A, B = roots[0].T @ U, roots[1].T @ Vt.T
    G11, G12 = -0.5 * (A * s) @ A.T, A @ B.T
    of_ridge = 2.0 * ridge * np.trace(G11) / (m * d) * x
    expected = (2.0 * x @ G11 + y @ G12.T) / m + of_ridge
    found, _ = gradients(*tensors(*views), n_components=4, ridge=ridge)
    np.testing.assert_allclose(found, -expected / 4, atol=1e-9)


def repeated_eigenvalues():
    """Both covariances are the identity and all correlations are equal."""
    rng = np.random.default_rng(8)
    rows = np.linalg.qr(np.hstack([np.ones((12, 1)), rng.normal(size=(12, 6))]))[0][:, 1:]
    x, noise = np.sqrt(12) * rows[:, :3], np.sqrt(12) * rows[:, 3:]
    return x, 0.6 * x + 0.8 * noise


def hard_batches():
    rng = np.random.default_rng(9)
    x, y = related_views(10, n_rows=20)
    return {
        "repeated column": (np.hstack([x, x[:, :1]]), y),
        "constant column": (np.hstack([x, np.ones((20, 1))]), y),
        "constant view": (np.ones((20, 3)), y),
        "both views constant": (np.ones((20, 3)), np.full((20, 2), -4.0)),
        "fewer rows than outputs": (x[:3], y[:3]),
        "two rows": (x[:2], y[:2]),
        "the same view twice": (x, x),
        "rank one": (np.outer(rng.normal(size=20), np.ones(4)), y),
        "uncorrelated": (np.array([[1.0], [1.0], [-1.0], [-1.0]]), np.array([[1.0], [-1.0]] * 2)),
        "repeated eigenvalues": repeated_eigenvalues(),
    }


@pytest.mark.parametrize("batch", hard_batches().values(), ids=hard_batches().keys())
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_hard_batches_have_a_finite_loss_and_gradient(batch, dtype):
    x, y = (t.to(dtype) for t in tensors(*batch))
    assert -1.0 - 1e-9 <= paired_loss(x, y).item() <= 0.0
    for gradient in gradients(x, y):
        assert torch.isfinite(gradient).all()


def test_gradient_is_right_where_eigenvalues_meet():
    x, y = (t.requires_grad_() for t in tensors(*repeated_eigenvalues()))
    assert gradcheck(lambda a, b: paired_loss(a, b, 3, 0.1), (x, y))


# ---------------------------------------------------------------- optimum


def train_linear_encoders(loss_of, dimensions):
    """Weights (D, 2) of two views that minimise the loss of their outputs, from a random start."""
    generator = torch.Generator().manual_seed(0)
    weights = [
        torch.randn(d, 2, generator=generator, dtype=torch.float64).requires_grad_()
        for d in dimensions
    ]
    optimiser = torch.optim.LBFGS(weights, max_iter=40, line_search_fn="strong_wolfe")

    def step():
        optimiser.zero_grad()
        loss = loss_of(*weights)
        loss.backward()
        return loss

    optimiser.step(step)
    return [w.detach().numpy() for w in weights]


def test_linear_encoders_trained_by_the_loss_reach_the_closed_form_optimum():
    views = related_views(11, n_rows=200, dimensions=(6, 5))
    x, y = tensors(*views)
    weights = train_linear_encoders(
        lambda a, b: paired_loss(x @ a, y @ b, n_components=2, ridge=1e-7), (6, 5)
    )
    outputs = [v @ w for v, w in zip(views, weights, strict=True)]
    reached = fit_linear_cca(outputs, n_components=2, ridge=0.0)
    expected = fit_linear_cca(views, n_components=2, ridge=0.0)
    np.testing.assert_allclose(reached.correlations, expected.correlations, atol=1e-3)


def test_linear_encoders_trained_on_classes_reach_the_cluster_cca_optimum():
    views, labels = classed_views(12, dimensions=(4, 4))
    x, y, *classes = tensors(*views, *labels)

    def loss(a, b):
        covariances = cluster_covariances(x @ a, y @ b, *classes)
        return correlation_loss(covariances, n_components=2, ridge=1e-7)

    weights = train_linear_encoders(loss, (4, 4))
    outputs = [v @ w for v, w in zip(views, weights, strict=True)]
    reached = fit_cluster_cca(outputs, labels, n_components=2, ridge=0.0)
    expected = fit_cluster_cca(views, labels, n_components=2, ridge=0.0)
    np.testing.assert_allclose(reached.correlations, expected.correlations, atol=1e-3)


# ---------------------------------------------------------------- covariances


def test_paired_covariances_equal_the_closed_form_moments():
    views = related_views(13)
    assert_moments_of(paired_covariances(*tensors(*views)), paired_moments(views))


@pytest.mark.parametrize("seed", [14, 15])
def test_cluster_covariances_equal_those_of_the_expanded_pairs(seed):
    views, labels = classed_views(seed)
    covariances = cluster_covariances(*tensors(*views, *labels))
    assert_moments_of(covariances, paired_moments(expanded(views, labels)))


def test_rows_without_a_class_or_a_counterpart_are_left_out():
    views, labels = classed_views(16)
    labels[0][[0, 3]] = -1
    labels[1][[1, 2, 5]] = -1
    labels[0][labels[0] == 3] = 9  # two classes that one view lacks
    covariances = cluster_covariances(*tensors(*views, *labels))
    assert_moments_of(covariances, paired_moments(expanded(views, labels)))
    assert_moments_of(covariances, cluster_moments(views, labels))


@pytest.mark.parametrize("beta", [0.0, 0.2, 0.7, 1.0])
def test_mixed_covariances_are_those_of_the_mixed_moments(beta):
    """The two kinds of pairs have different means here, because classes are of different size."""
    views = related_views(17, n_rows=10)
    labels = [np.array([0, 0, 0, 0, 0, 0, 1, 1, 2, -1]), np.array([0, 0, 1, 1, 1, 1, 2, 2, -1, 2])]
    x, y, *classes = tensors(*views, *labels)
    mixed = mixed_covariances(paired_covariances(x, y), cluster_covariances(x, y, *classes), beta)
    expected = mix_moments(paired_moments(views), cluster_moments(views, labels), beta)
    assert_moments_of(mixed, expected)


@pytest.mark.parametrize(("first", "second"), [(3, 4), (1, 1), (0, 0)])
def test_unpaired_or_too_few_rows_are_refused(first, second):
    with pytest.raises(ShapeError, match=f"got {first} and {second}"):
        paired_covariances(torch.zeros(first, 2), torch.zeros(second, 2))


@pytest.mark.parametrize(
    ("first", "second"), [([0, 1], [2, 3]), ([-1, -1], [-1, -1]), ([], [0, 1]), ([0, 1], [])]
)
def test_rows_without_a_common_class_are_refused(first, second):
    labels = [torch.tensor(y, dtype=torch.int64) for y in (first, second)]
    with pytest.raises(ShapeError, match="a class with rows in both views"):
        cluster_covariances(*(torch.zeros(len(y), 2) for y in labels), *labels)


def test_pairs_of_views_come_once_and_count_alike():
    assert view_pairs(["a", "b", "c"]) == [("a", "b"), ("a", "c"), ("b", "c")]
    losses = [torch.tensor(value) for value in (-0.2, -0.4, -0.9)]
    assert mean_over_pairs(losses).item() == pytest.approx(-0.5)
