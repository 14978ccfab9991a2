"""Fitting kernel CCA: the right optimum, choices on validation, landmarks from the seed."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.spatial.distance

from models.cca.kernel_cca import fit_kernel_cca, fit_kernel_cluster_cca
from models.cca.kernel_map import fit_kernel_map
from models.errors import DataError
from tests.training.feature_sets import paired_features, unpaired_features
from training.datasets.feature_data import FeatureData, FeatureView
from training.evaluation.protocol import evaluate
from training.loops.kernel_recipe import KernelConfig, fit_kernel_space
from training.loops.recipe import FitContext
from training.loops.registry import RECIPES

FIXED = KernelConfig((0.01,), (0.0,), (0.0,), (3,), refit=False, width_factors=(0.5,))
QUICK = KernelConfig((1e-3, 0.1), (0.0, 0.5), (0.0, 1.0), (3, 8), width_factors=(0.5, 1.0))


def _fit(method, data, config=QUICK, seed=0):
    return fit_kernel_space(method, data, config, seed=seed, progress=False)


@pytest.mark.parametrize("method", ["kcca", "c-kcca"])
def test_a_fit_equals_the_closed_form_on_standardised_training_rows(method):
    data = paired_features(seed=0, n_rows=80)
    space, _, _ = _fit(method, data, FIXED)
    train = [data.views[name].only("train") for name in ("audio", "visual")]
    rows = [view.features.astype(float) for view in train]
    rows = [(x - x.mean(axis=0)) / x.std(axis=0) for x in rows]
    medians = [np.median(scipy.spatial.distance.pdist(x, "sqeuclidean")) for x in rows]
    maps = [fit_kernel_map(x, 0.5 / median) for x, median in zip(rows, medians, strict=True)]
    if method == "kcca":
        fit = fit_kernel_cca(rows, maps, n_components=3, ridge=0.01)
    else:
        labels = [view.labels for view in train]
        fit = fit_kernel_cluster_cca(rows, labels, maps, n_components=3, ridge=0.01)
    for name, view, x, phi, mean, weights in zip(
        data.views, train, rows, maps, fit.means, fit.weights, strict=True
    ):
        expected = (phi(x) - mean) @ weights
        expected /= np.linalg.norm(expected, axis=1, keepdims=True)
        np.testing.assert_allclose(space.project(name, view.features), expected, atol=1e-4)


@pytest.mark.parametrize("method", ["kcca", "c-kcca"])
def test_a_fit_finds_partners_and_classes_far_above_chance(method):
    data = paired_features(seed=1)
    space, choice, tried = _fit(method, data)
    assert choice.setting.validation_score == max(t.setting.validation_score for t in tried)
    assert {t.width_factor for t in tried} == {0.5, 1.0}
    for direction in evaluate(space, data):
        assert direction.scores.map > 1.5 * direction.chance.map


def test_unpaired_classes_are_related_with_classes_minus_one_components():
    data = unpaired_features(seed=2)
    space, choice, _ = _fit("c-kcca", data)
    assert (space.n_components, choice.setting.beta) == (3, 0.0)
    assert all(d.scores.map > 1.5 * d.chance.map for d in evaluate(space, data))


def test_landmarks_are_drawn_by_the_seed():
    data, config = paired_features(seed=3), replace(FIXED, max_landmarks=10)
    a, again, b = (_fit("kcca", data, config, seed)[0].tensors() for seed in (0, 0, 1))
    assert a["audio.landmarks"].shape == (10, 6)
    assert all(np.array_equal(tensor, again[name]) for name, tensor in a.items())
    assert not np.array_equal(a["audio.landmarks"], b["audio.landmarks"])


def test_a_refit_takes_the_validation_rows_as_landmarks_too():
    data = paired_features(seed=4, n_rows=60)
    without, with_them = (
        _fit("kcca", data, replace(FIXED, refit=refit))[0].tensors() for refit in (False, True)
    )
    assert len(without["audio.landmarks"]) == 36
    assert len(with_them["audio.landmarks"]) == 48


def test_a_refit_whose_landmarks_span_fewer_directions_has_fewer_components():
    """Two landmarks drawn of few distinct rows: some draws are of equal rows."""
    data = paired_features(seed=5, n_rows=60)
    views = {
        name: replace(view, features=np.sign(view.features[:, :1]))
        for name, view in data.views.items()
    }
    sizes = set()
    for seed in range(12):
        space, choice, _ = _fit(
            "kcca", replace(data, views=views), replace(FIXED, refit=True, max_landmarks=2), seed
        )
        assert space.n_components <= choice.setting.n_components
        sizes.add((choice.setting.n_components, space.n_components))
    assert (2, 1) in sizes


def test_the_test_rows_have_no_influence():
    data = paired_features(seed=6, n_rows=100)
    spoiled = {}
    for name, view in data.views.items():
        features = view.features.copy()
        features[view.split == "test"] = 1e6
        spoiled[name] = FeatureView(features, view.ids, view.labels, view.split)
    a, b = (_fit("c-kcca", d)[0].tensors() for d in (data, FeatureData(spoiled, data.classes)))
    assert all(np.array_equal(tensor, b[name]) for name, tensor in a.items())


@pytest.mark.parametrize("method", ["kcca", "c-kcca"])
def test_the_recipe_reports_its_choices(method):
    result = RECIPES[method].fit(
        paired_features(seed=7, n_rows=100), QUICK, FitContext(progress=False)
    )
    assert result.space.method == method
    assert {"width_factor", "ridge", "n_components", "validation_score"} <= set(result.parameters)
    assert result.parameters in result.history


def test_kernel_cca_without_true_pairs_is_refused():
    with pytest.raises(DataError, match="kcca needs true pairs"):
        _fit("kcca", unpaired_features(seed=8))


@pytest.mark.parametrize(
    "values",
    [{"ridges": ()}, {"width_factors": ()}, {"width_factors": (0.0,)}, {"max_landmarks": 1}],
)
def test_settings_that_cannot_be_fitted_are_refused(values):
    with pytest.raises(DataError, match=next(iter(values))):
        KernelConfig(**values)
