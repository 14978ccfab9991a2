"""Tensors of a PyTorch file without unpickling it: the few opcodes of a state dict, interpreted.

A file of ``torch.save`` is a zip: ``NAME/data.pkl`` says which tensor is which part of which file
``NAME/data/KEY``. Until PyTorch 1.5 it was a row of pickles with the numbers behind them. The
opcodes are read by ``pickletools``, which runs nothing; whatever is not needed for a plain
dictionary of tensors is refused, so no file can run code.
"""

import pickletools
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from models.errors import DataError

_TYPES = {
    "torch FloatStorage": "<f4",
    "torch HalfStorage": "<f2",
    "torch DoubleStorage": "<f8",
    "torch LongStorage": "<i8",
    "torch IntStorage": "<i4",
    "torch ByteStorage": "u1",
    "torch BoolStorage": "?",
}
_MAGIC = 0x1950A86A20F9469CFC6C  # first pickle of the old format
_TENSOR = "torch._utils _rebuild_tensor_v2"
_DICTIONARY = "collections OrderedDict"
_MARK = object()
_CONSTANTS: dict[str, Callable[[], Any]] = {
    "MARK": lambda: _MARK,
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_DICT": dict,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
}
_LITERALS = {"BINUNICODE", "SHORT_BINUNICODE", "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT"}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


@dataclass(frozen=True, slots=True)
class _Global:
    """A name that a pickle would import; here it stays a name."""

    name: str


@dataclass(frozen=True, slots=True)
class _Storage:
    """Numbers that lie elsewhere in the file."""

    dtype: str
    key: str
    count: int


@dataclass(frozen=True, slots=True)
class _Tensor:
    """A view of a storage; strides in numbers."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read_torch_archive(path: Path) -> dict[str, NDArray[Any]]:
    """Read the tensors of a state dict saved by ``torch.save``.

    Args:
        path: Such as ``pytorch_model.bin``.

    Returns:
        Name -> array, each with its own memory.

    Raises:
        DataError: If the file cannot be read, is damaged, or holds more than a dictionary of
            tensors.
    """
    try:
        with path.open("rb") as file:
            return _zipped(file) if zipfile.is_zipfile(file) else _legacy(file)
    except OSError as error:
        raise DataError(f"expected a PyTorch file {path}, got {error.strerror}") from error
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    except (zipfile.BadZipFile, struct.error, LookupError, TypeError, ValueError) as error:
        raise DataError(f"{path}: expected a state dict of torch.save, got: {error}") from error


def _zipped(file: IO[bytes]) -> dict[str, NDArray[Any]]:
    with zipfile.ZipFile(file) as archive:
        program = next((n for n in archive.namelist() if n.endswith("/data.pkl")), None)
        if program is None:
            raise DataError("expected data.pkl in the zip, found none")
        folder = program.removesuffix("data.pkl") + "data/"
        tensors = _named(_Machine().run(archive.read(program)))
        return {n: _array(t, archive.read(folder + t.storage.key)) for n, t in tensors.items()}


def _legacy(file: IO[bytes]) -> dict[str, NDArray[Any]]:
    file.seek(0)
    magic = _Machine().run(file)
    if magic != _MAGIC:
        raise DataError(f"expected a zip or the old format of torch.save, found {magic!r}")
    _Machine().run(file)  # version of the format
    _Machine().run(file)  # sizes of the types of that machine
    tensors = _named(_Machine().run(file))
    sizes = {t.storage.key: np.dtype(t.storage.dtype).itemsize for t in tensors.values()}
    data: dict[str, bytes] = {}
    for key in _Machine().run(file):
        (count,) = struct.unpack("<q", file.read(8))
        data[key] = file.read(count * sizes[key])
    return {name: _array(tensor, data[tensor.storage.key]) for name, tensor in tensors.items()}


def _named(found: Any) -> dict[str, _Tensor]:
    if not isinstance(found, dict):
        raise DataError(f"expected a dictionary of tensors, found {type(found).__name__}")
    others = [name for name, value in found.items() if not isinstance(value, _Tensor)]
    if others:
        raise DataError(f"expected a tensor for every name, found something else for {others[0]!r}")
    return found


def _array(tensor: _Tensor, data: bytes) -> NDArray[Any]:
    """A copy of the numbers of a tensor out of those of its storage."""
    numbers = np.frombuffer(data, dtype=tensor.storage.dtype, count=tensor.storage.count)
    offset, shape, strides = tensor.offset, tensor.shape, tensor.strides
    last = offset + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
    if min((offset, *shape, *strides)) < 0 or (0 not in shape and last >= len(numbers)):
        raise DataError(f"expected a tensor inside its storage of {len(numbers)}, found {shape}")
    steps = tuple(step * numbers.itemsize for step in strides)
    return np.lib.stride_tricks.as_strided(numbers[offset:], shape, steps).copy()


@dataclass(slots=True, eq=False)
class _Machine:
    """The stack and memo of the pickle machine."""

    stack: list[Any] = field(default_factory=list)
    memo: dict[int, Any] = field(default_factory=dict)

    def run(self, program: bytes | IO[bytes]) -> Any:
        """Interpret until STOP and return what is on top."""
        for opcode, argument, _ in pickletools.genops(program):
            if opcode.name == "STOP":
                break
            self._step(opcode.name, argument)
        return self.stack.pop()

    def _step(self, name: str, argument: Any) -> None:
        if name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name]())
        elif name in _LITERALS:
            self.stack.append(argument)
        elif name in _TUPLES:
            self.stack[-_TUPLES[name] :] = [tuple(self.stack[-_TUPLES[name] :])]
        elif name == "GLOBAL":
            self.stack.append(_Global(argument))
        elif name in ("BINGET", "LONG_BINGET"):
            self.stack.append(self.memo[argument])
        elif name in ("BINPUT", "LONG_BINPUT"):
            self.memo[argument] = self.stack[-1]
        elif name not in ("PROTO", "FRAME"):
            self._build(name)

    def _build(self, name: str) -> None:
        """The opcodes that put values together."""
        if name == "TUPLE":
            self.stack.append(tuple(self._since_mark()))
        elif name in ("APPENDS", "APPEND"):
            items = self._since_mark() if name == "APPENDS" else self._popped(1)
            self.stack[-1].extend(items)
        elif name in ("SETITEMS", "SETITEM"):
            items = self._since_mark() if name == "SETITEMS" else self._popped(2)
            self.stack[-1].update(zip(items[::2], items[1::2], strict=True))
        elif name == "BINPERSID":
            self.stack.append(_storage(self.stack.pop()))
        elif name == "REDUCE":
            function, arguments = self._popped(2)
            self.stack.append(_called(function, arguments))
        elif name == "BUILD":  # notes about versions that a state dict carries
            self.stack.pop()
        else:
            raise DataError(f"expected a plain state dict, found opcode {name} in its pickle")

    def _popped(self, count: int) -> list[Any]:
        items = self.stack[-count:]
        del self.stack[-count:]
        return items

    def _since_mark(self) -> list[Any]:
        place = max(index for index, value in enumerate(self.stack) if value is _MARK)
        items = self.stack[place + 1 :]
        del self.stack[place:]
        return items


def _storage(identity: Any) -> _Storage:
    """The storage of ("storage", type, key, device, count), or that and a view of old files."""
    _, kind, key, _, count, *view = identity
    dtype = _TYPES.get(getattr(kind, "name", ""))
    if dtype is None or any(view):
        raise DataError(f"expected a storage of {', '.join(_TYPES)}, found {kind} {view}")
    return _Storage(dtype, key, count)


def _called(function: Any, arguments: Any) -> Any:
    """What a call in the pickle would give, for the two calls of a state dict."""
    name = getattr(function, "name", function)
    if name == _DICTIONARY and not arguments:
        return {}
    if name == _TENSOR and isinstance(arguments[0], _Storage):
        return _Tensor(*arguments[:4])
    raise DataError(f"expected a plain state dict, found a call of {name!r} in its pickle")
