"""The Nystroem features of a Gaussian kernel against written-out kernel values."""

import numpy as np
import pytest
import scipy.spatial.distance
from hypothesis import given
from hypothesis import strategies as st
from sklearn.gaussian_process.kernels import RBF
from sklearn.kernel_approximation import Nystroem

from models.cca.kernel_map import (
    ROWS_FOR_MEDIAN,
    choose_landmarks,
    fit_kernel_map,
    median_gamma,
    rbf_kernel,
)
from models.errors import ShapeError


def _rows(seed, n_rows=30, dimension=4):
    return np.random.default_rng(seed).normal(size=(n_rows, dimension))


@pytest.mark.parametrize("gamma", [0.05, 0.5, 3.0])
def test_kernel_values_equal_those_of_scikit_learn(gamma):
    a, b = _rows(0), _rows(1, n_rows=7)
    expected = RBF(length_scale=np.sqrt(0.5 / gamma))(a, b)
    np.testing.assert_allclose(rbf_kernel(a, b, gamma), expected, atol=1e-12)


def test_rounding_never_gives_a_kernel_value_above_one():
    rows = 1e4 + 1e-6 * _rows(2)
    assert (rbf_kernel(rows, rows, 1e6) <= 1.0).all()


def test_with_every_row_as_a_landmark_nothing_is_approximated():
    rows = _rows(3)
    phi = fit_kernel_map(rows, 0.7)
    mapped = phi(rows)
    np.testing.assert_allclose(mapped @ mapped.T, rbf_kernel(rows, rows, 0.7), atol=1e-9)


def test_values_with_a_landmark_are_exact_also_for_other_rows():
    phi = fit_kernel_map(_rows(4), 0.4)
    others = _rows(5, n_rows=12)
    found = phi(others) @ phi(phi.landmarks).T
    np.testing.assert_allclose(found, rbf_kernel(others, phi.landmarks, 0.4), atol=1e-8)


def test_values_of_other_rows_equal_the_nystroem_features_of_scikit_learn():
    rows, others = _rows(6), _rows(7, n_rows=12)
    reference = Nystroem(gamma=0.4, n_components=len(rows), random_state=0).fit(rows)
    expected = reference.transform(others)
    found = fit_kernel_map(rows, 0.4)(others)
    np.testing.assert_allclose(found @ found.T, expected @ expected.T, atol=1e-8)


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 10.0))
def test_feature_vectors_are_no_longer_than_one(seed, gamma):
    phi = fit_kernel_map(_rows(seed, n_rows=8), gamma)
    found = phi(_rows([seed, 1], n_rows=5))
    assert (np.sum(found**2, axis=1) <= 1.0 + 1e-6).all()


def test_landmarks_that_repeat_add_no_direction():
    rows = _rows(8, n_rows=6)
    phi = fit_kernel_map(np.vstack([rows, rows]), 0.5)
    assert phi.whitening.shape == (12, 6)
    mapped = phi(rows)
    np.testing.assert_allclose(mapped @ mapped.T, rbf_kernel(rows, rows, 0.5), atol=1e-9)


@pytest.mark.parametrize(
    ("landmarks", "gamma"),
    [
        (np.zeros((0, 3)), 1.0),
        (np.zeros(3), 1.0),
        (np.zeros((2, 3)), 0.0),
        (np.zeros((2, 3)), -1.0),
        (np.zeros((2, 3)), np.nan),
    ],
)
def test_no_landmarks_or_a_width_that_is_not_positive_are_refused(landmarks, gamma):
    with pytest.raises(ShapeError, match="expected landmarks of shape"):
        fit_kernel_map(landmarks, gamma)


def test_the_median_width_is_that_of_the_written_out_distances():
    rows = _rows(9)
    expected = 1.0 / np.median(scipy.spatial.distance.pdist(rows, "sqeuclidean"))
    assert median_gamma(rows, np.random.default_rng(0)) == pytest.approx(expected, rel=1e-10)


def test_the_median_of_many_rows_is_that_of_some_of_them():
    rows = _rows(10, n_rows=ROWS_FOR_MEDIAN + 200, dimension=2)
    drawn = choose_landmarks(rows, ROWS_FOR_MEDIAN, np.random.default_rng(0))
    expected = 1.0 / np.median(scipy.spatial.distance.pdist(drawn, "sqeuclidean"))
    assert median_gamma(rows, np.random.default_rng(0)) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("rows", [np.zeros((1, 3)), np.ones((5, 3))], ids=["single", "alike"])
def test_rows_without_distances_give_the_width_one(rows):
    assert median_gamma(rows, np.random.default_rng(0)) == 1.0


def test_landmarks_are_drawn_without_repetition_in_their_order():
    rows = np.arange(50.0)[:, None]
    drawn = choose_landmarks(rows, 20, np.random.default_rng(0))[:, 0]
    assert len(drawn) == 20
    assert (np.diff(drawn) > 0).all()
    assert set(drawn) <= set(range(50))
    again = choose_landmarks(rows, 20, np.random.default_rng(0))[:, 0]
    np.testing.assert_array_equal(again, drawn)
    other = choose_landmarks(rows, 20, np.random.default_rng(1))[:, 0]
    assert not np.array_equal(other, drawn)


@pytest.mark.parametrize("count", [5, 6])
def test_all_rows_are_landmarks_where_there_are_few(count):
    rows = _rows(11, n_rows=5)
    assert choose_landmarks(rows, count, np.random.default_rng(0)) is rows
