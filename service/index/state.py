"""What an index holds at one moment: a big base that never changes, and what came since.

Changes make a new ``State``; a search works on the one it began with, so it never sees half of a
change. The base is a table of rows, in main memory or mapped from a file, with an approximate
structure over it or none. Rows that were deleted or replaced are masked in it; new rows stand in a
small table beside it that is scanned exactly.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from models.types import Float32Array, Int64Array
from service.index.ann import Effort, Finder, Structure
from service.index.approximate import approximate_search
from service.index.eligible import Eligible, Mask, sorted_ids
from service.index.exact import CpuScanner, Scanner, flat_search
from service.index.protocol import Hits
from service.index.queries import Queries
from service.index.recall import Measured, Probe
from service.index.rows import Rows, RowStore
from service.index.scoring import merged, no_hits


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """An approximate structure and what is known of it.

    Attributes:
        structure: Over the rows of a base.
        finder: Who searches: the structure, or its copy on a GPU.
        effort: The least that reaches the wanted recall.
        probe: The questions it was measured by.
        measured: What it found.
    """

    structure: Structure
    finder: Finder
    effort: Effort
    probe: Probe
    measured: Measured


@dataclass(frozen=True, slots=True, eq=False)
class Base:
    """The big part of an index.

    Attributes:
        rows: Sorted by id.
        learned: None when it is scanned exactly.
        path: The file it is mapped from; None when it lies in main memory.
    """

    rows: Rows
    learned: Learned | None = None
    path: Path | None = None

    @property
    def kind(self) -> str:
        """``flat`` or a key of ``STRUCTURES``."""
        return "flat" if self.learned is None else self.learned.structure.kind


@dataclass(frozen=True, slots=True)
class Scanners:
    """Who scans what exactly: on a GPU one index each for base and recent rows."""

    cpu: CpuScanner
    base: Scanner
    recent: Scanner


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """Everything that a search needs.

    Attributes:
        base: The big part.
        living: The rows of the base that were neither deleted nor replaced.
        recent: Rows that came since.
    """

    base: Base
    living: Eligible
    recent: Rows = field(repr=False)

    def __len__(self) -> int:
        """Number of items."""
        return self.living.count + len(self.recent)

    @property
    def n_dead(self) -> int:
        """Rows of the base that are deleted or replaced."""
        return len(self.base.rows) - self.living.count

    @property
    def n_changed(self) -> int:
        """Rows by which it differs from its base."""
        return self.n_dead + len(self.recent)

    @property
    def living_ids(self) -> Int64Array:
        """Ids of the living rows of the base, ascending."""
        ids = self.base.rows.ids
        return ids if self.living.is_all else ids[self.living.mask]

    def ids(self) -> Int64Array:
        """Ids of all items, ascending, a copy."""
        return np.sort(np.concatenate([self.living_ids, self.recent.ids]))

    def parts(self) -> tuple[Int64Array, tuple[Float32Array, Float32Array], Int64Array]:
        """Return all ids ascending, the two tables, and the place of each id in them (N,)."""
        living = np.flatnonzero(self.living.mask)
        n_base = len(self.base.rows)
        ids = np.concatenate([self.base.rows.ids[living], self.recent.ids])
        places = np.concatenate([living, n_base + np.arange(len(self.recent))])
        order = np.argsort(ids, kind="stable")
        return ids[order], (self.base.rows.vectors, self.recent.vectors), places[order]

    def without(self, ids: Int64Array) -> Eligible:
        """Return the living rows of the base but for some ids (ascending)."""
        positions = self.base.rows.positions(ids)
        positions = positions[self.living.mask[positions]] if len(positions) else positions
        if not len(positions):
            return self.living
        mask = self.living.mask.copy()
        mask[positions] = False
        return Eligible(len(mask), mask=mask)

    def search(
        self, scanners: Scanners, queries: Queries, k: int, allowed: Int64Array | None
    ) -> Hits:
        """Return the k best of both parts; see ``VectorIndex.search``."""
        filtered = None if allowed is None else sorted_ids(allowed)
        from_base = self._search_base(scanners, queries, k, filtered)
        if not len(self.recent):
            return from_base
        eligible = _allowed(self.recent, Eligible(len(self.recent)), filtered)
        if not eligible.count:
            return from_base
        from_recent = flat_search(scanners.recent, scanners.cpu, self.recent, queries, k, eligible)
        return merged(from_base, from_recent) if self.living.count else from_recent

    def _search_base(
        self, scanners: Scanners, queries: Queries, k: int, filtered: Int64Array | None
    ) -> Hits:
        rows, learned = self.base.rows, self.base.learned
        eligible = _allowed(rows, self.living, filtered)
        if not eligible.count:
            return no_hits(len(queries), k)
        if learned is None:
            return flat_search(scanners.base, scanners.cpu, rows, queries, k, eligible)
        return approximate_search(
            *(learned.finder, learned.effort, scanners.cpu, rows, queries, k, eligible)
        )


def _allowed(rows: Rows, living: Eligible, filtered: Int64Array | None) -> Eligible:
    return living if filtered is None else living.within(rows, filtered)


def empty_state(dimension: int) -> State:
    """Return a state without items."""
    return State(Base(Rows.empty(dimension)), Eligible(0), Rows.empty(dimension))


def on_base(base: Base, valid: Mask, before: State, touched: Int64Array) -> tuple[State, RowStore]:
    """Put what an index holds now upon a base that was built from an earlier state of it.

    Args:
        base: The new base; its rows are as they were when its building began.
        valid: Which of its rows were living then, shape (N,).
        before: What the index holds now, upon its old base.
        touched: Ids that were added, replaced or deleted since the building began, ascending.

    Returns:
        The same items upon the new base, and the store of the recent ones.
    """
    mask = np.zeros(len(base.rows), np.bool_)
    mask[base.rows.positions(before.ids())] = True
    mask &= valid
    mask[base.rows.positions(touched)] = False
    living = Eligible(len(mask), mask=mask)
    ids, tables, places = before.parts()
    covered = np.zeros(len(ids), np.bool_)
    covered[np.searchsorted(ids, base.rows.ids[mask])] = True
    store = RowStore(base.rows.vectors.shape[1])
    if not covered.all():
        store.add(ids[~covered], gathered(tables, places[~covered]))
    return State(base, living, store.rows()), store


def gathered(tables: tuple[Float32Array, Float32Array], places: Int64Array) -> Float32Array:
    """Return the vectors at places (N,) in two tables laid behind each other, shape (N, K)."""
    n_first = len(tables[0])
    vectors = np.empty((len(places), tables[0].shape[1]), np.float32)
    first = places < n_first
    vectors[first] = tables[0][places[first]]
    vectors[~first] = tables[1][places[~first] - n_first]
    return vectors
