"""Brute force in NumPy: the oracle of every other index, and enough for small collections."""

import threading
from pathlib import Path

from models.types import Float32Array, Int64Array
from service.index.protocol import Hits
from service.index.rows import RowStore
from service.index.scoring import check_search, exact_search
from service.index.snapshot_file import write_rows


class NumpyIndex:
    """A ``VectorIndex`` that scores every stored vector in float64."""

    def __init__(self, dimension: int) -> None:
        self._store = RowStore(dimension)
        self._lock = threading.Lock()

    @property
    def dimension(self) -> int:
        """K of the stored vectors."""
        return self._store.dimension

    def __len__(self) -> int:
        """Number of stored vectors."""
        return len(self.ids())

    def ids(self) -> Int64Array:
        """Stored ids, ascending, shape (N,)."""
        with self._lock:
            return self._store.rows().ids.copy()

    def add(self, ids: Int64Array, vectors: Float32Array) -> None:
        """Store vectors (N, K) under ids (N,) >= 0; an id that is there already is replaced."""
        with self._lock:
            self._store.add(ids, vectors)

    def remove(self, ids: Int64Array) -> int:
        """Forget ids (unknown ones are ignored) and return how many were removed."""
        with self._lock:
            return self._store.remove(ids)

    def search(self, queries: Float32Array, k: int, *, allowed: Int64Array | None = None) -> Hits:
        """Return the k best of the stored (or allowed) items for queries (B, K)."""
        queries = check_search(queries, k, self.dimension)
        with self._lock:
            rows = self._store.rows()
        return exact_search(rows if allowed is None else rows.allowed(allowed), queries, k)

    def save(self, path: Path) -> None:
        """Write the index to one safetensors file, atomically."""
        with self._lock:
            rows = self._store.rows()
        write_rows(path, rows.ids, rows.vectors)
