"""Means, spread, chance and the order of methods against the values they are made of."""

from dataclasses import replace

import numpy as np
import pytest

from models.errors import DataError
from tests.training.evaluation.comparison_report.small_comparison import small_comparison
from training.evaluation.comparison_report.summary import (
    BASELINE,
    baseline_method,
    best_method,
    direction_pairs,
    main_metric,
    main_protocol,
    measured_protocols,
    over_folds,
    ranking,
    settled,
)

BOTH = [("audio", "visual"), ("visual", "audio")]


@pytest.fixture(scope="module")
def comparison():
    return small_comparison()


def test_a_figure_is_averaged_over_directions_within_each_fold(comparison):
    found = over_folds(comparison, "c-cca", "class", "map", BOTH)
    expected = [
        np.mean([d.scores.map for d in result.directions if d.protocol == "class"])
        for result in comparison.folds
        if result.method == "c-cca"
    ]
    np.testing.assert_allclose(found.values, expected)
    assert found.mean == pytest.approx(np.mean(expected))
    assert found.std == pytest.approx(np.std(expected, ddof=1))


def test_chance_is_that_of_the_same_directions(comparison):
    found = over_folds(comparison, "cca", "class", "mrr", BOTH[:1])
    first = next(d for d in comparison.folds[0].directions if d.protocol == "class")
    assert found.chance[0] == first.chance.mrr
    assert found.mean_chance == pytest.approx(first.chance.mrr)


def test_one_fold_has_no_spread():
    one = small_comparison(n_folds=1)
    assert over_folds(one, "cca", "class", "map", BOTH).std == 0.0


def test_methods_are_ranked_by_the_mean_of_the_main_metric(comparison):
    ranked = ranking(comparison, "class")
    assert [one.method for one in ranked] == ["tnn-c-cca@published", "c-cca", "cca"]
    assert best_method(comparison) == "tnn-c-cca@published"
    seconds = [r.fit_seconds for r in comparison.of("cca")]
    assert ranked[-1].fit_seconds == pytest.approx(np.mean(seconds))


def test_classes_decide_by_map_and_partners_by_mrr(comparison):
    assert main_protocol(comparison) == "class"
    assert main_metric("class") == main_metric("class-averaged") == "map"
    partners = small_comparison(paired=True, labelled=False)
    assert main_protocol(partners) == "instance"
    assert main_metric("instance") == "mrr"


def test_labels_and_pairs_together_are_decided_by_the_classes():
    both = small_comparison(paired=True)
    turned = replace(both, protocols=tuple(reversed(both.protocols)))
    assert {"class", "instance"} <= set(measured_protocols(turned))
    assert main_protocol(turned) == "class"


def test_protocols_that_were_not_measured_are_left_out(comparison):
    more = replace(comparison, protocols=(*comparison.protocols, "instance"))
    assert measured_protocols(more) == list(comparison.protocols)


def test_directions_are_listed_in_the_order_measured(comparison):
    assert direction_pairs(comparison, "class") == BOTH


def test_the_baseline_is_cca_or_the_first_method(comparison):
    assert baseline_method(comparison) == BASELINE
    without = small_comparison(methods={"sm": 1.0, "c-cca": 0.8})
    assert baseline_method(without) == "sm"


def test_a_method_without_every_fold_is_left_out_with_the_reason(comparison):
    kept = settled(replace(comparison, folds=comparison.folds[:-1]))
    assert kept.methods == ["cca", "c-cca"]
    assert kept.failures == {"tnn-c-cca@published": "has 2 of 3 folds"}


def test_the_reason_that_stopped_a_method_is_kept(comparison):
    stopped = replace(
        comparison, folds=comparison.folds[:-1], failures={"tnn-c-cca@published": "diverged"}
    )
    assert settled(stopped).failures == {"tnn-c-cca@published": "diverged"}


def test_a_method_without_every_direction_is_left_out_with_the_reason(comparison):
    first = comparison.folds[0]
    folds = [replace(r, directions=r.directions[:1]) if r.method == "cca" else r
             for r in comparison.folds]  # fmt: skip
    kept = settled(replace(comparison, folds=folds))
    assert "cca" not in kept.methods
    assert f"covers 1 of {len(first.directions)}" in kept.failures["cca"]


def test_a_complete_comparison_is_left_as_it_is(comparison):
    assert settled(comparison).folds == comparison.folds


def test_a_comparison_without_any_result_is_refused(comparison):
    with pytest.raises(DataError, match="needs pairs"):
        settled(replace(comparison, folds=[], failures={"cca": "needs pairs"}))


def test_results_under_no_protocol_are_refused(comparison):
    bare = [replace(result, directions=[]) for result in comparison.folds]
    with pytest.raises(DataError, match="protocol"):
        settled(replace(comparison, folds=bare))
