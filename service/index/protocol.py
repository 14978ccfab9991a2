"""What the service asks of a vector index, whatever holds the vectors."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from models.types import Float32Array, Int64Array

NO_ID = -1


@dataclass(frozen=True, slots=True, eq=False)
class Hits:
    """Nearest neighbours of B queries, best first; ties in score are ordered by ascending id.

    Attributes:
        ids: Item numbers, shape (B, k), int64; ``NO_ID`` where fewer than k items exist.
        scores: Inner products (cosine similarities for unit rows), shape (B, k), float32;
            ``-inf`` where the id is ``NO_ID``.
    """

    ids: Int64Array
    scores: Float32Array


class VectorIndex(Protocol):
    """Maximum inner product search over (id, unit vector) rows; safe to call from any thread."""

    @property
    def dimension(self) -> int:
        """K of the stored vectors."""
        ...

    def __len__(self) -> int:
        """Number of stored vectors."""
        ...

    def ids(self) -> Int64Array:
        """Stored ids, ascending, shape (N,)."""
        ...

    def add(self, ids: Int64Array, vectors: Float32Array) -> None:
        """Store vectors (N, K) under ids (N,) >= 0; an id that is there already is replaced."""
        ...

    def remove(self, ids: Int64Array) -> int:
        """Forget ids (unknown ones are ignored) and return how many were removed."""
        ...

    def search(self, queries: Float32Array, k: int, *, allowed: Int64Array | None = None) -> Hits:
        """Return the k best of the stored (or allowed) items for queries (B, K).

        The first k hits are the start of the first k + m, and a query gives the same hits alone
        and in a batch. A k above the number of items is padded with ``NO_ID``.
        """
        ...

    def save(self, path: Path) -> None:
        """Write the index to one file, atomically."""
        ...


@runtime_checkable
class MaintainedIndex(VectorIndex, Protocol):
    """An index with a big part in a file, changes beside it, and a thread that rebuilds."""

    @property
    def base_path(self) -> Path | None:
        """The file that the big part is mapped from; None when it lies in main memory."""
        ...

    @property
    def n_changed(self) -> int:
        """Rows by which the index differs from its big part."""
        ...

    def load(self, path: Path, changes: Path | None = None) -> None:
        """Take the place of an empty index: what ``save``, then ``save_changes`` wrote."""
        ...

    def save_changes(self, path: Path) -> None:
        """Write to one file, atomically, by what the index differs from its big part."""
        ...

    def settle(self) -> None:
        """Wait until everything that should be built is built."""
        ...

    def close(self) -> None:
        """Stop what is being built."""
        ...

    def describe(self) -> dict[str, Any]:
        """Say what answers at this moment, and how well: ``type``, ``recall`` and more."""
        ...
