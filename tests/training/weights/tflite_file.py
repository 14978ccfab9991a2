"""A small TFLite file, written with the flatbuffers package: layers as the real files have them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from numpy.typing import NDArray

CONV, DEPTHWISE, DEQUANTIZE, FULL, SOFTMAX = 3, 4, 6, 9, 25
_TYPES = {"float32": 0, "int32": 2, "uint8": 3, "int8": 9}


@dataclass
class Tensor:
    """A tensor; with values a constant."""

    shape: Sequence[int]
    values: NDArray[Any] | None = None
    scales: Sequence[float] = ()
    zeros: Sequence[int] = ()
    axis: int = 0


@dataclass
class TfliteFile:
    """Tensors and steps of the one graph of a file."""

    tensors: list[Tensor] = field(default_factory=list)
    steps: list[tuple[int, list[int], list[int]]] = field(default_factory=list)

    def tensor(self, *arguments: Any, **keywords: Any) -> int:
        """Add a tensor, return its number."""
        self.tensors.append(Tensor(*arguments, **keywords))
        return len(self.tensors) - 1

    def write(self, path: Path) -> Path:
        """Write the file."""
        builder = flatbuffers.Builder(1024)
        buffers = [_table(builder, {})]
        tensors = []
        for one in self.tensors:
            number = 0
            if one.values is not None:
                raw = builder.CreateNumpyVector(one.values.reshape(-1).view(np.uint8))
                buffers.append(_table(builder, {0: ("offset", raw)}))
                number = len(buffers) - 1
            tensors.append(_tensor(builder, one, number))
        kinds = sorted({kind for kind, _, _ in self.steps})
        codes = [_table(builder, {0: ("int8", k), 3: ("int32", k)}) for k in kinds]
        steps = [
            _table(
                builder,
                {
                    0: ("uint32", kinds.index(kind)),
                    1: ("offset", builder.CreateNumpyVector(np.array(inputs, np.int32))),
                    2: ("offset", builder.CreateNumpyVector(np.array(outputs, np.int32))),
                },
            )
            for kind, inputs, outputs in self.steps
        ]
        graph = _table(
            builder,
            {0: ("offset", _vector(builder, tensors)), 3: ("offset", _vector(builder, steps))},
        )
        model = {
            0: ("uint32", 3),
            1: ("offset", _vector(builder, codes)),
            2: ("offset", _vector(builder, [graph])),
            4: ("offset", _vector(builder, buffers)),
        }
        builder.Finish(_table(builder, model), file_identifier=b"TFL3")
        path.write_bytes(bytes(builder.Output()))
        return path


def _tensor(builder: Any, one: Tensor, buffer: int) -> int:
    fields: dict[int, tuple[str, int]] = {}
    if len(one.scales):
        scales = builder.CreateNumpyVector(np.array(one.scales, np.float32))
        zeros = builder.CreateNumpyVector(np.array(one.zeros, np.int64))
        levels = {2: ("offset", scales), 3: ("offset", zeros), 6: ("int32", one.axis)}
        fields[4] = ("offset", _table(builder, levels))
    kind = "float32" if one.values is None else one.values.dtype.name
    fields[0] = ("offset", builder.CreateNumpyVector(np.array(one.shape, np.int32)))
    fields[1] = ("int8", _TYPES[kind])
    fields[2] = ("uint32", buffer)
    return _table(builder, fields)


def _table(builder: Any, fields: dict[int, tuple[str, int]]) -> int:
    builder.StartObject(max(fields, default=-1) + 1)
    for number, (kind, value) in fields.items():
        if kind == "offset":
            builder.PrependUOffsetTRelativeSlot(number, value, 0)
        else:
            getattr(builder, f"Prepend{kind.capitalize()}Slot")(number, value, 0)
    return int(builder.EndObject())


def _vector(builder: Any, offsets: Sequence[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())
