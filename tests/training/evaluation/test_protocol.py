"""The protocols: what is relevant, what is in the gallery, what is refused."""

import numpy as np
import pytest

from models.errors import DataError
from tests.training.feature_sets import paired_features, unpaired_features
from training.evaluation.protocol import evaluate, measure, pooled_rows
from training.evaluation.report import plot_history, plot_recall, results_json, results_table
from training.loops.linear_recipe import LinearConfig, fit_linear_space

SMALL = LinearConfig(ridges=(1.0,), betas=(0.5,), correlation_powers=(1.0,), n_components=(4,))


def _first_four(name, rows):
    return (rows[:, :4] / np.linalg.norm(rows[:, :4], axis=1, keepdims=True)).astype(np.float32)


def test_paired_and_labelled_data_is_measured_under_both_protocols_in_both_directions():
    data = paired_features(seed=0)
    views = {name: view.only("test") for name, view in data.views.items()}
    found = [(d.protocol, d.query, d.target) for d in measure(_first_four, views)]
    assert found == [
        ("class", "audio", "visual"),
        ("instance", "audio", "visual"),
        ("class", "visual", "audio"),
        ("instance", "visual", "audio"),
    ]


def test_unpaired_data_has_no_instance_protocol():
    data = unpaired_features(seed=0)
    views = {name: view.only("test") for name, view in data.views.items()}
    assert {d.protocol for d in measure(_first_four, views)} == {"class"}


def test_every_test_row_is_a_query_and_in_the_gallery():
    data = unpaired_features(seed=0)
    space, _, _ = fit_linear_space("c-cca", data, SMALL, progress=False)
    for direction in evaluate(space, data):
        expected = len(data.views[direction.query].only("test"))
        assert direction.scores.n_queries == expected
        assert direction.scores.n_gallery == len(data.views[direction.target].only("test"))


def test_sequences_are_averaged_over_time():
    view = paired_features(seed=0).views["audio"]
    sequence = np.stack([view.features - 1, view.features + 1], axis=1)
    longer = type(view)(sequence, view.ids, view.labels, view.split)
    np.testing.assert_allclose(pooled_rows(longer), view.features, atol=1e-5)


def test_a_file_without_a_view_of_the_space_is_refused():
    data = paired_features(seed=0)
    space, _, _ = fit_linear_space("c-cca", data, SMALL, progress=False)
    del data.views["visual"]
    with pytest.raises(DataError, match="view visual"):
        evaluate(space, data)


def test_features_of_another_dimension_are_refused():
    space, _, _ = fit_linear_space("c-cca", paired_features(seed=0), SMALL, progress=False)
    with pytest.raises(DataError, match="D = 6"):
        evaluate(space, paired_features(seed=0, dimensions=(7, 5)))


def test_a_split_without_rows_is_refused():
    data = paired_features(seed=0)
    space, _, _ = fit_linear_space("c-cca", data, SMALL, progress=False)
    for name, view in data.views.items():
        data.views[name] = view.only("train")
    with pytest.raises(DataError, match="test rows"):
        evaluate(space, data)


def test_rows_without_labels_or_partners_are_refused():
    data = unpaired_features(seed=0)
    space, _, _ = fit_linear_space("c-cca", data, SMALL, progress=False)
    for name, view in data.views.items():
        data.views[name] = type(view)(view.features, view.ids, None, view.split)
    with pytest.raises(DataError, match="neither"):
        evaluate(space, data)


def test_the_table_shows_every_direction_with_chance_beside_it():
    data = paired_features(seed=0)
    space, _, _ = fit_linear_space("c-cca", data, SMALL, progress=False)
    directions = evaluate(space, data)
    table = results_table(directions)
    assert "audio -> visual" in table
    assert "visual -> audio" in table
    first = directions[0]
    assert f"{first.scores.map:.3f} ({first.chance.map:.3f})" in table
    rows = results_json(directions, split="test")["rows"]
    assert len(rows) == len(directions) * 6
    assert rows[0]["value"] == first.scores.map
    assert rows[0]["chance"] == first.chance.map


def test_plots_are_written(tmp_path):
    data = paired_features(seed=0)
    space, _, tried = fit_linear_space("c-cca", data, SMALL, progress=False)
    plot_recall(evaluate(space, data), tmp_path / "recall.png")
    plot_history([t.as_dict() for t in tried], tmp_path / "history.png")
    for name in ("recall.png", "history.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
