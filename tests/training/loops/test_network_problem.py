"""The rows that a gradient method is given, and the networks that a configuration asks for."""

from dataclasses import replace

import numpy as np
import pytest

from models.cca.typicality import MARGIN, QUANTILE
from models.errors import DataError
from models.types import View
from tests.training.feature_sets import (
    paired_features,
    sequence_features,
    unpaired_features,
    without_labels,
)
from tests.training.loops.tiny_networks import problem_of, tiny
from training.datasets.disturb import drop_partners
from training.datasets.hide_labels import hide_labels
from training.evaluation.protocol import pooled_rows
from training.loops.encoder_specifications import decoders, perceptrons
from training.loops.gradient_config import GradientConfig
from training.loops.network_problem import pose_problem


def _rows(data, name, *splits):
    view = data.views[name]
    return view.take(np.isin(view.split, splits))


def _standard(fitted, rows):
    """(x - mean) / deviation with the floor for rare features, in one line of NumPy."""
    deviation = fitted.std(axis=0)
    floor = 0.1 * np.sqrt((deviation**2).mean())
    return (rows - fitted.mean(axis=0)) / np.maximum(deviation, floor)


@pytest.mark.parametrize("join", [False, True])
def test_rows_are_standardised_by_those_that_are_trained_on(join):
    data = paired_features(seed=0).for_selection()
    problem = pose_problem(data, sequences=False, join=join)
    for name in data.views:
        fitted = _rows(data, name, *(("train", "validation") if join else ("train",)))
        held_out = _rows(data, name, "validation")
        expected = _standard(fitted.features.astype(float), fitted.features)
        np.testing.assert_allclose(problem.train[name].features, expected, atol=1e-5)
        expected = _standard(fitted.features.astype(float), held_out.features)
        np.testing.assert_allclose(problem.validation[name].features, expected, atol=1e-5)
        assert problem.train[name].features.dtype == np.float32
        for part, rows in ((problem.train, fitted), (problem.validation, held_out)):
            assert part[name].ids.tolist() == rows.ids.tolist()
            np.testing.assert_array_equal(part[name].labels, rows.labels)


def test_sequences_are_averaged_over_time_where_a_method_takes_rows():
    data = sequence_features(seed=0).for_selection()
    problem = pose_problem(data, sequences=False)
    fitted = _rows(data, "audio", "train").features.mean(axis=1)
    expected = _standard(fitted.astype(float), fitted)
    np.testing.assert_allclose(problem.train["audio"].features, expected, atol=1e-5)
    assert problem.views["audio"] == View("audio", 6)


def test_sequences_are_kept_and_standardised_over_all_steps_where_a_method_takes_them():
    data = sequence_features(seed=0).for_selection()
    problem = pose_problem(data, sequences=True)
    rows = _rows(data, "visual", "train").features
    expected = _standard(rows.reshape(-1, 5).astype(float), rows)
    np.testing.assert_allclose(problem.train["visual"].features, expected, atol=1e-5)
    assert problem.views == {
        "audio": View("audio", 6, steps=4),
        "visual": View("visual", 5, steps=3),
    }


def test_views_carry_their_extractors():
    data = replace(paired_features(seed=0), extractors={"audio": ("compact-audio", "abc")})
    views = problem_of(data).views
    assert views["audio"] == View("audio", 6, "compact-audio", "abc")
    assert views["visual"] == View("visual", 5)


def test_pairs_and_labels_are_found_where_they_are():
    paired, unpaired = problem_of(paired_features(seed=0)), problem_of(unpaired_features(seed=0))
    assert paired.paired
    assert paired.validation_paired
    assert not unpaired.paired
    assert not unpaired.validation_paired
    assert paired.labelled
    assert not problem_of(without_labels(paired_features(seed=0))).labelled


def test_items_are_complete_when_two_of_them_have_a_row_in_every_view():
    data = paired_features(seed=0, dimensions=(6, 5, 4))
    assert problem_of(data).complete
    apart = drop_partners(data, share=1.0, seed=0)  # every item lacks one of three views
    assert problem_of(apart).paired
    assert not problem_of(apart).complete
    assert not problem_of(unpaired_features(seed=0)).complete


def test_hidden_labels_count_as_labels_until_all_are_hidden():
    data = paired_features(seed=0)
    assert problem_of(hide_labels(data, share=0.1, seed=0)).labelled
    assert not problem_of(hide_labels(data, share=0.0, seed=0)).labelled


def test_a_single_view_without_labels_makes_the_rows_unlabelled():
    data = paired_features(seed=0)
    data.views["visual"] = replace(data.views["visual"], labels=None)
    problem = problem_of(data)
    assert not problem.labelled
    assert problem.n_classes == 4


def test_the_number_of_classes_covers_names_and_labels():
    data = paired_features(seed=0, n_classes=4)
    assert problem_of(data).n_classes == 4
    assert problem_of(replace(data, classes=())).n_classes == 4
    assert problem_of(replace(data, classes=tuple("abcdefg"))).n_classes == 7
    assert problem_of(without_labels(data)).n_classes == 0


@pytest.mark.parametrize("join", [False, True])
def test_the_threshold_of_typicality_comes_from_rows_that_were_not_fitted(join):
    data = paired_features(seed=0).for_selection()
    problem = pose_problem(data, sequences=False, join=join)
    model = problem.typicality("audio")
    scale = problem.standardisers["audio"]
    train, held_out = (
        scale(_rows(data, "audio", split).features.astype(float))
        for split in ("train", "validation")
    )
    values = np.linalg.eigvalsh(train.T @ train / len(train))[::-1]
    np.testing.assert_allclose(model.variances, values[: len(model.variances)], rtol=1e-4)
    expected = MARGIN * np.quantile(model.distances(held_out), QUANTILE)
    assert float(model.threshold[0]) == pytest.approx(expected, rel=1e-4)


def test_typicality_of_sequences_is_that_of_their_means():
    problem = problem_of(sequence_features(seed=0), sequences=True)
    assert problem.typicality("audio").basis.shape[0] == 6
    pooled = pooled_rows(problem.train["audio"]).astype(float)
    found = np.median(problem.typicality("audio").distances(pooled))
    assert 0.2 < found < 2.0


def test_a_single_view_is_refused():
    data = paired_features(seed=0)
    del data.views["visual"]
    with pytest.raises(DataError, match=r"at least two views, found \['audio'\]"):
        problem_of(data)


def test_test_rows_are_refused():
    with pytest.raises(DataError, match="audio: expected no test rows"):
        pose_problem(paired_features(seed=0), sequences=False)


@pytest.mark.parametrize("split", ["train", "validation"])
def test_a_view_that_lacks_a_split_is_refused(split):
    data = paired_features(seed=0)
    view = data.views["visual"]
    data.views["visual"] = view.take(view.split != split)
    with pytest.raises(DataError, match=f"expected {split} rows.*visual"):
        problem_of(data)


def test_perceptrons_go_from_each_dimension_through_the_widths_to_the_components():
    config = tiny(
        GradientConfig,
        hidden=(8, 7),
        activation="tanh",
        normalisation="layer",
        dropout=0.3,
        input_dropout=0.1,
    )
    found = perceptrons(problem_of(paired_features(seed=0)), config)
    assert found["visual"] == {
        "kind": "mlp",
        "sizes": [5, 8, 7, 3],
        "activation": "tanh",
        "last_activation": "none",
        "normalisation": "layer",
        "dropout": 0.3,
        "input_dropout": 0.1,
    }
    wider = perceptrons(problem_of(paired_features(seed=0)), config, n_outputs=9)
    assert wider["audio"]["sizes"] == [6, 8, 7, 9]


def test_decoders_go_back_the_same_way_without_dropout():
    config = tiny(GradientConfig, hidden=(8, 7), dropout=0.3, input_dropout=0.1)
    found = decoders(problem_of(paired_features(seed=0)), config, n_inputs=3)
    assert found["visual"]["sizes"] == [3, 7, 8, 5]
    assert found["visual"]["dropout"] == found["visual"]["input_dropout"] == 0.0
    straight = decoders(
        problem_of(paired_features(seed=0)), tiny(GradientConfig, hidden=(0,)), n_inputs=3
    )
    assert straight["audio"]["sizes"] == [3, 6]
