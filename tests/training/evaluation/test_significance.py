"""Paired tests against SciPy and against formulas written out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from models.errors import ShapeError
from training.evaluation.significance import (
    compare_methods,
    corrected_resampled_t_test,
    holm_adjusted,
    sign_flip_test,
)

FIRST = np.array([0.71, 0.74, 0.69, 0.75, 0.72])
SECOND = np.array([0.68, 0.73, 0.70, 0.71, 0.69])


def _folds(seed, n_folds, shift=0.02):
    rng = np.random.default_rng(seed)
    return rng.normal(0.7 + shift, 0.03, n_folds), rng.normal(0.7, 0.03, n_folds)


@pytest.mark.parametrize("n_folds", [2, 5, 10])
def test_without_correction_it_is_the_paired_t_test_of_scipy(n_folds):
    first, second = _folds(n_folds, n_folds)
    expected = stats.ttest_rel(first, second).pvalue
    assert corrected_resampled_t_test(first, second, test_share=0.0) == pytest.approx(expected)


def test_the_correction_is_that_of_nadeau_and_bengio():
    difference = [0.03, 0.01, -0.01, 0.04, 0.03]
    mean = sum(difference) / 5
    variance = sum((d - mean) ** 2 for d in difference) / 4
    t = mean / ((1 / 5 + 1 / 4) * variance) ** 0.5
    expected = 2 * (1 - stats.t.cdf(t, 4))
    found = corrected_resampled_t_test(FIRST, SECOND, test_share=1 / 4)
    assert found == pytest.approx(expected)
    assert found > stats.ttest_rel(FIRST, SECOND).pvalue


def test_under_the_null_the_corrected_test_rejects_as_often_as_it_says():
    # folds of correlation r = q / (1 + q) give var(mean) / E[var(d)] = 1/J + q exactly
    rng, share = np.random.default_rng(0), 0.25
    correlation = share / (1 + share)
    shared = np.sqrt(correlation) * rng.normal(size=(2000, 1))
    difference = shared + np.sqrt(1 - correlation) * rng.normal(size=(2000, 5))
    zeros = np.zeros(5)
    rejected = {
        q: np.mean([corrected_resampled_t_test(d, zeros, test_share=q) < 0.05 for d in difference])
        for q in (share, 0.0)
    }
    assert rejected[share] == pytest.approx(0.05, abs=0.015)
    assert rejected[0.0] > 0.1


@pytest.mark.parametrize("n_folds", [2, 5, 9])
def test_the_sign_flip_test_is_the_exact_permutation_test_of_scipy(n_folds):
    first, second = _folds(n_folds, n_folds)
    expected = stats.permutation_test(
        (first, second),
        lambda a, b, axis: np.mean(a - b, axis=axis),
        permutation_type="samples",
        n_resamples=np.inf,
        vectorized=True,
    ).pvalue
    assert sign_flip_test(first, second) == pytest.approx(expected)


def test_five_folds_that_all_agree_have_the_smallest_p():
    better = SECOND + np.array([0.01, 0.02, 0.03, 0.01, 0.02])
    assert sign_flip_test(better, SECOND) == 2 / 32


@given(st.lists(st.integers(-5, 5), min_size=2, max_size=8))
def test_the_order_of_the_methods_and_of_the_folds_changes_nothing(differences):
    first, zeros = np.array(differences) / 64, np.zeros(len(differences))
    for test in (sign_flip_test, lambda a, b: corrected_resampled_t_test(a, b, test_share=0.25)):
        expected = test(first, zeros)
        assert 0.0 <= expected <= 1.0
        assert test(zeros, first) == pytest.approx(expected)
        assert test(first[::-1], zeros) == pytest.approx(expected)


def test_equal_methods_do_not_differ_and_a_constant_gain_does():
    assert corrected_resampled_t_test(FIRST, FIRST, test_share=0.25) == 1.0
    assert sign_flip_test(FIRST, FIRST) == 1.0
    assert corrected_resampled_t_test(FIRST + 0.25, FIRST, test_share=0.25) == 0.0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_equals_its_definition_written_out(p_values):
    adjusted = holm_adjusted(p_values)
    n_tests, order = len(p_values), sorted(range(len(p_values)), key=lambda i: p_values[i])
    largest = 0.0
    for place, test in enumerate(order):
        largest = max(largest, min(1.0, (n_tests - place) * p_values[test]))
        assert adjusted[test] == pytest.approx(largest)


def test_nothing_compared_needs_no_correction():
    assert holm_adjusted([]) == []
    assert compare_methods({"cca": [0.5, 0.6]}, test_share=0.25) == []


def test_every_pair_of_methods_is_compared_with_its_own_and_the_adjusted_p():
    figures = {"cca": SECOND.tolist(), "c-cca": FIRST.tolist(), "sm": (FIRST + 0.1).tolist()}
    found = compare_methods(figures, test_share=0.25)
    pairs = [("cca", "c-cca"), ("cca", "sm"), ("c-cca", "sm")]
    assert [(c.first, c.second) for c in found] == pairs
    assert found[0].difference == pytest.approx(-0.02)
    for comparison in found:
        both = np.array(figures[comparison.first]), np.array(figures[comparison.second])
        assert comparison.p_t == corrected_resampled_t_test(*both, test_share=0.25)
        assert comparison.p_sign_flip == sign_flip_test(*both)
    assert [c.p_t_holm for c in found] == holm_adjusted([c.p_t for c in found])
    assert [c.p_sign_flip_holm for c in found] == holm_adjusted([c.p_sign_flip for c in found])


@pytest.mark.parametrize(
    ("first", "second"),
    [(np.zeros(3), np.zeros(2)), (np.zeros(1), np.zeros(1)), (np.zeros((2, 2)), np.zeros((2, 2)))],
)
def test_figures_that_do_not_pair_up_are_refused(first, second):
    with pytest.raises(ShapeError, match="one figure per fold"):
        sign_flip_test(first, second)
    with pytest.raises(ShapeError, match="one figure per fold"):
        corrected_resampled_t_test(first, second, test_share=0.25)


def test_what_cannot_be_tested_is_refused():
    with pytest.raises(ShapeError, match="at most 20 folds"):
        sign_flip_test(np.ones(21), np.zeros(21))
    with pytest.raises(ShapeError, match="test_share"):
        corrected_resampled_t_test(FIRST, SECOND, test_share=-0.1)
