"""The reader of TFLite files, on files written with the flatbuffers package."""

import numpy as np
import pytest

from models.errors import DataError
from tests.training.weights.tflite_file import (
    CONV,
    DEPTHWISE,
    DEQUANTIZE,
    FULL,
    SOFTMAX,
    TfliteFile,
)
from training.weights.tflite import read_tflite

RNG = np.random.default_rng(0)
CONV_INT8 = RNG.integers(-127, 128, (3, 2, 2, 1), dtype=np.int8)
CONV_SCALES = np.array([0.5, 0.25, 0.125], np.float32)
CONV_BIAS = np.array([4, -8, 12], np.int32)
DEPTHWISE_INT8 = RNG.integers(-127, 128, (1, 3, 3, 4), dtype=np.int8)
FULL_FLOAT = RNG.standard_normal((2, 3)).astype(np.float32)


@pytest.fixture
def small(tmp_path):
    """An int8 convolution with a scale per filter, a depthwise one behind DEQUANTIZE, a layer."""
    file = TfliteFile()
    before, between, after = file.tensor([1, 4, 4, 1]), file.tensor([1]), file.tensor([1])
    conv = file.tensor([3, 2, 2, 1], CONV_INT8, CONV_SCALES, [0, 0, 0], 0)
    bias = file.tensor([3], CONV_BIAS, CONV_SCALES / 4, [0, 0, 0], 0)
    stored = file.tensor([1, 3, 3, 4], DEPTHWISE_INT8, [0.5], [3])
    computed = file.tensor([1, 3, 3, 4])
    full = file.tensor([2, 3], FULL_FLOAT)
    rounded = file.tensor([1, 2], None, [0.1], [-128])
    file.steps = [
        (CONV, [before, conv, bias], [between]),
        (DEQUANTIZE, [stored], [computed]),
        (DEPTHWISE, [between, computed, -1], [after]),
        (FULL, [after, full], [rounded]),
        (SOFTMAX, [rounded], [before]),
    ]
    return file.write(tmp_path / "small.tflite")


def test_layers_come_in_order_dequantised_and_laid_out_for_pytorch(small):
    (conv, bias), (depthwise, none), (full, absent) = read_tflite(small).layers()
    for f, i, j in np.ndindex(3, 2, 2):
        assert conv[f, 0, i, j] == CONV_SCALES[f] * CONV_INT8[f, i, j, 0]
    assert bias is not None
    np.testing.assert_allclose(bias, CONV_SCALES / 4 * CONV_BIAS)
    for i, j, c in np.ndindex(3, 3, 4):
        assert depthwise[c, 0, i, j] == 0.5 * (int(DEPTHWISE_INT8[0, i, j, c]) - 3)
    np.testing.assert_array_equal(full, FULL_FLOAT)
    assert none is None
    assert absent is None


def test_levels_and_kinds_of_steps_are_told(small):
    model = read_tflite(small)
    scale, zero = model.levels[8]
    assert scale == pytest.approx(0.1)
    assert zero == -128
    kinds = [one.kind for one in model.operators]
    assert kinds == ["CONV_2D", "DEQUANTIZE", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "other"]


def test_a_weight_that_is_computed_is_refused(tmp_path):
    file = TfliteFile()
    tensors = [file.tensor([1]) for _ in range(3)]
    file.steps = [(FULL, tensors[:2], tensors[2:])]
    model = read_tflite(file.write(tmp_path / "f.tflite"))
    with pytest.raises(DataError, match="tensor 1 to be a constant"):
        model.layers()


def test_other_files_are_refused(tmp_path):
    with pytest.raises(DataError, match="expected a TFLite file"):
        read_tflite(tmp_path / "gone.tflite")
    (tmp_path / "f.tflite").write_bytes(b"\x80\x04 not a model")
    with pytest.raises(DataError, match="its identifier is"):
        read_tflite(tmp_path / "f.tflite")


def test_damaged_files_are_refused_or_read_and_never_anything_else(small, tmp_path):
    data, rng = small.read_bytes(), np.random.default_rng(1)
    damaged = [data[:length] for length in range(8, len(data), 23)]
    for _ in range(300):
        changed = bytearray(data)
        changed[rng.integers(8, len(data))] = rng.integers(256)
        damaged.append(bytes(changed))
    refused = 0
    for content in damaged:
        (tmp_path / "d.tflite").write_bytes(content)
        try:
            read_tflite(tmp_path / "d.tflite").layers()
        except DataError:
            refused += 1
    assert refused > 50
