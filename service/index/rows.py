"""The vectors of an index, sorted by id, and views of them that never change."""

import itertools
from dataclasses import dataclass

import numpy as np

from models.errors import ShapeError
from models.types import Float32Array, Int64Array

_FIRST_CAPACITY_ROWS = 64
_GENERATIONS = itertools.count(1)


def new_generation() -> int:
    """Return a number that no table of rows of this process has yet."""
    return next(_GENERATIONS)


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The rows of a store at one moment; later changes of the store do not touch them.

    Attributes:
        ids: Ascending, shape (N,), int64.
        vectors: Shape (N, K), float32, C-contiguous, finite.
        generation: Equal numbers mean that one view is the start of the other.
        largest_norm: No vector is longer than this.
    """

    ids: Int64Array
    vectors: Float32Array
    generation: int
    largest_norm: float

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.ids)

    @classmethod
    def empty(cls, dimension: int) -> "Rows":
        """Return no rows."""
        return cls(
            np.empty(0, np.int64), np.empty((0, dimension), np.float32), new_generation(), 0.0
        )

    def positions(self, ids: Int64Array) -> Int64Array:
        """Return where ids (ascending, each once) stand, ascending; unknown ids are ignored."""
        if not len(self) or not len(ids):
            return np.empty(0, np.int64)
        first, last = self.ids[0], self.ids[-1]
        within = ids[np.searchsorted(ids, first) : np.searchsorted(ids, last, side="right")]
        if last - first + 1 == len(self):  # no gaps: the place follows from the id
            return within - first
        places = np.searchsorted(self.ids, within)
        return places[self.ids[places] == within]

    def allowed(self, ids: Int64Array) -> "Rows":
        """Return a copy of the rows whose id is among ``ids``; unknown ids are ignored."""
        places = self.positions(np.unique(ids))
        return Rows(self.ids[places], self.vectors[places], -1, self.largest_norm)


class RowStore:
    """Growing table of (id, vector), always sorted by id. Not thread-safe: its index locks."""

    def __init__(self, dimension: int) -> None:
        if dimension < 1:
            raise ShapeError(f"expected vectors of at least 1 dimension, got {dimension}")
        self.dimension = dimension
        self._ids: Int64Array = np.empty(0, np.int64)
        self._vectors: Float32Array = np.empty((0, dimension), np.float32)
        self._count = 0
        self._generation = new_generation()
        self._largest_norm = 0.0

    def rows(self) -> Rows:
        """Return an unchanging view of what is stored now (no copy)."""
        ids, vectors = self._ids[: self._count], self._vectors[: self._count]
        return Rows(ids, vectors, self._generation, self._largest_norm)

    def add(self, ids: Int64Array, vectors: Float32Array) -> None:
        """Store vectors (N, K) under ids (N,); ids that are there already are replaced.

        Raises:
            ShapeError: On other shapes, NaN or infinity, negative ids, or an id given twice.
        """
        ids = check_ids(ids)
        vectors = check_vectors(vectors, self.dimension)
        if len(ids) != len(vectors):
            raise ShapeError(f"expected one id per vector, got {len(ids)} for {len(vectors)}")
        if len(ids) == 0:
            return
        if ids.min() < 0 or len(np.unique(ids)) < len(ids):
            raise ShapeError("expected different ids >= 0, got a negative or repeated one")
        if (ids[1:] < ids[:-1]).any():
            order = np.argsort(ids)
            ids, vectors = ids[order], vectors[order]
        self._largest_norm = max(self._largest_norm, largest_norm(vectors))
        if self._count == 0 or ids[0] > self._ids[self._count - 1]:
            self._append(ids, vectors)
        else:
            self._merge(ids, vectors)

    def remove(self, ids: Int64Array) -> int:
        """Forget ids (any,); unknown ones are ignored. Return how many were removed."""
        rows = self.rows()
        kept = ~np.isin(rows.ids, check_ids(ids))
        removed = len(rows) - int(kept.sum())
        if removed:
            self._replace(rows.ids[kept], rows.vectors[kept])
        return removed

    def _append(self, ids: Int64Array, vectors: Float32Array) -> None:
        """Write behind the last row, where no view looks; double the room when it is used up."""
        end = self._count + len(ids)
        if end > len(self._ids):
            capacity = max(end, 2 * len(self._ids), _FIRST_CAPACITY_ROWS)
            rows = self.rows()
            self._ids = np.empty(capacity, np.int64)
            self._vectors = np.empty((capacity, self.dimension), np.float32)
            self._ids[: self._count], self._vectors[: self._count] = rows.ids, rows.vectors
        self._ids[self._count : end], self._vectors[self._count : end] = ids, vectors
        self._count = end

    def _merge(self, ids: Int64Array, vectors: Float32Array) -> None:
        rows = self.rows()
        kept = ~np.isin(rows.ids, ids)
        all_ids = np.concatenate([rows.ids[kept], ids])
        order = np.argsort(all_ids)
        self._replace(all_ids[order], np.concatenate([rows.vectors[kept], vectors])[order])

    def _replace(self, ids: Int64Array, vectors: Float32Array) -> None:
        """Start a new generation in new memory, so that views of the old one stay right."""
        self._ids, self._vectors, self._count = ids, vectors, len(ids)
        self._generation = new_generation()


def check_ids(ids: Int64Array) -> Int64Array:
    """Return ids as int64 (N,).

    Raises:
        ShapeError: When they are not whole numbers in one axis.
    """
    ids = np.asarray(ids)
    if ids.ndim != 1 or (ids.size and ids.dtype.kind not in "iu"):
        raise ShapeError(f"expected int64 ids (N,), got {ids.dtype} of shape {ids.shape}")
    return ids.astype(np.int64, copy=False)


def check_vectors(vectors: Float32Array, dimension: int) -> Float32Array:
    """Return vectors as C-contiguous float32 (N, K).

    Raises:
        ShapeError: On another shape, NaN or infinity.
    """
    vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    if vectors.ndim != 2 or vectors.shape[1] != dimension:
        raise ShapeError(f"expected vectors of shape (N, {dimension}), got {vectors.shape}")
    if not np.isfinite(vectors).all():
        raise ShapeError("expected finite vectors, got NaN or infinity")
    return vectors


def largest_norm(vectors: Float32Array) -> float:
    """Length of the longest of vectors (N, K); 0 for none."""
    if not len(vectors):
        return 0.0
    squares = np.einsum("nk,nk->n", vectors, vectors, dtype=np.float64)
    return float(np.sqrt(squares.max()))
