"""Summaries of curves against one-column formulas."""

import statistics

import numpy as np

from models.features.summaries import NUMBERS_PER_CURVE, curve_summary, mean_std_delta


def test_moments_and_steps_of_a_column():
    values = [1.0, 4.0, 2.0, 2.0]
    mean, deviation, step = mean_std_delta(np.array(values)[:, None])[:, 0]
    assert mean == statistics.fmean(values)
    assert np.isclose(deviation, statistics.pstdev(values))
    assert step == (3 + 2 + 0) / 3


def test_one_row_has_no_deviation_and_no_step():
    np.testing.assert_array_equal(mean_std_delta(np.array([[5.0, 6.0]])), [[5, 6], [0, 0], [0, 0]])


def test_curve_summary_ends_with_percentiles():
    summary = curve_summary(np.arange(11.0)[:, None])
    assert summary.shape == (NUMBERS_PER_CURVE, 1)
    np.testing.assert_allclose(summary[3:, 0], [1.0, 5.0, 9.0])
