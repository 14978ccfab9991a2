"""The file of an index: safetensors, written in a stream and opened memory-mapped.

A file holds what an index is made of (ids, vectors and, for an approximate index, its structure and
the questions it was measured by), or only what changed since such a file, or both. Opening it reads
the header; a vector is read when it is looked at.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from models.errors import ArtefactError
from models.types import Float32Array, Int64Array

BLOCK_ROWS = 1 << 16
_TYPES = {"int64": "I64", "float32": "F32", "uint8": "U8"}
_DTYPES = {name: np.dtype(dtype) for dtype, name in _TYPES.items()}
_MOST_HEADER_BYTES = 1 << 20
_LENGTH_BYTES = 8


@dataclass(frozen=True, slots=True, eq=False)
class GatheredRows:
    """Rows (N, K) that are copied together only while they are written.

    Attributes:
        parts: Tables of vectors (N_i, K), float32.
        order: Positions in the parts laid behind each other, shape (N,).
    """

    parts: tuple[Float32Array, ...]
    order: Int64Array

    @property
    def shape(self) -> tuple[int, int]:
        """(N, K)."""
        return len(self.order), self.parts[0].shape[1]

    def blocks(self) -> Iterator[Float32Array]:
        """Yield the rows some thousands at a time."""
        starts = np.cumsum([0] + [len(part) for part in self.parts])
        for begin in range(0, len(self.order), BLOCK_ROWS):
            places = self.order[begin : begin + BLOCK_ROWS]
            block = np.empty((len(places), self.shape[1]), np.float32)
            for start, part in zip(starts, self.parts, strict=False):
                inside = (places >= start) & (places < start + len(part))
                block[inside] = part[places[inside] - start]
            yield block


Tensor = NDArray[Any] | GatheredRows


@dataclass(frozen=True, slots=True, eq=False)
class SnapshotFile:
    """What a file holds; the arrays are read-only views of the mapped file.

    Attributes:
        path: Where it lies.
        tensors: Arrays by name.
        facts: Text by name.
    """

    path: Path
    tensors: dict[str, NDArray[Any]] = field(repr=False)
    facts: dict[str, str]

    def rows(self, ids: str, vectors: str) -> tuple[Int64Array, Float32Array]:
        """Return the ids (N,) and vectors (N, K) of these names.

        Raises:
            ArtefactError: When they are missing or no rows with ascending ids.
        """
        found_ids, found_vectors = self.tensors.get(ids), self.tensors.get(vectors)
        if found_ids is None or found_vectors is None or not _are_rows(found_ids, found_vectors):
            found = {name: f"{array.dtype}{array.shape}" for name, array in self.tensors.items()}
            raise ArtefactError(
                f"{self.path}: expected ascending {ids} int64(N,) and {vectors} float32(N, K), "
                f"got {found}"
            )
        return found_ids, found_vectors


def _are_rows(ids: NDArray[Any], vectors: NDArray[Any]) -> bool:
    return (
        ids.dtype == np.int64
        and vectors.dtype == np.float32
        and (ids.ndim, vectors.ndim) == (1, 2)
        and len(ids) == len(vectors)
        and vectors.shape[1] > 0
        and (len(ids) == 0 or (ids[0] >= 0 and bool((ids[1:] > ids[:-1]).all())))
    )


def write_snapshot(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, str]) -> None:
    """Write a whole file or nothing.

    Raises:
        OSError: When the disk is full; what was there before stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            _write(file, tensors, facts)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _write(file: BinaryIO, tensors: Mapping[str, Tensor], facts: Mapping[str, str]) -> None:
    # Widest numbers first: every tensor then begins at a multiple of its own size.
    names = sorted(tensors, key=lambda name: (-_dtype(tensors[name]).itemsize, name))
    header: dict[str, Any] = {"__metadata__": dict(facts)} if facts else {}
    offset = 0
    for name in names:
        dtype, shape = _dtype(tensors[name]), tensors[name].shape
        end = offset + int(np.prod(shape)) * dtype.itemsize
        header[name] = {
            "dtype": _TYPES[dtype.name],
            "shape": list(shape),
            "data_offsets": [offset, end],
        }
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _LENGTH_BYTES)
    file.write(len(text).to_bytes(_LENGTH_BYTES, "little") + text)
    for name in names:
        for block in _blocks(tensors[name]):
            file.write(np.ascontiguousarray(block).data)


def _dtype(tensor: Tensor) -> "np.dtype[Any]":
    return np.dtype(np.float32) if isinstance(tensor, GatheredRows) else tensor.dtype


def _blocks(tensor: Tensor) -> Iterator[NDArray[Any]]:
    if isinstance(tensor, GatheredRows):
        yield from tensor.blocks()
    elif tensor.size:
        yield tensor


def open_snapshot(path: Path) -> SnapshotFile:
    """Map a safetensors file into memory; what is in it is read when it is used.

    Raises:
        ArtefactError: When it is missing, cut short or no such file.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
            text = file.read(length) if length <= _MOST_HEADER_BYTES else b""
        header = json.loads(text)
        facts = header.pop("__metadata__", {})
        start = _LENGTH_BYTES + length
        ends = [entry["data_offsets"][1] for entry in header.values()]
        if start + max(ends, default=0) != size:
            raise ArtefactError(
                f"{path}: expected {start + max(ends, default=0)} bytes, got {size}"
            )
        tensors = {name: _view(path, start, entry) for name, entry in header.items()}
    except OSError as error:
        raise ArtefactError(f"expected an index file {path}, got {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise ArtefactError(f"{path} is no index file: {error}") from error
    return SnapshotFile(path, tensors, facts)


def _view(path: Path, start: int, entry: Mapping[str, Any]) -> NDArray[Any]:
    dtype, shape = _DTYPES[entry["dtype"]], tuple(entry["shape"])
    begin, end = entry["data_offsets"]
    if end - begin != int(np.prod(shape)) * dtype.itemsize:
        raise ValueError(f"a tensor of shape {shape} does not fill {end - begin} bytes")
    if begin == end:
        return np.empty(shape, dtype)
    mapped = np.memmap(path, dtype=dtype, mode="r", offset=start + begin, shape=shape)
    return np.asarray(mapped)


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def changed_rows(file: SnapshotFile) -> tuple[Int64Array, Int64Array, Float32Array]:
    """Return by what a file says that an index differs from its table.

    Returns:
        Ids that are gone, ascending; ids (N,) and vectors (N, K) that came. All are empty when the
        file holds a table alone.

    Raises:
        ArtefactError: When they are not whole.
    """
    if "recent_ids" not in file.tensors:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 0), np.float32)
    removed = file.tensors.get("removed_ids")
    if removed is None or removed.dtype != np.int64 or (removed[1:] <= removed[:-1]).any():
        raise ArtefactError(f"{file.path}: expected ascending removed_ids int64(N,)")
    return removed, *file.rows("recent_ids", "recent_vectors")


def write_rows(path: Path, ids: Int64Array, vectors: Float32Array) -> None:
    """Write a table of ids (N,) and vectors (N, K), atomically."""
    write_snapshot(path, {"ids": ids, "vectors": vectors}, {})


def read_rows(path: Path, changes: Path | None = None) -> tuple[Int64Array, Float32Array]:
    """Read all items of an index that any backend saved: ids (N,), ascending, and vectors (N, K).

    Raises:
        ArtefactError: When a file is missing, damaged or no index.
    """
    file = open_snapshot(path)
    ids, vectors = file.rows("ids", "vectors")
    removed, new_ids, new_vectors = changed_rows(
        file if changes is None else open_snapshot(changes)
    )
    if not len(removed) and not len(new_ids):
        return ids, vectors
    kept = ~np.isin(ids, removed)
    ids = np.concatenate([ids[kept], new_ids])
    order = np.argsort(ids)
    return ids[order], np.concatenate([vectors[kept], new_vectors])[order]


def file_dimension(path: Path) -> int:
    """Return K of the vectors in a file.

    Raises:
        ArtefactError: When it is missing, damaged or no index.
    """
    return int(open_snapshot(path).rows("ids", "vectors")[1].shape[1])
