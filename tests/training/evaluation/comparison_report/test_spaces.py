"""Shape of the spaces and corrections: tables against the measures they average."""

from dataclasses import replace

import numpy as np
import pytest

from tests.training.evaluation.comparison_report.small_comparison import small_comparison
from training.evaluation.comparison import cut_rows
from training.evaluation.comparison_report import spaces as module
from training.evaluation.comparison_report.spaces import (
    corrected_protocols,
    correction_table,
    measure_spaces,
    shape_table,
)


@pytest.fixture(scope="module")
def comparison():
    return small_comparison(paired=True, n_folds=2)


@pytest.fixture(scope="module")
def spaces(comparison):
    return measure_spaces(comparison)


def test_every_fold_and_direction_is_measured_best_method_first(spaces):
    assert [space.method for space in spaces] == ["tnn-c-cca@published", "c-cca", "cca"]
    assert all(len(space.geometry) == 4 for space in spaces)


def test_the_gap_is_the_mean_distance_of_centroids(comparison, spaces):
    gaps = [
        np.linalg.norm(np.subtract(*(v.embedding.mean(axis=0) for v in r.embedded.values())))
        for r in comparison.of("cca")
    ]
    table = shape_table(spaces)
    assert table.rows[3][0] == "cca"
    assert float(table.rows[3][1]) == pytest.approx(np.mean(gaps), abs=6e-4)


def test_chance_of_hubness_stands_in_the_first_row(spaces):
    table = shape_table(spaces)
    assert table.rows[0][0] == "chance"
    chance = np.mean([one.hubness.chance_skewness for one in spaces[0].geometry])
    assert table.rows[0][5] == f"{chance:.2f}"


def test_what_is_not_known_has_no_column():
    head = shape_table(measure_spaces(small_comparison(n_folds=1))).head
    assert "cosine of class" in head
    assert "cosine of partners" not in head


def test_corrections_are_gains_over_the_plain_figure(spaces):
    table = correction_table(spaces, "class")
    assert table.head == ("method", "MAP as it is", "centred", "whitened", "csls")
    own = [one for one in spaces[1].corrected if one.protocol == "class"]
    plain = np.mean([one.value for one in own if one.correction == "none"])
    centred = np.mean([one.value for one in own if one.correction == "centred"])
    assert table.rows[1][1] == f"{plain:.3f}"
    assert float(table.rows[1][2]) == pytest.approx(centred - plain, abs=6e-4)


def test_the_best_choice_of_each_row_is_stressed(spaces):
    table = correction_table(spaces, "instance")
    for number, row in enumerate(table.rows):
        gains = [0.0, *map(float, row[2:])]
        (column,) = [column for n, column in table.bold if n == number]
        assert gains[column - 1] == max(gains)


def test_protocols_are_those_that_were_measured(spaces):
    assert corrected_protocols(spaces) == ["class", "instance"]
    assert corrected_protocols(measure_spaces(small_comparison(n_folds=1))) == ["class"]


def test_large_views_are_cut_and_keep_whole_pairs(comparison):
    views = comparison.folds[0].embedded
    cut = cut_rows(views, 12, rng=np.random.default_rng(0))
    kept = {name: set(view.ids.tolist()) for name, view in cut.items()}
    assert len(kept["visual"]) == 12
    assert kept["audio"] == kept["visual"] & set(views["audio"].ids.tolist())
    for name, view in cut.items():
        rows = [views[name].ids.tolist().index(one) for one in view.ids]
        np.testing.assert_array_equal(view.embedding, views[name].embedding[rows])
        np.testing.assert_array_equal(view.labels, views[name].labels[rows])


def test_views_without_labels_are_cut_too(comparison):
    bare = {n: replace(v, labels=None) for n, v in comparison.folds[0].embedded.items()}
    assert cut_rows(bare, 5, rng=np.random.default_rng(0))["visual"].labels is None


def test_small_views_are_left_as_they_are(comparison):
    views = comparison.folds[0].embedded
    assert cut_rows(views, 24, rng=np.random.default_rng(0)) is views


def test_a_cut_comparison_is_measured_on_fewer_rows(comparison, monkeypatch):
    monkeypatch.setattr(module, "MOST_ROWS", 10)
    one, other = measure_spaces(comparison), measure_spaces(comparison)
    assert one[0].geometry == other[0].geometry
    assert one[0].geometry != measure_spaces(small_comparison(paired=True))[0].geometry
