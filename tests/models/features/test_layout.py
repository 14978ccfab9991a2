"""Rows made of runs."""

import numpy as np
import pytest

from models.features.layout import RowLayout, Run

LAYOUT = RowLayout(Run("first", 4, 2.0), Run("second", 1, 0.5))


def test_parts_are_flattened_joined_and_divided_by_their_spread():
    row = LAYOUT.row([np.array([[2.0, 4.0], [6.0, 8.0]]), np.array([3.0])])
    assert row.dtype == np.float32
    assert row.tolist() == [1.0, 2.0, 3.0, 4.0, 6.0]


def test_slices_name_the_places():
    assert LAYOUT.dimension == 5
    assert LAYOUT.slices() == {"first": slice(0, 4), "second": slice(4, 5)}


def test_missing_numbers_are_refused():
    with pytest.raises(ValueError, match="broadcast"):
        LAYOUT.row([np.zeros(4)])
