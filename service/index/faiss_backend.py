"""FAISS, flat inner product, on the CPU or a GPU: the only module that imports it.

FAISS finds candidates in float32; its scores depend on the batch, the processor and the thread
count, and it breaks ties by chance. So a few more candidates than k are fetched, scored again by
``exact_scores`` and ordered by it, and more are fetched until rounding cannot have hidden a better
one. The answer is that of ``NumpyIndex``, bit by bit.
"""

import logging
import threading
from pathlib import Path
from typing import Protocol

import faiss
import numpy as np

from models.types import Float32Array, Int64Array
from service.index.errors import IndexSettingError
from service.index.protocol import NO_ID, Hits
from service.index.rows import Rows, RowStore, save_rows
from service.index.scoring import certain_best, check_search, exact_search, no_hits, put

_LOG = logging.getLogger(__name__)
_SPARE_CANDIDATES = 16
_GROWTH = 4
_GPU_MOST_CANDIDATES = 2048  # the largest k that FAISS selects on a GPU
_SINGLE_ROUNDING = 2.0**-24
# Ten bits of mantissa, in case the GPU multiplies in TF32; its accumulation stays in float32.
_GPU_ROUNDING = 2.0**-10


class _Scanner(Protocol):
    """Candidates by float32 inner product."""

    most_candidates: int

    def score_error(self, dimension: int) -> float:
        """Bound on the error of a score of two unit vectors (K,)."""
        ...

    def top(self, rows: Rows, queries: Float32Array, n: int) -> tuple[Float32Array, Int64Array]:
        """Scores and positions in ``rows`` of about the n best, both (B, n), best first."""
        ...


class _CpuScanner:
    """Reads the rows where they lie: no second copy, and no state that threads could share."""

    most_candidates = np.iinfo(np.int64).max

    def __init__(self, threads: int) -> None:
        self._threads = threads

    def score_error(self, dimension: int) -> float:
        return (dimension + 2) * _SINGLE_ROUNDING

    def top(self, rows: Rows, queries: Float32Array, n: int) -> tuple[Float32Array, Int64Array]:
        # The OpenMP setting belongs to the calling thread: elsewhere set, it has no effect here.
        faiss.omp_set_num_threads(self._threads)
        return faiss.knn(queries, rows.vectors, n, metric=faiss.METRIC_INNER_PRODUCT)


class _GpuScanner:
    """Keeps the rows on the GPU. One caller at a time: a FAISS GPU index allows no more."""

    most_candidates = _GPU_MOST_CANDIDATES

    def __init__(self, dimension: int) -> None:
        self._lock = threading.Lock()
        self._resources = faiss.StandardGpuResources()
        self._index = faiss.GpuIndexFlatIP(self._resources, dimension)
        self._generation = 0

    def score_error(self, dimension: int) -> float:
        return 2 * _GPU_ROUNDING + (dimension + 2) * _SINGLE_ROUNDING

    def top(self, rows: Rows, queries: Float32Array, n: int) -> tuple[Float32Array, Int64Array]:
        with self._lock:
            self._bring(rows)
            return self._index.search(queries, n)

    def _bring(self, rows: Rows) -> None:
        """Copy what is missing; start again after a removal, which the GPU index cannot do."""
        if rows.generation != self._generation or self._index.ntotal > len(rows):
            self._index.reset()
            self._generation = rows.generation
        if self._index.ntotal < len(rows):
            self._index.add(rows.vectors[self._index.ntotal :])


class FaissIndex:
    """A ``VectorIndex`` searched by FAISS; the vectors stay in main memory as well."""

    def __init__(self, dimension: int, *, device: str = "auto", threads: int = 1) -> None:
        if threads < 1:
            raise IndexSettingError(f"KYOMEI_THREADS: expected at least 1, got {threads}")
        self._store = RowStore(dimension)
        self._lock = threading.Lock()
        self.device = _device(device)
        self._cpu = _CpuScanner(threads)
        self._scanner: _Scanner = _GpuScanner(dimension) if self.device == "gpu" else self._cpu

    @property
    def dimension(self) -> int:
        """K of the stored vectors."""
        return self._store.dimension

    def __len__(self) -> int:
        """Number of stored vectors."""
        return len(self._rows())

    def ids(self) -> Int64Array:
        """Stored ids, ascending, shape (N,)."""
        return self._rows().ids.copy()

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
        rows = self._rows()
        if allowed is None:
            return self._search(self._scanner, rows, queries, k)
        # The allowed rows are scanned on the CPU; a GPU index ignores a FAISS selector, silently.
        return self._search(self._cpu, rows.allowed(allowed), queries, k)

    def save(self, path: Path) -> None:
        """Write the index to one safetensors file, atomically."""
        save_rows(path, self._rows())

    def _rows(self) -> Rows:
        with self._lock:
            return self._store.rows()

    def _search(self, scanner: _Scanner, rows: Rows, queries: Float32Array, k: int) -> Hits:
        hits = no_hits(len(queries), k)
        error = scanner.score_error(self.dimension) * rows.largest_norm
        waiting = np.arange(len(queries))
        n = k + _SPARE_CANDIDATES
        while len(waiting) and n <= scanner.most_candidates and 2 * n <= len(rows):
            scores, positions = scanner.top(rows, queries[waiting], n)
            for i, number in enumerate(waiting.tolist()):
                found = certain_best(rows, queries[number], k, (positions[i], scores[i], error))
                if found is not None:
                    put(hits, number, found)
                    waiting[i] = NO_ID
            waiting = waiting[waiting != NO_ID]
            n *= _GROWTH
        rest = exact_search(rows, queries[waiting], k)
        hits.ids[waiting], hits.scores[waiting] = rest.ids, rest.scores
        return hits


def _device(device: str) -> str:
    """Return ``cpu`` or ``gpu`` for a setting of ``auto``, ``cpu`` or ``gpu``."""
    if device not in ("auto", "cpu", "gpu"):
        raise IndexSettingError(f"KYOMEI_INDEX_DEVICE: expected auto, cpu or gpu, got {device!r}")
    # faiss-cpu has get_num_gpus (always 0) but none of the GPU classes.
    n_gpus = faiss.get_num_gpus() if hasattr(faiss, "GpuIndexFlatIP") else 0
    if device == "gpu" and n_gpus == 0:
        raise IndexSettingError(
            "KYOMEI_INDEX_DEVICE=gpu, but FAISS sees no GPU: install kyomei[gpu] instead of "
            "kyomei[cpu] on a machine with a CUDA device, or set it to auto or cpu"
        )
    chosen = "gpu" if n_gpus and device != "cpu" else "cpu"
    _LOG.debug("FAISS on %s (setting %s, %d GPUs)", chosen, device, n_gpus)
    return chosen
