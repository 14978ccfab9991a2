"""Constants of a TFLite file: a reader of the few flatbuffer tables that hold them.

Layout: schema ``tensorflow/lite/schema/schema.fbs`` (version 3). A table starts with the distance
back to its vtable, which holds the place of each field; vectors, strings and tables are reached
by forward distances. Nothing in the file is executed.
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import DataError

_IDENTIFIER = b"TFL3"
_TYPES = {0: "<f4", 1: "<f2", 2: "<i4", 3: "u1", 4: "<i8", 9: "i1"}
_OPERATORS = {
    0: "ADD",
    3: "CONV_2D",
    4: "DEPTHWISE_CONV_2D",
    6: "DEQUANTIZE",
    9: "FULLY_CONNECTED",
    40: "MEAN",
}
_AXES = {
    "CONV_2D": (0, 3, 1, 2),
    "DEPTHWISE_CONV_2D": (3, 0, 1, 2),
    "FULLY_CONNECTED": (0, 1),
}


@dataclass(frozen=True, slots=True)
class Operator:
    """A step of the graph: kind and the numbers of its tensors."""

    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class TfliteModel:
    """The main graph of a file.

    Attributes:
        constants: Number of a tensor -> its values; integers with a scale are dequantised.
        levels: Number of a tensor -> scale and zero point, where all of it has the same.
        operators: Steps in the order of execution; kinds that are not needed are called "other".
    """

    constants: dict[int, NDArray[Any]]
    levels: dict[int, tuple[float, int]]
    operators: tuple[Operator, ...]

    def layers(self) -> list[tuple[NDArray[Any], NDArray[Any] | None]]:
        """Return weight and bias (None: there is none) of every layer, in the order of execution.

        Weights are laid out as in PyTorch: (filters, channels, rows, columns) of convolutions,
        (filters, 1, rows, columns) of depthwise ones, (outputs, inputs) of full layers.

        Raises:
            DataError: If a weight is computed, or the file is damaged.
        """
        try:
            return [self._layer(one) for one in self.operators if one.kind in _AXES]
        except (IndexError, ValueError, RecursionError) as error:
            raise DataError(f"expected layers with constant weights, got {error!r}") from error

    def _layer(self, one: Operator) -> tuple[NDArray[Any], NDArray[Any] | None]:
        weight = self.constant(one.inputs[1]).transpose(_AXES[one.kind])
        return weight, self.constant(one.inputs[2]) if _biased(one) else None

    def constant(self, tensor: int) -> NDArray[Any]:
        """Return the values of a constant, also behind a DEQUANTIZE step.

        Raises:
            DataError: If the tensor is computed.
        """
        if tensor in self.constants:
            return self.constants[tensor]
        for one in self.operators:
            if one.kind == "DEQUANTIZE" and one.outputs == (tensor,):
                return self.constant(one.inputs[0])
        raise DataError(f"expected tensor {tensor} to be a constant, it is computed")


def read_tflite(path: Path) -> TfliteModel:
    """Read the constants and steps of the main graph.

    Raises:
        DataError: If the file cannot be read, is no TFLite file of version 3, or is damaged.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"expected a TFLite file {path}, got {error.strerror}") from error
    if data[4:8] != _IDENTIFIER:
        raise DataError(f"{path}: expected a TFLite file, its identifier is {data[4:8]!r}")
    try:
        return _model(_Table(data, _unsigned(data, 0)))
    except (struct.error, IndexError, ValueError, KeyError, RecursionError) as error:
        raise DataError(f"{path}: the TFLite file is damaged: {error!r}") from error


class _Table:
    """A flatbuffer table at a place in the data."""

    def __init__(self, data: bytes, place: int) -> None:
        self._data, self._place = data, place
        self._vtable = place - struct.unpack_from("<i", data, place)[0]
        if self._vtable < 0:
            raise ValueError(f"vtable at {self._vtable}")

    def _field(self, number: int) -> int | None:
        """Return the place of a field, None when it has its default."""
        offset = 4 + 2 * number
        if offset >= struct.unpack_from("<H", self._data, self._vtable)[0]:
            return None
        distance = struct.unpack_from("<H", self._data, self._vtable + offset)[0]
        return self._place + distance if distance else None

    def scalar(self, number: int, code: str) -> int:
        place = self._field(number)
        return 0 if place is None else int(struct.unpack_from(code, self._data, place)[0])

    def table(self, number: int) -> "_Table | None":
        place = self._field(number)
        return None if place is None else _Table(self._data, place + _unsigned(self._data, place))

    def _vector(self, number: int) -> tuple[int, int]:
        """Return the place of the first element of a vector, and the number of elements."""
        place = self._field(number)
        if place is None:
            return 0, 0
        start = place + _unsigned(self._data, place)
        return start + 4, _unsigned(self._data, start)

    def array(self, number: int, dtype: str) -> NDArray[Any]:
        start, count = self._vector(number)
        return np.frombuffer(self._data, dtype, count, start)

    def tables(self, number: int) -> "list[_Table]":
        start, count = self._vector(number)
        if start + 4 * count > len(self._data):
            raise ValueError(f"{count} tables at {start}")
        places = range(start, start + 4 * count, 4)
        return [_Table(self._data, place + _unsigned(self._data, place)) for place in places]


def _unsigned(data: bytes, place: int) -> int:
    return int(struct.unpack_from("<I", data, place)[0])


def _model(model: _Table) -> TfliteModel:
    codes = [max(one.scalar(0, "<b"), one.scalar(3, "<i")) for one in model.tables(1)]
    graph, buffers = model.tables(2)[0], model.tables(4)
    constants, levels = {}, {}
    for number, tensor in enumerate(graph.tables(0)):
        scales, zeros = _scales(tensor)
        if len(scales) == 1:
            levels[number] = float(scales[0]), int(zeros[0])
        raw = buffers[tensor.scalar(2, "<I")].array(0, "u1")
        if len(raw):
            constants[number] = _values(tensor, raw)
    operators = tuple(
        Operator(
            _OPERATORS.get(codes[one.scalar(0, "<I")], "other"),
            tuple(map(int, one.array(1, "<i4"))),
            tuple(map(int, one.array(2, "<i4"))),
        )
        for one in graph.tables(3)
    )
    return TfliteModel(constants, levels, operators)


def _scales(tensor: _Table) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the scales and zero points of a tensor; none where it is not quantised."""
    quantisation = tensor.table(4)
    if quantisation is None:
        return np.empty(0), np.empty(0)
    scales, zeros = quantisation.array(2, "<f4"), quantisation.array(3, "<i8")
    return scales, zeros if len(zeros) == len(scales) else np.zeros(len(scales), np.int64)


def _values(tensor: _Table, raw: NDArray[Any]) -> NDArray[Any]:
    """Return a constant as its real values: ``scale * (integer - zero point)`` where quantised."""
    stored = raw.view(_TYPES[tensor.scalar(1, "<b")]).reshape(tensor.array(0, "<i4"))
    scales, zeros = _scales(tensor)
    quantisation = tensor.table(4)
    if quantisation is None or not len(scales):
        return stored
    shape = [1] * stored.ndim
    if len(scales) > 1:
        shape[quantisation.scalar(6, "<i")] = len(scales)
    whole = stored.astype(np.float64) - zeros.reshape(shape)
    return (scales.astype(np.float64).reshape(shape) * whole).astype(np.float32)


def _biased(operator: Operator) -> bool:
    return len(operator.inputs) > 2 and operator.inputs[2] >= 0
