"""The index that FAISS searches: flat, HNSW or IVF, chosen, measured and kept up to date.

Changes are made under a lock and end in a new ``State``; searches take the state of the moment and
no lock. A better base (a first approximate structure, or one with the recent rows in it) is built
in a thread of its own and swapped in; until then the exact scan answers.
"""

import logging
import threading
from pathlib import Path
from typing import Any

import numpy as np

from models.types import Float32Array, Int64Array
from service.index.ann import BuildStopped
from service.index.builder import Builder
from service.index.eligible import sorted_ids
from service.index.errors import IndexSettingError
from service.index.exact import CpuScanner
from service.index.gpu import GpuScanner, choose_device
from service.index.options import IndexOptions
from service.index.protocol import Hits
from service.index.queries import Queries, on_device, to_host
from service.index.rows import RowStore, check_ids
from service.index.snapshot import loaded_state, write_changes, write_state
from service.index.state import Base, Scanners, State, empty_state, on_base

_LOG = logging.getLogger(__name__)


class FaissIndex:
    """A ``MaintainedIndex`` searched by FAISS.

    Attributes:
        device: ``cpu`` or ``gpu``: where flat and IVF are searched.
    """

    def __init__(self, dimension: int, options: IndexOptions) -> None:
        if options.threads < 1:
            raise IndexSettingError(f"KYOMEI_THREADS: expected at least 1, got {options.threads}")
        self.device = choose_device(options.device)
        self._store = RowStore(dimension)
        self._state = empty_state(dimension)
        self._builder = Builder(dimension, options, on_gpu=self.device == "gpu")
        self._scanners = _scanners(dimension, options.threads, on_gpu=self.device == "gpu")
        self._lock = threading.RLock()
        self._building: threading.Thread | None = None
        self._touched: list[Int64Array] | None = None  # since a building began
        self._stopping = False
        self._failed_at = 0  # number of rows at which building failed

    @property
    def dimension(self) -> int:
        """K of the stored vectors."""
        return self._store.dimension

    @property
    def base_path(self) -> Path | None:
        """The file that the big part is mapped from; None when it lies in main memory."""
        return self._state.base.path

    @property
    def n_changed(self) -> int:
        """Rows by which the index differs from its big part."""
        return self._state.n_changed

    def __len__(self) -> int:
        """Number of stored vectors."""
        return len(self._state)

    def ids(self) -> Int64Array:
        """Stored ids, ascending, shape (N,)."""
        return self._state.ids()

    def add(self, ids: Int64Array, vectors: Float32Array) -> None:
        """Store vectors (N, K) under ids (N,) >= 0; an id that is there already is replaced."""
        ids = np.asarray(to_host(ids))
        with self._lock:
            self._store.add(ids, to_host(vectors))
            self._publish(ids.astype(np.int64))
            if isinstance(self._scanners.recent, GpuScanner) and on_device(vectors) is not None:
                self._scanners.recent.bring(self._state.recent, ids, on_device(vectors))
            self._maintain()

    def remove(self, ids: Int64Array) -> int:
        """Forget ids (unknown ones are ignored) and return how many were removed."""
        ids = check_ids(ids)
        with self._lock:
            n_before = len(self._state)
            self._store.remove(ids)
            self._publish(ids)
            self._maintain()
            return n_before - len(self._state)

    def search(self, queries: Float32Array, k: int, *, allowed: Int64Array | None = None) -> Hits:
        """Return the k best of the stored (or allowed) items for queries (B, K).

        A torch tensor on the GPU goes to a GPU index as it is.
        """
        asked = Queries.checked(queries, k, self.dimension)
        if allowed is not None:
            allowed = check_ids(allowed)
        return self._state.search(self._scanners, asked, k, allowed)

    def save(self, path: Path) -> None:
        """Write everything to one file, atomically, and read the big part from there."""
        with self._lock:
            self._adopt(write_state(path, self._state))

    def save_changes(self, path: Path) -> None:
        """Write what the index has more or less than its big part."""
        with self._lock:
            write_changes(path, self._state)

    def load(self, path: Path, changes: Path | None = None) -> None:
        """Take the place of an empty index: what ``save``, then ``save_changes`` wrote.

        Raises:
            ArtefactError: When a file is missing, damaged, no index, or of another dimension, or
                when its approximate structure does not find what it should.
        """
        with self._lock:
            self._adopt(loaded_state(path, changes, self.dimension, self._builder))
            self._maintain()

    def settle(self) -> None:
        """Wait until everything that should be built is built; for batch jobs and tests."""
        while True:
            with self._lock:
                self._maintain()
                thread = self._building
            if thread is None:
                return
            thread.join()

    def close(self) -> None:
        """Stop what is being built; the index can be searched all the same."""
        with self._lock:
            self._stopping = True
            thread = self._building
        if thread is not None:
            thread.join()

    def describe(self) -> dict[str, Any]:
        """Say what answers at this moment, and how well."""
        state, learned = self._state, self._state.base.learned
        on_gpu = self.device == "gpu" and state.base.kind != "hnsw"
        return {
            "type": state.base.kind,
            "device": "gpu" if on_gpu else "cpu",
            "vectors": len(state),
            "recent": len(state.recent),
            "deleted": state.n_dead,
            "recall": 1.0 if learned is None else learned.measured.recall,
            "effort": None if learned is None else learned.effort.width,
            "building": self._building is not None,
        }

    def _publish(self, changed: Int64Array) -> None:
        """Make the next state: the store as it is now, the changed ids dead in the base."""
        if self._touched is not None:
            self._touched.append(changed)
        living = self._state.without(sorted_ids(np.sort(changed)))
        self._state = State(self._state.base, living, self._store.rows())

    def _adopt(self, state: State) -> None:
        """Go on from a state that holds the same items upon another base."""
        self._store = RowStore(self.dimension)
        self._store.add(state.recent.ids, state.recent.vectors)
        self._state = State(state.base, state.living, self._store.rows())

    def _maintain(self) -> None:
        """Start building when it is due; called with the lock held."""
        if self._building is not None or self._stopping or len(self._state) < self._failed_at:
            return
        if not self._builder.is_due(self._state):
            return
        self._touched = []
        self._building = threading.Thread(
            target=self._build, args=(self._state,), name="kyomei-index", daemon=True
        )
        self._building.start()

    def _build(self, state: State) -> None:
        """Build a base from a state and put what is there by then upon it."""
        try:
            base, valid = self._builder.build(state, lambda: self._stopping)
            self._swap(base, valid)
        except BuildStopped:
            _LOG.info("building the index was stopped; it begins again at the next start")
        except Exception:  # noqa: BLE001 - nobody stands above a thread to raise to
            self._failed_at = 2 * len(state)
            _LOG.exception("building the index failed, what was there goes on")
        finally:
            with self._lock:
                self._building, self._touched = None, None

    def _swap(self, base: Base, valid: Any) -> None:
        with self._lock:
            touched = sorted_ids(np.sort(np.concatenate([*(self._touched or []), _NONE])))
            self._state, self._store = on_base(base, valid, self._state, touched)


_NONE = np.empty(0, np.int64)


def _scanners(dimension: int, threads: int, *, on_gpu: bool) -> Scanners:
    cpu = CpuScanner(threads)
    if not on_gpu:
        return Scanners(cpu, cpu, cpu)
    return Scanners(cpu, GpuScanner(dimension, cpu), GpuScanner(dimension, cpu))
