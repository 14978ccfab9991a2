"""Rows on the unit sphere."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.cca.unit_rows import unit_rows

NUMBERS = st.floats(-1e6, 1e6, width=32)


@given(arrays(np.float32, (4, 3), elements=NUMBERS))
def test_rows_have_length_one_and_keep_their_direction(rows):
    found = unit_rows(rows)
    assert found.dtype == np.float32
    for row, unit in zip(rows.astype(np.float64), found, strict=True):
        length = np.sqrt(sum(x * x for x in row))
        expected = row / length if length > 0.0 else np.zeros(3)
        np.testing.assert_allclose(unit, expected, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_row_of_zeros_stays_one(dtype):
    rows = np.array([[0.0, 0.0], [3.0, -4.0]], dtype=dtype)
    np.testing.assert_allclose(unit_rows(rows), [[0.0, 0.0], [0.6, -0.8]], atol=1e-7)


def test_lengths_beyond_single_precision_do_not_overflow():
    np.testing.assert_allclose(unit_rows(np.full((1, 4), 1e30, dtype=np.float32)), 0.5, atol=1e-6)


def test_no_rows_give_no_rows():
    assert unit_rows(np.empty((0, 3))).shape == (0, 3)
