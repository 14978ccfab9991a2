"""Cluster-CCA against the brute-force expansion of all same-class pairs."""

import time
from itertools import product

import numpy as np
import pytest

from models.cca.cluster_cca import fit_cluster_cca
from models.cca.linear_cca import fit_linear_cca
from models.cca.pair_moments import cluster_moments, mix_moments, paired_moments
from models.errors import ShapeError


def _classed_views(seed, counts):
    """Views with the given rows per class: counts[v][c]."""
    rng = np.random.default_rng(seed)
    views, labels = [], []
    for v, per_class in enumerate(counts):
        y = np.repeat(np.arange(len(per_class)), per_class)
        centres = rng.normal(size=(len(per_class), 4 + v)) * 2
        order = rng.permutation(len(y))
        views.append((centres[y] + rng.normal(size=(len(y), 4 + v)))[order])
        labels.append(y[order])
    return views, labels


def _expand(views, labels):
    """All tuples of same-class rows, written out."""
    classes = set(labels[0].tolist()).intersection(*[set(y.tolist()) for y in labels])
    rows = [
        index
        for c in sorted(classes)
        for index in product(*[np.flatnonzero(y == c) for y in labels])
    ]
    columns = np.array(rows).T
    return [x[i] for x, i in zip(views, columns, strict=True)]


TWO = [[5, 9, 14, 3], [8, 2, 6, 11]]
THREE = [[3, 4, 2], [2, 5, 3], [4, 1, 3]]


@pytest.mark.parametrize("counts", [TWO, THREE], ids=["two views", "three views"])
@pytest.mark.parametrize("ridge", [0.01, 1.0])
def test_fit_equals_cca_on_the_expanded_pairs(counts, ridge):
    views, labels = _classed_views(0, counts)
    fit = fit_cluster_cca(views, labels, n_components=2, ridge=ridge)
    brute = fit_linear_cca(_expand(views, labels), n_components=2, ridge=ridge)
    np.testing.assert_allclose(fit.correlations, brute.correlations, atol=1e-6)
    for ours, expected in zip(fit.weights + fit.means, brute.weights + brute.means, strict=True):
        np.testing.assert_allclose(ours, expected, atol=1e-6)


def test_moments_equal_those_of_the_expanded_pairs():
    views, labels = _classed_views(1, TWO)
    ours, brute = cluster_moments(views, labels), paired_moments(_expand(views, labels))
    np.testing.assert_allclose(ours.between[0, 1], brute.between[0, 1], atol=1e-10)
    for a, b in zip(ours.within + ours.means, brute.within + brute.means, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-10)


def test_at_most_classes_minus_one_directions_carry_correlation():
    views, labels = _classed_views(2, TWO)
    fit = fit_cluster_cca(views, labels, n_components=4, ridge=0.1)
    assert (fit.correlations[:3] > 1e-3).all()
    assert fit.correlations[3] < 1e-6


def test_a_class_that_one_view_lacks_is_ignored():
    views, labels = _classed_views(3, TWO)
    labels[0] = np.where(labels[0] == 3, 7, labels[0])
    keep = [labels[0] != 7, labels[1] != 3]
    expected = fit_cluster_cca(
        [x[k] for x, k in zip(views, keep, strict=True)],
        [y[k] for y, k in zip(labels, keep, strict=True)],
        n_components=2,
        ridge=0.5,
    )
    fit = fit_cluster_cca(views, labels, n_components=2, ridge=0.5)
    np.testing.assert_allclose(fit.weights[0], expected.weights[0], atol=1e-9)


def test_rows_of_unknown_class_are_as_good_as_dropped():
    views, labels = _classed_views(8, TWO)
    hidden = [np.where(np.arange(len(y)) % 4 == 0, -1, y) for y in labels]
    keep = [y >= 0 for y in hidden]
    expected = cluster_moments(
        [x[k] for x, k in zip(views, keep, strict=True)],
        [y[k] for y, k in zip(labels, keep, strict=True)],
    )
    found = cluster_moments(views, hidden)
    np.testing.assert_allclose(found.between[0, 1], expected.between[0, 1], atol=1e-12)
    for ours, other in zip(
        found.means + found.within, expected.means + expected.within, strict=True
    ):
        np.testing.assert_allclose(ours, other, atol=1e-12)


def test_mixing_is_cca_on_the_weighted_union_of_true_and_same_class_pairs():
    views, labels = _classed_views(4, [[6, 6, 6], [6, 6, 6]])
    labels = [labels[0], labels[0]]
    mixed = mix_moments(paired_moments(views), cluster_moments(views, labels), 0.25)
    all_pairs = _expand(views, labels)
    n_copies = len(all_pairs[0]) // len(views[0])  # equal total weight of both kinds
    union = [
        np.vstack([x] * n_copies + [pairs] * 3) for x, pairs in zip(views, all_pairs, strict=True)
    ]
    expected = paired_moments(union)
    np.testing.assert_allclose(mixed.between[0, 1], expected.between[0, 1], atol=1e-10)
    np.testing.assert_allclose(mixed.within[0], expected.within[0], atol=1e-10)
    np.testing.assert_allclose(mixed.means[1], expected.means[1], atol=1e-10)


@pytest.mark.parametrize("beta", [-0.1, 1.1])
def test_a_share_out_of_range_is_refused(beta):
    views, labels = _classed_views(5, [[4, 4], [4, 4]])
    with pytest.raises(ShapeError, match="beta"):
        mix_moments(paired_moments(views), cluster_moments(views, labels), beta)


def test_labels_that_do_not_fit_the_rows_are_refused():
    views, labels = _classed_views(6, TWO)
    with pytest.raises(ShapeError, match="one label per row"):
        fit_cluster_cca(views, [labels[0], labels[1][:-1]], n_components=1, ridge=1.0)


def test_views_without_a_common_class_are_refused():
    views, labels = _classed_views(7, TWO)
    with pytest.raises(ShapeError, match="at least one class"):
        fit_cluster_cca(views, [labels[0], labels[1] + 10], n_components=1, ridge=1.0)


@pytest.mark.slow
def test_a_fit_of_the_size_of_vegas_takes_seconds_and_does_not_expand_pairs():
    """Target 3 s on 2 quiet cores (printed by benchmarks/closed_form_fit.py); 50 million pairs."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, 22_483)
    views = [
        rng.normal(size=(22_483, d)) + labels[:, None] * rng.normal(size=d) for d in (128, 1024)
    ]
    started = time.perf_counter()
    fit = fit_cluster_cca(views, [labels, labels], n_components=10, ridge=1.0)
    assert time.perf_counter() - started < 30.0
    assert fit.weights[1].shape == (1024, 10)
