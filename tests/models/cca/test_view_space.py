"""What closed-form spaces share, seen with the simplest map: refusals and names of tensors.

What every space promises is in ``tests/contracts/test_spaces.py``.
"""

import numpy as np
import pytest

from models.cca.linear_space import LinearSpace, LinearView
from models.cca.typicality import fit_typicality
from models.cca.view_space import ViewTensors
from models.errors import ShapeError
from models.types import View

VIEW = View("audio", 3)


def _space():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(20, 3))
    view = LinearView(
        np.arange(3.0), np.ones(3), rng.normal(size=(3, 2)), fit_typicality(rows, rows)
    )
    return LinearSpace("cca", {"audio": VIEW}, {"audio": view})


def test_tensors_are_named_by_view_and_part():
    assert sorted(_space().tensors()) == [
        "audio.mean",
        "audio.scale",
        "audio.typicality.basis",
        "audio.typicality.residual_variance",
        "audio.typicality.threshold",
        "audio.typicality.variances",
        "audio.weights",
    ]
    assert {tensor.dtype for tensor in _space().tensors().values()} == {np.dtype(np.float32)}


def test_a_row_without_signal_becomes_zeros_and_stays_typical():
    space = _space()
    row = np.arange(3, dtype=np.float32)[None]
    np.testing.assert_array_equal(space.project("audio", row), np.zeros((1, 2)))
    np.testing.assert_array_equal(space.typicality("audio", row), [1.0])


def test_the_length_of_a_row_about_the_mean_does_not_matter():
    space = _space()
    direction = np.array([0.3, -0.2, 0.9], dtype=np.float32)
    mean = np.arange(3, dtype=np.float32)
    near, far = (space.project("audio", (mean + f * direction)[None]) for f in (1.0, 50.0))
    np.testing.assert_allclose(near, far, atol=1e-5)


@pytest.mark.parametrize("shape", [(3,), (1, 4), (1, 3, 1)])
def test_features_of_another_shape_are_refused(shape):
    with pytest.raises(ShapeError, match=r"audio features of shape \(N, 3\)"):
        _space().project("audio", np.zeros(shape, np.float32))


def test_an_unknown_view_is_refused_with_the_known_ones():
    with pytest.raises(ShapeError, match=r"expected a view of \['audio'\], got 'video'"):
        _space().typicality("video", np.zeros((1, 3), np.float32))


def test_a_tensor_is_read_in_double_precision():
    tensors = ViewTensors(VIEW, {"audio.weights": np.ones((3, 2), np.float32)})
    found = tensors.array("weights", 3, "K")
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, np.ones((3, 2)))


def test_a_missing_tensor_is_refused_by_name():
    with pytest.raises(ShapeError, match=r"expected a tensor 'audio\.scale'"):
        ViewTensors(VIEW, {"audio.mean": np.zeros(3, np.float32)}).standardisation()


@pytest.mark.parametrize("shape", [(4, 2), (3,), (3, 2, 1)])
def test_a_tensor_of_another_shape_is_refused(shape):
    tensors = ViewTensors(VIEW, {"audio.weights": np.zeros(shape, np.float32)})
    with pytest.raises(ShapeError, match=r"expected weights \(3, K\) for audio, got"):
        tensors.array("weights", 3, "K")
