"""The contract of every entry of RECIPES, on tiny data with what it needs and without."""

from dataclasses import fields, replace
from functools import cache

import numpy as np
import pytest

from models.errors import DataError
from models.spaces import SPACES
from tests.training.feature_sets import (
    paired_features,
    sequence_features,
    unpaired_features,
    without_labels,
)
from tests.training.loops.tiny_networks import tiny
from training.datasets.disturb import drop_partners
from training.datasets.hide_labels import hide_labels
from training.evaluation.protocol import CLASS, INSTANCE, evaluate, rows_for
from training.loops.contrastive_recipe import ContrastiveConfig
from training.loops.gradient_config import GradientConfig
from training.loops.recipe import LABELS, PAIRS, FitContext
from training.loops.registry import RECIPES


def _first_rows(data, n_rows):
    views = {name: view.take(np.arange(len(view)) < n_rows) for name, view in data.views.items()}
    return replace(data, views=views)


METHODS = sorted(RECIPES)
GRADIENT = [name for name in METHODS if issubclass(RECIPES[name].config, GradientConfig)]
PAIRED, UNPAIRED = paired_features(seed=0, n_rows=120), _first_rows(unpaired_features(seed=0), 120)
KINDS = {
    "pairs and labels": PAIRED,
    "pairs and labels of a half": hide_labels(PAIRED, share=0.5, seed=0),
    "pairs": without_labels(PAIRED),
    "labels": UNPAIRED,
    "labels of a half": hide_labels(UNPAIRED, share=0.5, seed=0),
    "three views": paired_features(seed=0, n_rows=120, dimensions=(6, 5, 4)),
    "two of three views": drop_partners(
        paired_features(seed=0, n_rows=120, dimensions=(6, 5, 4)), share=1.0, seed=0
    ),
    "sequences": sequence_features(seed=0),
}
LACKING = {PAIRS: {"labels", "labels of a half", "two of three views"}, LABELS: {"pairs"}}
CASES = [
    (method, kind)
    for method in METHODS
    for kind in KINDS
    if not any(kind in LACKING[need] for need in RECIPES[method].needs)
]


def quick(method):
    """A configuration that is fitted in a moment: small networks, or few settings to try."""
    kind = RECIPES[method].config
    if issubclass(kind, GradientConfig):
        changes = {"epochs": 5, "batch_size": 24, "dropout": 0.0, "input_dropout": 0.0}
        if issubclass(kind, ContrastiveConfig):  # half of them tell classes, half partners
            changes["n_components"] = 8
        return tiny(kind, **changes)
    usual = kind()
    tried = {field.name: getattr(usual, field.name) for field in fields(kind)}
    return kind(**{n: x[:2] if isinstance(x, tuple) else x for n, x in tried.items()})


def fit(method, data, seed=0):
    return RECIPES[method].fit(data, quick(method), FitContext(seed=seed, progress=False))


@cache
def fitted(method, kind="pairs and labels", seed=0):
    return fit(method, KINDS[kind].for_selection(), seed)


def _same_tensors(first, second):
    a, b = first.space.tensors(), second.space.tensors()
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


def _projected(result, data):
    views = result.space.views
    return {
        name: result.space.project(name, rows_for(data.views[name], views[name])) for name in views
    }


@pytest.mark.parametrize("method", METHODS)
def test_the_space_bears_the_name_of_the_method_and_can_be_opened_again(method):
    space = fitted(method).space
    assert space.method == method
    assert method in SPACES
    tensors = {name: np.array(x) for name, x in space.tensors().items()}
    again = SPACES[method](method, space.views, tensors)
    for name, rows in _projected(fitted(method), PAIRED).items():
        found = again.project(name, PAIRED.views[name].features)
        np.testing.assert_allclose(found, rows, atol=1e-4)  # kernel weights in single precision


@pytest.mark.parametrize(("method", "kind"), CASES)
def test_rows_are_finite_unit_rows_of_every_view(method, kind):
    data = KINDS[kind]
    result = fitted(method, kind)
    assert list(result.space.views) == list(data.views)
    for name, rows in _projected(result, data).items():
        assert rows.shape == (len(data.views[name]), result.space.n_components)
        assert rows.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-5)
        assert np.isfinite(rows).all()
    for tensor in result.space.tensors().values():
        assert np.isfinite(tensor).all()


@pytest.mark.parametrize(("method", "kind"), CASES)
def test_training_rows_find_each_other_better_than_by_chance(method, kind):
    data = KINDS[kind]
    wanted = INSTANCE if data.views["audio"].labels is None else CLASS
    found = [d for d in evaluate(fitted(method, kind).space, data, split="train")
             if d.protocol == wanted]  # fmt: skip
    assert found
    for direction in found:
        assert direction.scores.map > 1.05 * direction.chance.map


@pytest.mark.parametrize(("method", "kind"), CASES)
def test_choices_and_history_hold_the_validation_score(method, kind):
    result = fitted(method, kind)
    tried = [entry for entry in result.history if entry.get("phase") != "refit"]
    scores = [float(entry["validation_score"]) for entry in tried]
    best = float(result.parameters["validation_score"])
    assert 0.0 < best <= 1.0
    assert best == pytest.approx(max(scores), abs=1e-6)
    entries = [result.parameters, *result.history]
    assert all(isinstance(x, int | float | str) for entry in entries for x in entry.values())


@pytest.mark.parametrize("method", GRADIENT)
def test_a_network_keeps_its_losses_by_epoch(method):
    history = fitted(method).history
    for phase in (None, "refit"):
        entries = [entry for entry in history if entry.get("phase") == phase]
        assert [entry["epoch"] for entry in entries] == list(range(1, len(entries) + 1))
        assert all(np.isfinite(float(entry["loss"])) for entry in entries)
    refitted = [entry for entry in history if entry.get("phase") == "refit"]
    assert fitted(method).parameters["best_epoch"] == len(refitted)


@pytest.mark.parametrize("method", METHODS)
def test_the_same_seed_gives_the_same_bits(method):
    again = fit(method, PAIRED.for_selection())
    assert _same_tensors(fitted(method), again)
    assert fitted(method).history == again.history
    assert fitted(method).parameters == again.parameters


@pytest.mark.parametrize("method", GRADIENT)
def test_another_seed_gives_another_network(method):
    assert not _same_tensors(fitted(method), fitted(method, seed=1))


@pytest.mark.parametrize("method", METHODS)
def test_test_rows_are_refused_or_without_influence(method):
    spoiled = {}
    for name, view in PAIRED.views.items():
        features = view.features.copy()
        features[view.split == "test"] = 1e6
        spoiled[name] = replace(view, features=features)
    data = replace(PAIRED, views=spoiled)
    assert _same_tensors(fitted(method), fit(method, data.for_selection()))
    try:
        found = fit(method, data)
    except DataError as error:
        assert "no test rows" in str(error)  # noqa: PT017
    else:
        assert _same_tensors(fitted(method), found)


@pytest.mark.parametrize("method", METHODS)
def test_the_data_and_the_terminal_are_left_as_they_are(method, capsys):
    data = paired_features(seed=0, n_rows=120).for_selection()
    before = {n: (v.features.copy(), v.labels.copy()) for n, v in data.views.items()}
    for view in data.views.values():
        view.features.flags.writeable = view.labels.flags.writeable = False
    fit(method, data)
    for name, view in data.views.items():
        np.testing.assert_array_equal(view.features, before[name][0])
        np.testing.assert_array_equal(view.labels, before[name][1])
    shown = capsys.readouterr()
    assert shown.out + shown.err == ""


@pytest.mark.parametrize("method", [m for m in METHODS if PAIRS in RECIPES[m].needs])
def test_missing_pairs_are_refused(method):
    with pytest.raises(DataError, match="true pairs"):
        fit(method, UNPAIRED.for_selection())


@pytest.mark.parametrize("method", [m for m in METHODS if LABELS in RECIPES[m].needs])
@pytest.mark.parametrize("hidden", [True, False])
def test_missing_labels_are_refused(method, hidden):
    data = hide_labels(PAIRED, share=0.0, seed=0) if hidden else without_labels(PAIRED)
    with pytest.raises(DataError, match="labels"):
        fit(method, data.for_selection())


@pytest.mark.parametrize("method", METHODS)
def test_rows_that_nothing_relates_are_refused(method):
    with pytest.raises(DataError, match=r"labels|pairs"):
        fit(method, without_labels(UNPAIRED).for_selection())


@pytest.mark.parametrize("method", METHODS)
def test_a_single_view_is_refused(method):
    data = replace(PAIRED, views={"audio": PAIRED.views["audio"]})
    with pytest.raises(DataError, match="two views"):
        fit(method, data.for_selection())


@pytest.mark.parametrize("method", METHODS)
def test_data_without_validation_rows_are_refused(method):
    views = {name: view.only("train") for name, view in PAIRED.views.items()}
    with pytest.raises(DataError, match="validation rows"):
        fit(method, replace(PAIRED, views=views))


@pytest.mark.parametrize("method", [m for m in METHODS if LABELS not in RECIPES[m].needs])
def test_hidden_labels_are_as_good_as_none_where_pairs_are_enough(method):
    hidden = fit(method, hide_labels(PAIRED, share=0.0, seed=0).for_selection())
    for name, rows in _projected(fitted(method, "pairs"), PAIRED).items():
        np.testing.assert_array_equal(_projected(hidden, PAIRED)[name], rows)


@pytest.mark.parametrize("method", [m for m in METHODS if RECIPES[m].needs == {PAIRS}])
def test_a_method_of_pairs_alone_does_not_look_at_labels(method):
    assert _same_tensors(fitted(method), fitted(method, "pairs"))
    assert _same_tensors(fitted(method), fitted(method, "pairs and labels of a half"))


@pytest.mark.parametrize("method", METHODS)
def test_rows_far_from_the_training_data_are_less_typical(method):
    space = fitted(method).space
    rows = PAIRED.views["audio"].only("validation").features
    near, far = space.typicality("audio", rows), space.typicality("audio", rows + np.float32(100))
    assert np.mean(near == 1.0) > 0.9
    assert (far > 0.0).all()
    assert (far < 0.1).all()
