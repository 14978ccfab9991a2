"""Equal parts of a curve against repeating every row."""

import numpy as np
import pytest

from models.features.segments import active_range, segment_means


@pytest.mark.parametrize("length", [1, 2, 3, 7, 10, 23])
@pytest.mark.parametrize("n_segments", [1, 4, 10])
def test_segment_means_equal_the_means_of_repeated_rows(length, n_segments):
    rows = np.random.default_rng(length).normal(size=(length, 3))
    repeated = np.repeat(rows, n_segments, axis=0).reshape(n_segments, length, 3)
    np.testing.assert_allclose(segment_means(rows, n_segments), repeated.mean(axis=1), atol=1e-12)


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ([0.0], (0, 1)),
        ([3.0, 3.0, 3.0], (0, 3)),
        ([0.0, 9.0, 1.0, 8.5, 0.0], (1, 4)),
        ([0.0, 0.0, 9.0], (2, 3)),
    ],
)
def test_active_range_spans_the_loud_rows(level, expected):
    assert active_range(np.array(level), drop=1.0) == expected
