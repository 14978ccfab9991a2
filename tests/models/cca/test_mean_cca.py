"""Mean-CCA against CCA of the class means written out."""

import numpy as np
import pytest

from models.cca.linear_cca import fit_linear_cca
from models.cca.mean_cca import fit_mean_cca
from models.cca.pair_moments import common_classes, mean_moments
from models.errors import ShapeError


def _classed_views(seed, *, n_views=2, n_classes=6, n_rows=40):
    """Unpaired views of unequal length and unequal classes."""
    rng = np.random.default_rng(seed)
    views, labels = [], []
    for v in range(n_views):
        y = np.concatenate([np.arange(n_classes), rng.integers(0, n_classes, n_rows + 7 * v)])
        centres = rng.normal(size=(n_classes, 4 + v))
        views.append(centres[y] + rng.normal(size=(len(y), 4 + v)))
        labels.append(y)
    return views, labels


def _written_out_means(x, y, classes):
    means = []
    for c in classes:
        rows = [row for row, label in zip(x, y, strict=True) if label == c]
        means.append(sum(rows) / len(rows))
    return np.array(means)


@pytest.mark.parametrize("n_views", [2, 3])
@pytest.mark.parametrize("ridge", [0.01, 1.0])
def test_fit_equals_cca_of_the_class_means(n_views, ridge):
    views, labels = _classed_views(0, n_views=n_views)
    fit = fit_mean_cca(views, labels, n_components=3, ridge=ridge)
    means = [_written_out_means(x, y, range(6)) for x, y in zip(views, labels, strict=True)]
    expected = fit_linear_cca(means, n_components=3, ridge=ridge)
    np.testing.assert_allclose(fit.correlations, expected.correlations, atol=1e-9)
    for ours, other in zip(fit.weights + fit.means, expected.weights + expected.means, strict=True):
        np.testing.assert_allclose(ours, other, atol=1e-8)


def test_every_class_counts_the_same_however_many_rows_it_has():
    views, labels = _classed_views(1)
    more = np.flatnonzero(labels[0] == 2).repeat(9)
    longer = [np.vstack([views[0], views[0][more]]), views[1]]
    longer_labels = [np.append(labels[0], labels[0][more]), labels[1]]
    ours = mean_moments(longer, longer_labels)
    expected = mean_moments(views, labels)
    np.testing.assert_allclose(ours.between[0, 1], expected.between[0, 1], atol=1e-12)
    np.testing.assert_allclose(ours.within[0], expected.within[0], atol=1e-12)


def test_without_a_ridge_few_classes_correlate_perfectly():
    views, labels = _classed_views(2, n_classes=4)
    fit = fit_mean_cca(views, labels, n_components=4, ridge=0.0)
    np.testing.assert_allclose(fit.correlations, [1.0, 1.0, 1.0, 0.0], atol=1e-6)


def test_rows_of_unknown_class_and_of_classes_one_view_lacks_are_as_good_as_dropped():
    views, labels = _classed_views(3)
    labels[0] = np.where(labels[0] == 5, -1, labels[0])
    labels[1][::4] = -1
    keep = [labels[0] >= 0, (labels[1] >= 0) & (labels[1] != 5)]
    dropped = fit_mean_cca(
        [x[k] for x, k in zip(views, keep, strict=True)],
        [y[k] for y, k in zip(labels, keep, strict=True)],
        n_components=2,
        ridge=0.3,
    )
    fit = fit_mean_cca(views, labels, n_components=2, ridge=0.3)
    for ours, expected in zip(
        fit.weights + fit.means, dropped.weights + dropped.means, strict=True
    ):
        np.testing.assert_array_equal(ours, expected)


def test_common_classes_are_those_of_every_view_without_the_unknown():
    labels = [np.array([3, -1, 1, 1]), np.array([1, 3, 2, -1]), np.array([-1, 0, 3, 1])]
    assert common_classes(labels) == [1, 3]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda views, labels: (views, labels[:1]), "one label per row"),
        (lambda views, labels: (views, [labels[0], labels[1][1:]]), "one label per row"),
        (lambda views, labels: (views, [labels[0], labels[1] * 0 - 1]), "at least one class"),
        (lambda views, labels: (views[:1], labels[:1]), "at least two non-empty views"),
        (lambda views, labels: ([views[0], views[1][:0]], labels), "at least two non-empty views"),
    ],
)
def test_what_cannot_be_fitted_is_refused(change, message):
    views, labels = change(*_classed_views(4))
    with pytest.raises(ShapeError, match=message):
        fit_mean_cca(views, labels, n_components=1, ridge=1.0)


def test_more_components_than_features_are_refused():
    views, labels = _classed_views(5)
    with pytest.raises(ShapeError, match="n_components=5"):
        fit_mean_cca(views, labels, n_components=5, ridge=1.0)
