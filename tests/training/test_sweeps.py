"""Sweeps: a figure per setting, drawn from fits on the first fold."""

from dataclasses import replace

from models.errors import DataError
from tests.training.feature_sets import paired_features
from training import sweeps
from training.compare import CompareOptions, load_folds
from training.datasets.feature_data import FeatureView
from training.datasets.feature_file import write_feature_file
from training.loops.registry import RECIPES
from training.presets import method_of
from training.sweeps import SWEEPS, Sweep, remove_sweeps, write_sweeps


def _options(path):
    return CompareOptions((path,), (), n_folds=2, workers=1, progress=False)


def test_every_sweep_changes_fields_that_its_methods_have():
    for sweep in SWEEPS.values():
        for label, names in sweep.settings.items():
            config = method_of(label)[2]
            for value in sweep.values:
                replace(config, **{n: type(getattr(config, n))(value) for n in names})


def test_a_plot_is_written_for_every_sweep(tmp_path, monkeypatch):
    write_feature_file(tmp_path / "f.h5", paired_features(seed=0))
    tried = []
    real = RECIPES["tnn-c-cca"]

    def fit(data, config, context):
        tried.append((config.margin, config.n_components))
        small = replace(config, hidden=(4,), epochs=1, refit=False, batch_size=64)
        return real.fit(data, small, context)

    monkeypatch.setitem(RECIPES, "tnn-c-cca", replace(real, fit=fit))
    few = {
        "margin": Sweep("margin", {"tnn-c-cca": ("margin",)}, (0.2, 0.5)),
        "components": Sweep("K", {"tnn-c-cca": ("n_components",)}, (2, 3)),
    }
    monkeypatch.setattr(sweeps, "SWEEPS", few)
    load_folds.cache_clear()
    write_sweeps(_options(tmp_path / "f.h5"), tmp_path)
    default = method_of("tnn-c-cca")[2]
    k, margin = default.n_components, default.margin
    assert tried == [(0.2, k), (0.5, k), (margin, 2), (margin, 3)]
    for name in few:
        assert (tmp_path / f"sweep_{name}.png").read_bytes().startswith(b"\x89PNG")


def test_a_value_that_cannot_be_fitted_has_no_point_and_is_named(tmp_path, monkeypatch):
    write_feature_file(tmp_path / "f.h5", paired_features(seed=0))
    real = RECIPES["tnn-c-cca"]

    def fit(data, config, context):
        if config.margin == 0.2:
            raise DataError("too small")
        small = replace(config, hidden=(4,), epochs=1, refit=False, batch_size=64)
        return real.fit(data, small, context)

    monkeypatch.setitem(RECIPES, "tnn-c-cca", replace(real, fit=fit))
    few = {
        "margin": Sweep("margin", {"tnn-c-cca": ("margin",)}, (0.2, 0.5)),
        "batches": Sweep("batches", {"tnn-c-cca": ("batches_per_epoch",)}, (1,)),
    }
    monkeypatch.setattr(sweeps, "SWEEPS", few)
    monkeypatch.setattr(sweeps, "LARGEST_BATCH", 50)
    load_folds.cache_clear()
    problems = write_sweeps(_options(tmp_path / "f.h5"), tmp_path)
    assert [p.split(":")[0] for p in problems] == [
        "tnn-c-cca, margin 0.2", "tnn-c-cca, batches 1",
    ]  # fmt: skip
    assert [path.name for path in tmp_path.glob("*.png")] == ["sweep_margin.png"]
    remove_sweeps(tmp_path)
    assert list(tmp_path.glob("*.png")) == []


def test_hidden_labels_are_no_labels(tmp_path):
    write_feature_file(tmp_path / "f.h5", paired_features(seed=0))
    load_folds.cache_clear()
    options = replace(_options(tmp_path / "f.h5"), labelled_share=0.0)
    assert write_sweeps(options, tmp_path) == ["left out, the training rows have no labels"]


def test_data_without_labels_have_no_sweeps(tmp_path):
    data = paired_features(seed=0)
    for name, view in data.views.items():
        data.views[name] = FeatureView(view.features, view.ids, None, view.split)
    write_feature_file(tmp_path / "f.h5", data)
    load_folds.cache_clear()
    write_sweeps(_options(tmp_path / "f.h5"), tmp_path)
    assert list(tmp_path.glob("*.png")) == []
