"""The closed-form head on network outputs: equal to CCA and cluster-CCA of them."""

from dataclasses import replace

import numpy as np
import pytest

from models.cca.cluster_cca import fit_cluster_cca
from models.cca.linalg import WhitenedMoments
from models.cca.linear_cca import fit_linear_cca
from models.cca.pair_moments import cluster_moments, mix_moments, paired_moments
from models.errors import DataError
from tests.training.feature_sets import paired_features, unpaired_features, without_labels
from training.loops.heads import HeadOptions, correlation_head

PLAIN = HeadOptions(n_components=3, ridge=0.1, beta=1.0, power=0.0)


def _train(data):
    views = {name: view.only("train") for name, view in data.views.items()}
    return {name: view.features for name, view in views.items()}, views


def _scaled(rows):
    """Rows whose mean variance is one."""
    return [x.astype(float) / np.sqrt(x.astype(float).var(axis=0).mean()) for x in rows.values()]


def _mapped(fit, rows):
    return [(x - m) @ w for x, m, w in zip(rows, fit.means, fit.weights, strict=True)]


def _assert_same_map(found, rows, expected):
    """Both project alike: the head from raw rows, the reference from scaled ones."""
    for a, b in zip(_mapped(found, rows.values()), _mapped(expected, _scaled(rows)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("dimensions", [(6, 5), (6, 5, 4)])
def test_with_pairs_alone_it_is_cca_of_the_outputs(dimensions):
    rows, views = _train(paired_features(seed=0, dimensions=dimensions))
    found = correlation_head(rows, views, PLAIN)
    expected = fit_linear_cca(_scaled(rows), n_components=3, ridge=0.1)
    _assert_same_map(found, rows, expected)
    np.testing.assert_allclose(found.correlations, expected.correlations)


def test_with_classes_alone_it_is_cluster_cca_of_the_outputs():
    rows, views = _train(unpaired_features(seed=1))
    found = correlation_head(rows, views, replace(PLAIN, beta=0.0))
    labels = [view.labels for view in views.values()]
    expected = fit_cluster_cca(_scaled(rows), labels, n_components=3, ridge=0.1)
    _assert_same_map(found, rows, expected)


def test_in_between_it_is_cca_of_the_mixed_moments():
    rows, views = _train(paired_features(seed=2))
    found = correlation_head(rows, views, replace(PLAIN, beta=0.3))
    labels = [view.labels for view in views.values()]
    parts = paired_moments(_scaled(rows)), cluster_moments(_scaled(rows), labels)
    expected = WhitenedMoments(mix_moments(*parts, 0.3)).solve(n_components=3, ridge=0.1)
    _assert_same_map(found, rows, expected)


def test_partners_are_found_by_id_and_others_are_left_out():
    data = paired_features(seed=3)
    rows, views = _train(data)
    order = np.random.default_rng(0).permutation(len(views["visual"]))[:70]
    views["visual"] = views["visual"].take(order)
    shuffled = {"audio": rows["audio"], "visual": views["visual"].features}
    found = correlation_head(shuffled, views, PLAIN)
    scales = [np.sqrt(x.astype(float).var(axis=0).mean()) for x in shuffled.values()]
    kept = np.sort(order)
    aligned = [
        x[kept].astype(float) / scale for x, scale in zip(rows.values(), scales, strict=True)
    ]
    expected = fit_linear_cca(aligned, n_components=3, ridge=0.1)
    wanted = [x / scale for x, scale in zip(rows.values(), scales, strict=True)]
    for a, b in zip(_mapped(found, rows.values()), _mapped(expected, wanted), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("beta", [0.0, 0.4, 1.0])
def test_the_scale_and_the_place_of_the_outputs_do_not_matter(beta):
    rows, views = _train(paired_features(seed=4))
    options = HeadOptions(3, 0.1, beta)
    first = correlation_head(rows, views, options)
    moved = {"audio": rows["audio"] * 1000 + 5, "visual": rows["visual"] * 1e-3 - 2}
    moved = {name: x.astype(np.float64) for name, x in moved.items()}
    second = correlation_head(moved, views, options)
    for a, b in zip(_mapped(first, rows.values()), _mapped(second, moved.values()), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_directions_are_scaled_by_a_power_of_their_correlation(power):
    rows, views = _train(paired_features(seed=5))
    plain = correlation_head(rows, views, HeadOptions(3, 0.1, 1.0, power=0.0))
    scaled = correlation_head(rows, views, HeadOptions(3, 0.1, 1.0, power=power))
    for a, b in zip(plain.weights, scaled.weights, strict=True):
        np.testing.assert_allclose(a * plain.correlations**power, b)
    np.testing.assert_array_equal(plain.means[0], scaled.means[0])


def test_components_are_cut_to_what_the_outputs_or_the_classes_carry():
    rows, views = _train(paired_features(seed=6, n_classes=3))
    options = HeadOptions(50, 0.1, 0.0)
    assert correlation_head(rows, views, options).weights[0].shape == (6, 2)  # C - 1
    assert correlation_head(rows, views, replace(options, beta=0.1)).weights[0].shape == (6, 5)


def test_one_class_alone_still_gives_a_direction():
    rows, views = _train(paired_features(seed=6, n_classes=1))
    assert correlation_head(rows, views, HeadOptions(5, 0.1, 0.0)).weights[0].shape == (6, 1)


def test_rows_of_unknown_class_take_part_in_pairs_only():
    rows, views = _train(paired_features(seed=7))
    unknown = np.arange(len(views["audio"])) % 3 == 0
    hidden = {n: replace(v, labels=np.where(unknown, -1, v.labels)) for n, v in views.items()}
    found = correlation_head(rows, hidden, replace(PLAIN, beta=0.5))
    known = [x[~unknown] for x in _scaled(rows)]
    cluster = cluster_moments(known, [v.labels[~unknown] for v in views.values()])
    mixed = mix_moments(paired_moments(_scaled(rows)), cluster, 0.5)
    _assert_same_map(found, rows, WhitenedMoments(mixed).solve(n_components=3, ridge=0.1))


def test_outputs_that_are_all_alike_give_finite_numbers():
    _, views = _train(paired_features(seed=8))
    rows = {n: np.ones((len(v), 3), dtype=np.float32) for n, v in views.items()}
    found = correlation_head(rows, views, HeadOptions(2, 0.1, 1.0))
    assert all(np.isfinite(w).all() for w in found.weights)


@pytest.mark.parametrize("beta", [0.5, 1.0])
def test_missing_pairs_are_refused(beta):
    rows, views = _train(unpaired_features(seed=9))
    with pytest.raises(DataError, match=f"true pairs for beta = {beta}"):
        correlation_head(rows, views, HeadOptions(3, 0.1, beta))


@pytest.mark.parametrize("beta", [0.0, 0.5])
def test_missing_labels_are_refused(beta):
    rows, views = _train(without_labels(paired_features(seed=10)))
    with pytest.raises(DataError, match=f"labels in every view for beta = {beta}"):
        correlation_head(rows, views, HeadOptions(3, 0.1, beta))


def test_views_without_a_common_class_are_refused():
    rows, views = _train(paired_features(seed=11))
    views["visual"] = replace(views["visual"], labels=views["visual"].labels + 4)
    with pytest.raises(DataError, match="a class that every view has"):
        correlation_head(rows, views, HeadOptions(3, 0.1, 0.0))
