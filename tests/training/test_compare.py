"""The comparison: same folds for all, test rows once, resumable, one failure stops nothing."""

import json
from dataclasses import replace

import numpy as np
import pytest

from models.errors import DataError
from tests.training.feature_sets import paired_features, unpaired_features
from training import compare, presets
from training.compare import CompareOptions, compare_methods, fit_fold, load_folds, machine
from training.datasets.feature_data import FeatureView
from training.datasets.feature_file import write_feature_file
from training.loops.linear_config import LinearConfig
from training.loops.registry import RECIPES

QUICK = LinearConfig(ridges=(1.0,), betas=(0.5,), correlation_powers=(1.0,), n_components=(3,))


@pytest.fixture(autouse=True)
def quick_methods(monkeypatch):
    """The closed-form methods with one setting, so that a comparison takes a moment."""
    real = presets.method_of

    def quick(label):
        method, recipe, config = real(label)
        return method, recipe, QUICK if isinstance(config, LinearConfig) else config

    monkeypatch.setattr(compare, "method_of", quick)
    load_folds.cache_clear()
    yield
    load_folds.cache_clear()


@pytest.fixture
def paired(tmp_path):
    write_feature_file(tmp_path / "paired.h5", paired_features(seed=0))
    return CompareOptions(
        (tmp_path / "paired.h5",), ("cca", "c-cca"), n_folds=2, workers=1, progress=False
    )


@pytest.fixture
def unpaired(tmp_path):
    write_feature_file(tmp_path / "unpaired.h5", unpaired_features(seed=0))
    return CompareOptions(
        (tmp_path / "unpaired.h5",), ("cca", "c-cca"), n_folds=2, workers=1, progress=False
    )


def test_every_method_is_measured_on_every_fold_in_the_order_asked_for(paired):
    found = compare_methods(replace(paired, methods=("c-cca", "cca")), command="kyomei compare")
    assert [(r.method, r.fold) for r in found.folds] == [
        ("c-cca", 0), ("c-cca", 1), ("cca", 0), ("cca", 1),
    ]  # fmt: skip
    assert found.methods == ["c-cca", "cca"]
    assert [r.fold for r in found.of("cca")] == [0, 1]
    assert found.protocols == ("class", "class-averaged", "instance")
    assert (found.command, found.n_folds, found.data) == ("kyomei compare", 2, "paired.h5")
    assert all(d.scores.map > d.chance.map for r in found.folds for d in r.directions)


def test_the_folds_test_every_item_once(paired):
    found = compare_methods(paired)
    tested = [one for r in found.of("cca") for one in r.embedded["audio"].ids.tolist()]
    assert sorted(tested) == sorted(paired_features(seed=0).views["audio"].ids.tolist())
    for result in found.folds:
        train, test = (set(part["audio"].ids) for part in (result.train_embedded, result.embedded))
        assert not train & test


def test_methods_that_need_pairs_get_random_same_class_pairs_and_a_note(unpaired):
    found = compare_methods(unpaired)
    assert found.methods == ["cca", "c-cca"]
    assert any(note.startswith("cca: trained on random same-class pairs") for note in found.notes)


def test_a_method_that_the_data_do_not_admit_is_named_and_the_others_go_on(tmp_path, paired):
    data = paired_features(seed=0)
    for name, view in data.views.items():
        data.views[name] = FeatureView(view.features, view.ids, None, view.split)
    write_feature_file(tmp_path / "bare.h5", data)
    found = compare_methods(replace(paired, paths=(tmp_path / "bare.h5",)))
    assert found.methods == ["cca"]
    assert "labels" in found.failures["c-cca"]
    assert found.protocols == ("instance",)


def test_an_unexpected_error_of_a_fit_costs_that_method_alone(paired, monkeypatch):
    def broken(data, config, context):
        raise ValueError("something else")

    monkeypatch.setitem(RECIPES, "cca", replace(RECIPES["cca"], fit=broken))
    found = compare_methods(paired)
    assert found.methods == ["c-cca"]
    assert found.failures == {"cca": "ValueError: something else"}


def test_a_single_view_is_refused(paired):
    with pytest.raises(DataError, match=r"at least two views, found \['audio'\]"):
        compare_methods(replace(paired, views=("audio",)))


def test_the_rows_that_a_fit_saw_are_counted_with_validation(paired):
    result = fit_fold(paired, "cca", 0)
    n_rows = sum(len(view) for view in load_folds(paired)[0].views.values())
    n_test, n_train = (
        sum(len(view.ids) for view in part.values())
        for part in (result.embedded, result.train_embedded)
    )
    assert result.n_fitted == n_rows - n_test > n_train


def test_no_method_at_all_is_refused(unpaired):
    with pytest.raises(DataError, match="no method"):
        compare_methods(replace(unpaired, methods=("c-cca",), labelled_share=0.0))


def test_the_same_call_goes_on_with_what_is_fitted(paired, tmp_path, monkeypatch):
    options = replace(paired, folder=tmp_path / "report")
    first = compare_methods(options)

    def must_not_fit(data, config, context):
        raise AssertionError("fitted again")

    for method in options.methods:
        monkeypatch.setitem(RECIPES, method, replace(RECIPES[method], fit=must_not_fit))
    again = compare_methods(options)
    for one, other in zip(first.folds, again.folds, strict=True):
        assert (one.method, one.fold, one.fit_seconds) == (
            other.method, other.fold, other.fit_seconds,
        )  # fmt: skip
        np.testing.assert_array_equal(
            one.embedded["audio"].embedding, other.embedded["audio"].embedding
        )


def test_another_seed_or_a_fit_that_was_cut_off_is_fitted_again(paired, tmp_path):
    options = replace(paired, folder=tmp_path / "report", methods=("c-cca",))
    compare_methods(options)
    fit = tmp_path / "report/runs/c-cca/fold-0/fit.json"
    identity = json.loads(fit.read_text())["identity"]
    compare_methods(replace(options, seed=1))
    assert json.loads(fit.read_text())["identity"] != identity
    fit.unlink()
    compare_methods(options)
    assert json.loads(fit.read_text())["identity"] == identity


def test_a_run_that_is_killed_while_it_writes_vouches_for_no_other(paired, tmp_path, monkeypatch):
    options = replace(paired, folder=tmp_path / "report", methods=("c-cca",), n_folds=1)
    first = compare_methods(options).folds[0].embedded["audio"].embedding
    with monkeypatch.context() as patch:  # the space is there, what says so is not
        patch.setattr("training.compare.write_json", lambda *_: None)
        fit_fold(replace(options, seed=5), "c-cca", 0)
    again = compare_methods(options).folds[0].embedded["audio"].embedding
    np.testing.assert_array_equal(again, first)


def test_a_damaged_space_is_fitted_again(paired, tmp_path):
    options = replace(paired, folder=tmp_path / "report", methods=("c-cca",), n_folds=1)
    first = compare_methods(options).folds[0].embedded["audio"].embedding
    (tmp_path / "report/runs/c-cca/fold-0/weights.safetensors").write_bytes(b"half")
    again = compare_methods(options).folds[0].embedded["audio"].embedding
    np.testing.assert_array_equal(again, first)


def test_spaces_of_other_code_are_fitted_again(paired, tmp_path, monkeypatch):
    options = replace(paired, folder=tmp_path / "report", methods=("c-cca",), n_folds=1)
    compare_methods(options)
    fit = tmp_path / "report/runs/c-cca/fold-0/fit.json"
    identity = json.loads(fit.read_text())["identity"]
    monkeypatch.setattr(compare, "_code", lambda: "other")
    compare_methods(options)
    assert json.loads(fit.read_text())["identity"] != identity


def test_processes_give_the_same_figures_as_one(paired, monkeypatch):
    monkeypatch.undo()  # the processes have the real settings
    options = replace(paired, methods=("mean-cca",))
    one = compare_methods(options)
    two = compare_methods(replace(options, workers=2))
    for a, b in zip(one.folds, two.folds, strict=True):
        assert [d.scores.map for d in a.directions] == [d.scores.map for d in b.directions]


def test_several_files_are_several_folds(paired, tmp_path):
    write_feature_file(tmp_path / "second.h5", paired_features(seed=1))
    found = compare_methods(replace(paired, paths=(*paired.paths, tmp_path / "second.h5")))
    assert found.n_folds == 2
    assert found.data == "paired.h5, second.h5"


def test_hidden_labels_are_said(paired):
    found = compare_methods(replace(paired, labelled_share=0.5))
    assert any("0.5 of the items" in note for note in found.notes)


def test_a_view_that_is_not_there_is_refused(paired):
    with pytest.raises(DataError, match="video"):
        compare_methods(replace(paired, views=("audio", "video")))


def test_a_search_goes_before_the_fit(paired, monkeypatch):
    asked = []

    def search(recipe, data, config, context, *, trials):
        assert not any((view.split == "test").any() for view in data.views.values())
        asked.append(trials)
        return config

    monkeypatch.setattr(compare, "search_config", search)
    fit_fold(replace(paired, trials=3), "c-cca", 0)
    assert asked == [3]


def test_the_machine_is_said_in_words():
    assert "cores" in machine()
