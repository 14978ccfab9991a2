"""Fitting CCA and cluster-CCA: choices on validation, test rows untouched, the right optimum."""

from dataclasses import replace

import numpy as np
import pytest

from models.cca.linear_cca import fit_linear_cca
from models.errors import DataError
from tests.training.feature_sets import paired_features, unpaired_features
from training.datasets.feature_data import FeatureData, FeatureView
from training.evaluation.protocol import evaluate
from training.loops.linear_recipe import LinearConfig, fit_linear_space
from training.loops.registry import recipe

QUICK = LinearConfig(
    ridges=(0.01, 1.0), betas=(0.0, 0.5), correlation_powers=(0.0, 1.0), n_components=(3, 4)
)
FIXED = LinearConfig(ridges=(0.1,), correlation_powers=(0.0,), n_components=(3,), refit=False)


def test_plain_cca_equals_the_closed_form_on_standardised_training_rows():
    data = paired_features(seed=0)
    space, _, _ = fit_linear_space("cca", data, FIXED, progress=False)
    rows = [data.views[n].only("train").features.astype(float) for n in ("audio", "visual")]
    standardised = [(x - x.mean(0)) / x.std(0) for x in rows]
    reference = fit_linear_cca(standardised, n_components=3, ridge=0.1)
    expected = (standardised[0] - reference.means[0]) @ reference.weights[0]
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    found = space.project("audio", rows[0].astype(np.float32))
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("method", ["cca", "c-cca"])
def test_a_fit_finds_partners_and_classes_far_above_chance(method):
    data = paired_features(seed=1)
    space, _, _ = fit_linear_space(method, data, QUICK, progress=False)
    for direction in evaluate(space, data):
        assert direction.scores.mrr > 2 * direction.chance.mrr or direction.protocol != "instance"
        assert direction.scores.map > 1.5 * direction.chance.map


def test_unpaired_classes_are_related_with_at_most_classes_minus_one_components():
    data = unpaired_features(seed=2)
    space, choice, _ = fit_linear_space("c-cca", data, QUICK, progress=False)
    assert choice.beta == 0.0
    assert space.n_components == 3
    assert all(d.scores.map > 1.5 * d.chance.map for d in evaluate(space, data))


def test_the_test_rows_have_no_influence():
    data = paired_features(seed=3)
    spoiled = {}
    for name, view in data.views.items():
        features = view.features.copy()
        features[view.split == "test"] = 1e6
        spoiled[name] = FeatureView(features, view.ids, view.labels, view.split)
    a, _, _ = fit_linear_space("c-cca", data, QUICK, progress=False)
    other = FeatureData(spoiled, data.classes)
    b, _, _ = fit_linear_space("c-cca", other, QUICK, progress=False)
    for name, tensor in a.tensors().items():
        np.testing.assert_array_equal(tensor, b.tensors()[name])


def test_the_best_setting_on_validation_is_chosen():
    _, choice, tried = fit_linear_space("c-cca", paired_features(seed=4), QUICK, progress=False)
    assert choice.validation_score == max(t.validation_score for t in tried)
    # at beta 0.5 two ridges x 2 powers x 2 sizes, at beta 0 one or two ridges x 2 powers x C - 1
    assert len(tried) in (2 * 2 * 2 + 2, 2 * 2 * 2 + 2 * 2)


def test_a_refit_uses_the_validation_rows_too():
    data = paired_features(seed=5)
    fixed = LinearConfig((1.0,), (0.5,), (0.0,), (3,))
    without, _, _ = fit_linear_space("c-cca", data, replace(fixed, refit=False), progress=False)
    refitted, _, _ = fit_linear_space("c-cca", data, fixed, progress=False)
    assert not np.array_equal(
        without.tensors()["audio.weights"], refitted.tensors()["audio.weights"]
    )


@pytest.mark.parametrize("beta", [0.0, 0.2, 1.0])
def test_cluster_cca_is_fitted_on_true_pairs_with_probability_beta_else_on_same_class_pairs(beta):
    data = paired_features(seed=13)
    config = replace(FIXED, betas=(beta,))
    space, choice, _ = fit_linear_space("c-cca", data, config, progress=False)
    assert choice.beta == beta
    train = [data.views[name].only("train") for name in ("audio", "visual")]
    rows = [(v.features - v.features.mean(0)) / v.features.std(0) for v in train]
    same = np.argwhere(train[0].labels[:, None] == train[1].labels)  # every same-class pair
    weights = np.full(len(same), (1.0 - beta) / len(same))
    weights[same[:, 0] == same[:, 1]] += beta / len(rows[0])
    paired = np.hstack([rows[0][same[:, 0]], rows[1][same[:, 1]]]).astype(float)
    covariance = np.cov(paired.T, aweights=weights, bias=True)
    (w_a, w_b), d = (space.tensors()[f"{n}.weights"] for n in data.views), len(rows[0].T)
    within = w_a.T @ (covariance[:d, :d] + 0.1 * np.eye(d)) @ w_a
    np.testing.assert_allclose(within, np.eye(3), atol=1e-4)
    between = w_a.T @ covariance[:d, d:] @ w_b
    np.testing.assert_allclose(between - np.diag(np.diag(between)), 0.0, atol=1e-4)
    ridged = [c + 0.1 * np.eye(len(c)) for c in (covariance[:d, :d], covariance[d:, d:])]
    roots = [np.linalg.inv(np.linalg.cholesky(c)) for c in ridged]
    expected = np.linalg.svd(roots[0] @ covariance[:d, d:] @ roots[1].T, compute_uv=False)
    np.testing.assert_allclose(np.diag(between), expected[:3], atol=1e-4)


def test_with_true_pairs_alone_cluster_cca_is_plain_cca():
    data = paired_features(seed=14)
    plain, _, _ = fit_linear_space("cca", data, FIXED, progress=False)
    cluster, _, _ = fit_linear_space("c-cca", data, replace(FIXED, betas=(1.0,)), progress=False)
    for name, tensor in plain.tensors().items():
        np.testing.assert_array_equal(tensor, cluster.tensors()[name])


def test_plain_cca_does_not_look_at_labels():
    data = paired_features(seed=6)
    relabelled = {
        name: FeatureView(view.features, view.ids, None, view.split)
        for name, view in data.views.items()
    }
    a, _, _ = fit_linear_space("cca", data, QUICK, progress=False)
    b, _, _ = fit_linear_space("cca", FeatureData(relabelled), QUICK, progress=False)
    np.testing.assert_array_equal(a.tensors()["audio.weights"], b.tensors()["audio.weights"])


def test_rows_far_from_the_training_data_are_not_typical():
    data = paired_features(seed=7)
    space, _, _ = fit_linear_space("cca", data, QUICK, progress=False)
    test = data.views["audio"].only("test").features
    assert np.mean(space.typicality("audio", test) == 1.0) > 0.9
    far = space.typicality("audio", test[:5] + np.float32(100.0))
    assert (far > 0).all()
    assert (far < 0.1).all()


def test_cca_without_true_pairs_is_refused():
    with pytest.raises(DataError, match="true pairs"):
        fit_linear_space("cca", unpaired_features(seed=8), QUICK, progress=False)


def test_cluster_cca_without_labels_is_refused():
    data = paired_features(seed=9)
    for name, view in data.views.items():
        data.views[name] = FeatureView(view.features, view.ids, None, view.split)
    with pytest.raises(DataError, match="labels"):
        fit_linear_space("c-cca", data, QUICK, progress=False)


def test_a_single_view_is_refused():
    data = paired_features(seed=10)
    del data.views["visual"]
    with pytest.raises(DataError, match="two views"):
        fit_linear_space("cca", data, QUICK, progress=False)


def test_a_view_without_validation_rows_is_refused():
    data = paired_features(seed=11)
    for name, view in data.views.items():
        split = np.where(view.split == "validation", "train", view.split)
        data.views[name] = FeatureView(view.features, view.ids, view.labels, split)
    with pytest.raises(DataError, match="validation rows"):
        fit_linear_space("cca", data, QUICK, progress=False)


def test_an_unknown_method_is_refused_with_the_known_ones():
    with pytest.raises(DataError, match="c-cca"):
        recipe("cluster")


@pytest.mark.parametrize(
    "values",
    [
        {"ridges": ()},
        {"ridges": (-1.0,)},
        {"betas": (1.5,)},
        {"correlation_powers": (-1.0,)},
        {"n_components": (0,)},
    ],
)
def test_settings_that_cannot_be_fitted_are_refused(values):
    with pytest.raises(DataError, match=next(iter(values))):
        LinearConfig(**values)
