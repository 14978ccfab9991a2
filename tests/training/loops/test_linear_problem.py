"""Rows, correspondences and scores of a closed-form problem; what it refuses."""

from dataclasses import replace

import numpy as np
import pytest

from models.cca.pair_moments import cluster_moments, mean_moments, paired_moments
from models.errors import DataError
from models.types import View
from tests.training.feature_sets import paired_features, unpaired_features, without_labels
from training.loops.linear_problem import (
    CCA,
    CLUSTER_CCA,
    KERNEL_CCA,
    KERNEL_CLUSTER_CCA,
    MEAN_CCA,
    SEMANTIC_CORRELATION_MATCHING,
    SEMANTIC_MATCHING,
    LinearProblem,
    StandardisedRows,
    fit_view_typicality,
)

SUPERVISED = [
    CLUSTER_CCA,
    KERNEL_CLUSTER_CCA,
    MEAN_CCA,
    SEMANTIC_MATCHING,
    SEMANTIC_CORRELATION_MATCHING,
]


def _changed(data, name, **changes):
    return replace(data, views={**data.views, name: replace(data.views[name], **changes)})


def _rows(views):
    return {name: view.features.astype(float) for name, view in views.items()}


def _labels(views):
    return [view.labels for view in views.values()]


def _assert_equal(found, expected):
    for ours, other in zip(
        found.means + found.within, expected.means + expected.within, strict=True
    ):
        np.testing.assert_allclose(ours, other, atol=1e-10)
    for pair, block in expected.between.items():
        np.testing.assert_allclose(found.between[pair], block, atol=1e-10)


def test_rows_are_those_of_the_splits():
    data = paired_features(seed=0)
    problem = LinearProblem(CLUSTER_CCA, data)
    split = data.views["audio"].split
    audio = data.views["audio"].features
    np.testing.assert_array_equal(problem.train["audio"].features, audio[split == "train"])
    np.testing.assert_array_equal(
        problem.validation["audio"].features, audio[split == "validation"]
    )
    both = problem.both["audio"]
    np.testing.assert_array_equal(
        both.features, np.concatenate([audio[split == "train"], audio[split == "validation"]])
    )
    assert len(both.ids) == len(both.split) == len(_labels({"audio": both})[0]) == 160
    assert problem.classes == [0, 1, 2, 3]


def test_views_name_their_dimension_and_extractor():
    data = replace(paired_features(seed=1), extractors={"audio": ("ears", "f" * 16)})
    assert LinearProblem(CCA, data).views() == {
        "audio": View("audio", 6, "ears", "f" * 16),
        "visual": View("visual", 5),
    }


@pytest.mark.parametrize("method", [CCA, KERNEL_CCA])
def test_without_labels_only_true_pairs_count(method):
    problem = LinearProblem(method, without_labels(paired_features(seed=2)))
    assert not problem.use_labels
    assert problem.betas((0.0, 0.5)) == (1.0,)
    assert problem.both["audio"].labels is None


@pytest.mark.parametrize(
    ("method", "make", "expected"),
    [
        (CLUSTER_CCA, paired_features, (0.0, 0.5)),
        (KERNEL_CLUSTER_CCA, paired_features, (0.0, 0.5)),
        (CLUSTER_CCA, unpaired_features, (0.0,)),
        (MEAN_CCA, paired_features, (0.0,)),
    ],
)
def test_shares_of_true_pairs_are_those_that_make_sense(method, make, expected):
    assert LinearProblem(method, make(seed=3)).betas((0.0, 0.5)) == expected


def test_component_numbers_are_cut_to_what_is_possible():
    problem = LinearProblem(CLUSTER_CCA, paired_features(seed=4))
    assert problem.component_numbers(0.0, (8, 16), 5) == [3]
    assert problem.component_numbers(0.0, (8, 16), 2) == [2]
    assert problem.component_numbers(0.5, (16, 4, 8), 5) == [4, 5]


def test_moments_are_those_of_the_correspondences():
    problem = LinearProblem(CLUSTER_CCA, paired_features(seed=5))
    rows = _rows(problem.train)
    labels = _labels(problem.train)
    paired = paired_moments(list(rows.values()))
    cluster = cluster_moments(list(rows.values()), labels)
    found = dict(problem.moments(problem.train, rows, (0.0, 0.25, 1.0)))
    assert list(found) == [0.0, 0.25, 1.0]
    _assert_equal(found[0.0], cluster)
    _assert_equal(found[1.0], paired)
    mixed = 0.25 * paired.within[0] + 0.75 * cluster.within[0]
    np.testing.assert_allclose(found[0.25].within[0], mixed, atol=1e-10)


def test_moments_of_mean_cca_are_those_of_class_means():
    problem = LinearProblem(MEAN_CCA, paired_features(seed=6))
    rows = _rows(problem.train)
    ((beta, found),) = problem.moments(problem.train, rows, (0.0,))
    assert beta == 0.0
    labels = _labels(problem.train)
    _assert_equal(found, mean_moments(list(rows.values()), labels))


def test_moments_of_unpaired_views_are_those_of_same_class_pairs():
    problem = LinearProblem(CLUSTER_CCA, unpaired_features(seed=7))
    rows = _rows(problem.train)
    ((_, found),) = problem.moments(problem.train, rows, (0.0,))
    labels = _labels(problem.train)
    _assert_equal(found, cluster_moments(list(rows.values()), labels))


def test_pairs_are_found_by_id_wherever_the_rows_lie():
    data = paired_features(seed=8)
    view = data.views["visual"]
    order = np.random.default_rng(0).permutation(len(view))
    keep = order[:-20]  # some items are of one view only
    shuffled = _changed(
        data,
        "visual",
        features=view.features[keep],
        ids=view.ids[keep],
        labels=None,
        split=view.split[keep],
    )
    problem = LinearProblem(CCA, shuffled)
    rows = _rows(problem.train)
    ((_, found),) = problem.moments(problem.train, rows, (1.0,))
    kept = np.isin(data.views["audio"].ids, view.ids[keep]) & (view.split == "train")
    expected = paired_moments(
        [data.views[name].features[kept].astype(float) for name in ("audio", "visual")]
    )
    _assert_equal(found, expected)


def test_the_score_is_one_where_partners_and_classes_coincide():
    problem = LinearProblem(CLUSTER_CCA, paired_features(seed=9))
    directions = np.eye(4, dtype=np.float32)[problem.validation["audio"].labels]
    perfect = np.hstack([directions, np.eye(40, dtype=np.float32) * 0.1])
    perfect /= np.linalg.norm(perfect, axis=1, keepdims=True)
    assert problem.score({"audio": perfect, "visual": perfect}) == pytest.approx(1.0)


def test_without_labels_the_score_is_by_partners_alone():
    problem = LinearProblem(CCA, paired_features(seed=10))
    classes = np.eye(4, dtype=np.float32)[problem.validation["audio"].labels]
    assert problem.score({"audio": classes, "visual": classes}) < 0.5
    partners = np.eye(40, dtype=np.float32)
    assert problem.score({"audio": partners, "visual": partners}) == pytest.approx(1.0)


def _without_validation_pairs(data):
    view = data.views["visual"]
    ids = np.where(view.split == "validation", np.char.add("lone-", view.ids), view.ids)
    return _changed(data, "visual", ids=ids)


def test_validation_rows_without_partners_are_scored_by_class():
    problem = LinearProblem(CCA, _without_validation_pairs(paired_features(seed=11)))
    classes = np.eye(4, dtype=np.float32)[problem.validation["audio"].labels]
    assert problem.score({"audio": classes, "visual": classes}) == pytest.approx(1.0)


def test_validation_rows_without_partners_and_classes_are_refused():
    data = without_labels(_without_validation_pairs(paired_features(seed=11)))
    rows = np.eye(40, dtype=np.float32)
    with pytest.raises(DataError, match="in the validation split, found none"):
        LinearProblem(CCA, data).score({"audio": rows, "visual": rows})


def test_rows_are_standardised_by_those_that_are_fitted():
    problem = LinearProblem(CCA, paired_features(seed=12))
    rows = StandardisedRows(problem.train)
    train = problem.train["audio"].features.astype(float)
    held_out = problem.validation["audio"].features.astype(float)
    np.testing.assert_allclose(rows.fitted["audio"].mean(axis=0), 0.0, atol=1e-10)
    np.testing.assert_allclose(rows.fitted["audio"].std(axis=0), 1.0, atol=1e-10)
    expected = (held_out - train.mean(axis=0)) / train.std(axis=0)
    np.testing.assert_allclose(rows.of(problem.validation)["audio"], expected, atol=1e-10)


def test_the_typicality_threshold_lies_beyond_the_validation_rows():
    problem = LinearProblem(CCA, paired_features(seed=13))
    rows = StandardisedRows(problem.train)
    model = fit_view_typicality(problem, "audio", rows.standardisers["audio"])
    held_out = rows.of(problem.validation)["audio"]
    assert np.mean(model.typicality(held_out) == 1.0) >= 0.95
    assert (model.typicality(100.0 * held_out) < 0.1).all()


def test_a_single_view_is_refused():
    data = paired_features(seed=14)
    with pytest.raises(DataError, match=r"at least two views, found \['audio'\]"):
        LinearProblem(CCA, replace(data, views={"audio": data.views["audio"]}))


@pytest.mark.parametrize("split", ["train", "validation"])
def test_a_view_without_rows_of_a_split_is_refused(split):
    data = paired_features(seed=15)
    view = data.views["visual"]
    other = np.where(view.split == split, "test", view.split)
    with pytest.raises(DataError, match=rf"expected {split} rows in every view.*\['visual'\]"):
        LinearProblem(CLUSTER_CCA, _changed(data, "visual", split=other))


@pytest.mark.parametrize("method", [CCA, KERNEL_CCA])
def test_methods_of_true_pairs_refuse_unpaired_views(method):
    with pytest.raises(DataError, match=f"{method} needs true pairs.*use c-cca"):
        LinearProblem(method, unpaired_features(seed=16))


@pytest.mark.parametrize("method", SUPERVISED)
def test_methods_of_classes_refuse_data_without_labels_or_with_one_class(method):
    data = paired_features(seed=17)
    one_class = data
    for name, view in data.views.items():
        labels = np.where(view.labels == 0, 0, -1)
        one_class = _changed(one_class, name, labels=labels)
    for wrong, n_found in ((without_labels(data), 0), (one_class, 1)):
        with pytest.raises(DataError, match=f"{method} needs labels.*found {n_found}; .*use cca"):
            LinearProblem(method, wrong)
