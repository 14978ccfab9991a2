"""Fitting class posteriors: against scikit-learn, and against the pipeline composed by hand."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from models.cca.cluster_cca import fit_cluster_cca
from models.errors import DataError
from tests.training.feature_sets import paired_features, unpaired_features, without_labels
from training.evaluation.protocol import evaluate
from training.loops.recipe import FitContext
from training.loops.registry import RECIPES
from training.loops.semantic_config import SemanticConfig, SemanticCorrelationConfig
from training.loops.semantic_recipe import fit_semantic_correlation_space, fit_semantic_space

SM = SemanticConfig((0.03,), (1.0,), ("cosine",), refit=False)
SCM = SemanticCorrelationConfig(
    (0.1,),
    (0.0,),
    (1.0,),
    (3,),
    False,
    penalties=(0.01,),
    temperatures=(1.0,),
    comparisons=("cosine",),
)
QUICK_SM = SemanticConfig((0.01, 0.1), (0.5, 2.0), ("cosine", "centred"))
QUICK_SCM = replace(
    SCM,
    ridges=(0.1, 1.0),
    penalties=(0.01, 0.1),
    temperatures=(0.5, 2.0),
    comparisons=("cosine", "centred"),
)


def _standardised(data):
    train = {name: view.only("train") for name, view in data.views.items()}
    rows = {name: view.features.astype(float) for name, view in train.items()}
    return train, {name: (x - x.mean(axis=0)) / x.std(axis=0) for name, x in rows.items()}


def _unit_probabilities(rows, labels, penalty):
    model = LogisticRegression(C=1.0 / (penalty * len(rows)), tol=1e-9, max_iter=2000)
    found = model.fit(rows, labels).predict_proba(rows)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def test_posteriors_equal_those_of_scikit_learn():
    data = paired_features(seed=0)
    space, _, _ = fit_semantic_space(data, SM)
    train, rows = _standardised(data)
    for name, view in train.items():
        expected = _unit_probabilities(rows[name], view.labels, 0.03)
        np.testing.assert_allclose(space.project(name, view.features), expected, atol=2e-3)


def test_semantic_correlation_matching_equals_the_composed_pipeline():
    data = unpaired_features(seed=1)
    space, _, _ = fit_semantic_correlation_space(data, SCM, progress=False)
    train, rows = _standardised(data)
    labels = [view.labels for view in train.values()]
    cca = fit_cluster_cca(list(rows.values()), labels, n_components=3, ridge=0.1)
    for (name, view), mean, weights in zip(train.items(), cca.means, cca.weights, strict=True):
        projected = (rows[name] - mean) @ (weights * cca.correlations)
        expected = _unit_probabilities(projected, view.labels, 0.01)
        np.testing.assert_allclose(space.project(name, view.features), expected, atol=2e-3)


def test_rows_of_unknown_class_teach_the_classifiers_nothing():
    """They do count in the mean and scale of the features, so both are kept."""
    data = paired_features(seed=2)
    unknown, moved = {}, {}
    for name, view in data.views.items():
        labels = np.where(np.arange(len(view)) % 7 == 0, -1, view.labels)
        unknown[name] = replace(view, labels=labels)
        moved[name] = replace(view, labels=np.where(labels < 0, 9, labels))
    moved["visual"] = unknown["visual"]  # class 9 is in one view only
    a, b = (fit_semantic_space(replace(data, views=v), SM)[0] for v in (unknown, moved))
    assert all(np.array_equal(t, b.tensors()[name]) for name, t in a.tensors().items())
    train, rows = _standardised(data)
    known = unknown["audio"].only("train").labels >= 0
    expected = _unit_probabilities(rows["audio"][known], train["audio"].labels[known], 0.03)
    found = a.project("audio", train["audio"].features[known])
    np.testing.assert_allclose(found, expected, atol=2e-3)


@pytest.mark.parametrize("temperature", [0.5, 2.0])
@pytest.mark.parametrize("centred", [False, True])
def test_temperature_divides_the_logits_and_the_centre_is_subtracted(temperature, centred):
    data = paired_features(seed=3)
    plain, _, _ = fit_semantic_space(data, SM)
    space, choice, _ = fit_semantic_space(
        data,
        replace(SM, temperatures=(temperature,), comparisons=("centred" if centred else "cosine",)),
    )
    assert (choice.temperature, choice.comparison == "centred") == (temperature, centred)
    rows = data.views["audio"].features
    expected = plain.project("audio", rows).astype(float) ** (1.0 / temperature)
    expected /= expected.sum(axis=1, keepdims=True)
    expected -= 0.25 if centred else 0.0
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(space.project("audio", rows), expected, atol=1e-5)


@pytest.mark.parametrize("n_views", [2, 3])
def test_the_cosine_of_two_views_is_the_probability_of_one_class(n_views):
    data = paired_features(seed=9, dimensions=(6, 5, 4)[:n_views])
    space, _, _ = fit_semantic_space(data, replace(SM, comparisons=("probability",)))
    train, rows = _standardised(data)
    found = {name: space.project(name, view.features) for name, view in train.items()}
    wanted = {}
    for name, view in train.items():
        model = LogisticRegression(C=1.0 / (0.03 * len(view)), tol=1e-9, max_iter=2000)
        wanted[name] = model.fit(rows[name], view.labels).predict_proba(rows[name])
    for first, second in combinations(train, 2):
        expected = wanted[first] @ wanted[second].T
        np.testing.assert_allclose(found[first] @ found[second].T, expected, atol=2e-3)


@pytest.mark.parametrize("method", ["sm", "scm"])
@pytest.mark.parametrize("make", [paired_features, unpaired_features])
def test_a_fit_finds_classes_far_above_chance_and_chooses_the_best(method, make):
    data = make(seed=4)
    if method == "sm":
        space, choice, tried = fit_semantic_space(data, QUICK_SM)
    else:
        space, choice, tried = fit_semantic_correlation_space(data, QUICK_SCM, progress=False)
    assert space.n_components == 4
    assert len(tried) == 4
    assert choice.validation_score == max(t.validation_score for t in tried)
    for direction in evaluate(space, data):
        assert direction.protocol == "instance" or (
            direction.scores.map > 1.5 * direction.chance.map
        )


def test_a_refit_uses_the_validation_rows_too():
    data = paired_features(seed=5)
    a, b = (fit_semantic_space(data, replace(SM, refit=r))[0].tensors() for r in (False, True))
    assert not np.array_equal(a["audio.weights"], b["audio.weights"])


@pytest.mark.parametrize(("method", "config"), [("sm", SM), ("scm", SCM)])
def test_the_recipe_reports_its_choices(method, config):
    result = RECIPES[method].fit(paired_features(seed=6), config, FitContext(progress=False))
    assert result.space.method == method
    expected = {"penalty_audio", "penalty_visual", "temperature", "comparison", "validation_score"}
    assert expected <= set(result.parameters)
    assert ("projection_ridge" in result.parameters) == (method == "scm")
    assert result.parameters in result.history


def test_validation_rows_of_no_known_class_are_refused():
    data = paired_features(seed=7)
    view = data.views["visual"]
    labels = np.where(view.split == "validation", -1, view.labels)
    views = {**data.views, "visual": replace(view, labels=labels)}
    with pytest.raises(DataError, match="visual: expected validation rows of a class"):
        fit_semantic_space(replace(data, views=views), SM)


def test_a_view_without_labels_is_refused():
    data = paired_features(seed=8)
    half = {**data.views, "visual": without_labels(data).views["visual"]}
    with pytest.raises(DataError, match="sm needs labels"):
        fit_semantic_space(replace(data, views=half), SM)


@pytest.mark.parametrize("config", [SemanticConfig, SemanticCorrelationConfig])
@pytest.mark.parametrize(
    "values",
    [
        {"penalties": (0.0,)},
        {"temperatures": (-1.0,)},
        {"comparisons": ()},
        {"comparisons": ("dot",)},
    ],
)
def test_settings_that_cannot_be_fitted_are_refused(config, values):
    with pytest.raises(DataError, match=next(iter(values))):
        config(**values)
