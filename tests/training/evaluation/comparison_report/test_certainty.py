"""Intervals and tests in the table against SciPy and the functions they come from."""

import numpy as np
import pytest
from scipy import stats

from tests.training.evaluation.comparison_report.small_comparison import small_comparison
from training.evaluation.comparison_report.certainty import (
    certainty_table,
    not_told_apart,
    probability,
    query_interval,
    share_of_test_rows,
)
from training.evaluation.comparison_report.summary import ranking


@pytest.fixture(scope="module")
def comparison():
    return small_comparison(paired=True, n_folds=4, methods={"cca": 2.0, "sm": 0.41, "scm": 0.4})


def test_the_best_is_tested_against_each_other_method(comparison):
    table = certainty_table(comparison, "class")
    ranked = ranking(comparison, "class")
    assert [row[0] for row in table.rows] == [one.method for one in ranked]
    assert table.rows[0][3:] == ("", "", "", "")
    difference = ranked[0].figure.values - ranked[2].figure.values
    variance = (1 / 4 + 42 / 105) * difference.var(ddof=1)
    p = 2 * stats.t.sf(difference.mean() / np.sqrt(variance), df=3)
    assert table.rows[2][3] == f"{-difference.mean():+.3f}"
    assert table.rows[2][4] == probability(float(p))


def test_holm_doubles_the_smaller_of_two(comparison):
    rows = certainty_table(comparison, "class").rows[1:]
    raw = [float(row[4].replace("< 0.001", "0")) for row in rows]
    holm = [float(row[5].replace("< 0.001", "0")) for row in rows]
    smaller = int(np.argmin(raw))
    assert holm[smaller] == pytest.approx(2 * raw[smaller], abs=0.0021)


def test_the_sign_flip_test_of_four_folds_is_at_least_an_eighth(comparison):
    assert certainty_table(comparison, "class").rows[2][6] == "0.125"


def test_methods_alike_are_named(comparison):
    assert not_told_apart(comparison, "class") in (["sm"], ["scm"])


def test_the_interval_holds_the_mean_of_both_directions(comparison):
    found = query_interval(comparison, "cca", "class")
    means = [
        np.mean([d.scores.map for r in comparison.of("cca") for d in r.directions
                 if (d.protocol, d.query) == ("class", query)])
        for query in ("audio", "visual")
    ]  # fmt: skip  # all folds are of one size
    assert found.mean == pytest.approx(np.mean(means))
    assert found.low < found.mean < found.high


def test_partners_are_resampled_by_their_inverse_rank(comparison):
    found = query_interval(comparison, "cca", "instance")
    directions = [d for r in comparison.of("cca") for d in r.directions]
    mrr = [d.scores.mrr for d in directions if d.protocol == "instance"]
    assert found.mean == pytest.approx(np.mean(mrr))  # all folds and directions are of one size


def test_the_share_of_test_rows_is_over_all_views(comparison):
    assert share_of_test_rows(comparison) == pytest.approx(42 / 105)


def test_one_fold_has_intervals_and_no_tests():
    one = small_comparison(n_folds=1)
    table = certainty_table(one, "class")
    assert all(" to " in row[2] for row in table.rows)
    assert all(row[4:] == ("", "", "") for row in table.rows)
    assert not_told_apart(one, "class") == []


def test_many_folds_leave_out_the_exact_test():
    many = small_comparison(n_folds=21, n_rows=(4, 4), n_classes=2, methods={"a": 0.5, "b": 2.0})
    row = certainty_table(many, "class").rows[1]
    assert row[4] != ""
    assert row[6] == ""


@pytest.mark.parametrize(
    ("value", "text"), [(None, ""), (0.0, "< 0.001"), (0.0004, "< 0.001"), (0.5, "0.500")]
)
def test_small_probabilities_are_given_as_a_bound(value, text):
    assert probability(value) == text
