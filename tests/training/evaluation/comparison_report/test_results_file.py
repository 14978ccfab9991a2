"""The results file: its documented keys, its figures, and that it is JSON."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tests.training.evaluation.comparison_report.small_comparison import small_comparison
from training.evaluation.comparison_report.curves import class_curves
from training.evaluation.comparison_report.results_file import PROTOCOL_WORDS, results_file
from training.evaluation.protocol import PROTOCOLS

METRICS = {"map", "mrr", "recall@1", "recall@5", "recall@10", "median_rank", "ndcg@10"}


@pytest.fixture(scope="module")
def comparison():
    return small_comparison(paired=True, failures={"kcca": "too large"})


@pytest.fixture(scope="module")
def results(comparison):
    return results_file(comparison)


def test_the_head_says_what_was_compared(results, comparison):
    assert results["data"] == "small set"
    assert (results["seed"], results["folds"]) == (0, 3)
    assert list(results["protocol"]) == list(comparison.protocols)
    assert results["failures"] == {"kcca": "too large"}
    assert results["command"].startswith("kyomei compare")


def test_every_protocol_has_words():
    assert set(PROTOCOL_WORDS) == set(PROTOCOLS)


def test_a_row_has_mean_spread_and_folds(results, comparison):
    (row,) = [
        row
        for row in results["rows"]
        if [row[key] for key in ("method", "protocol", "query", "metric")]
        == ["c-cca", "class", "audio", "map"]
    ]
    values = [
        d.scores.map
        for result in comparison.of("c-cca")
        for d in result.directions
        if (d.protocol, d.query) == ("class", "audio")
    ]
    assert row["target"] == "visual"
    assert row["folds"] == values
    assert row["mean"] == pytest.approx(np.mean(values))
    assert row["std"] == pytest.approx(np.std(values, ddof=1))
    assert row["fit_seconds"] == pytest.approx(1 / 0.8)


def test_every_metric_of_every_direction_is_there_with_its_chance(results, comparison):
    for method in comparison.methods:
        for protocol in comparison.protocols:
            for query, target in (("audio", "visual"), ("visual", "audio")):
                found = {
                    row["metric"]
                    for row in results["rows"]
                    if (row["method"], row["protocol"], row["query"]) == (method, protocol, query)
                }
                assert found >= METRICS
                key = f"{protocol}/{query}->{target}"
                assert {f"{key}/{metric}" for metric in found} <= set(results["chance"])


def test_precision_at_one_is_recall_at_one_where_a_class_decides(results):
    by_metric = {
        metric: [r["folds"] for r in results["rows"]
                 if (r["protocol"], r["metric"], r["method"]) == ("class", metric, "cca")]
        for metric in ("precision@1", "recall@1")
    }  # fmt: skip
    np.testing.assert_allclose(by_metric["precision@1"], by_metric["recall@1"])
    assert results["chance"]["class/audio->visual/precision@1"] == pytest.approx(1 / 3)


def test_the_ranking_is_by_the_mean_over_directions(results):
    ranked = results["ranking"]["class"]
    assert [one["method"] for one in ranked] == ["tnn-c-cca@published", "c-cca", "cca"]
    rows = [r["mean"] for r in results["rows"]
            if (r["method"], r["protocol"], r["metric"]) == ("c-cca", "class", "map")]  # fmt: skip
    assert ranked[1]["mean"] == pytest.approx(np.mean(rows))
    assert results["ranking"]["instance"][0]["metric"] == "mrr"


def test_it_is_json_without_nan(results):
    assert json.loads(json.dumps(results, allow_nan=False)) == results


def test_known_curves_give_the_same_file(comparison, results):
    assert results_file(comparison, class_curves(comparison)) == results


def test_incomplete_methods_are_listed_as_failures(comparison):
    results = results_file(replace(comparison, folds=comparison.folds[:-1]))
    assert "tnn-c-cca@published" in results["failures"]
    assert {row["method"] for row in results["rows"]} == {"cca", "c-cca"}
