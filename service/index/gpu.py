"""FAISS on a GPU: flat and IVF. One caller at a time, no selectors, and a way back to the CPU.

A classic FAISS GPU index can neither delete nor filter (it ignores a selector, silently) and is
not safe even for two readers. So a lock stands before each, deleted and filtered rows are dropped
from what it finds, and when the GPU's memory runs out the CPU takes over, with a warning.
"""

import logging
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import faiss
import numpy as np

from models.types import Float32Array, Int64Array
from service.index.ann import Structure
from service.index.eligible import Eligible
from service.index.errors import IndexSettingError
from service.index.exact import CpuScanner, single_rounding_error
from service.index.queries import Queries
from service.index.rows import Rows

_LOG = logging.getLogger(__name__)
_MOST_CANDIDATES = 2048  # the largest k that FAISS selects on a GPU
# Ten bits of mantissa, in case the GPU multiplies in TF32; its accumulation stays in float32.
_GPU_ROUNDING = 2.0**-10
_Answer = TypeVar("_Answer")


def choose_device(device: str) -> str:
    """Return ``cpu`` or ``gpu`` for a setting of ``auto``, ``cpu`` or ``gpu``.

    Raises:
        IndexSettingError: On another setting, or a GPU that FAISS does not see.
    """
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


class _Device:
    """One GPU index, its lock, and whether the GPU had to be given up."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.is_lost = False

    def run(self, on_gpu: Callable[[], _Answer], on_cpu: Callable[[], _Answer]) -> _Answer:
        """Ask the GPU; when its memory runs out, ask the CPU from now on."""
        with self.lock:
            if not self.is_lost:
                try:
                    return on_gpu()
                except (RuntimeError, MemoryError) as error:
                    if "memory" not in f"{type(error).__name__} {error}".lower():
                        raise
                    self.is_lost = True
                    _LOG.warning(
                        "the GPU has no memory left for an index, the CPU goes on: %s", error
                    )
        return on_cpu()


def _ask(index: Any, queries: Queries, n: int) -> tuple[Float32Array, Int64Array]:
    """Search a GPU index; a tensor on the GPU goes in as it is, the answer comes to the host."""
    if queries.device is None:
        return index.search(queries.host, n)
    # Teaches every FAISS index to take tensors; imported only when somebody has one.
    import faiss.contrib.torch_utils  # noqa: F401

    scores, positions = index.search(queries.device, n)
    return scores.cpu().numpy(), positions.cpu().numpy()


class GpuScanner:
    """A ``Scanner`` that keeps the rows on the GPU."""

    def __init__(self, dimension: int, cpu: CpuScanner) -> None:
        self._cpu = cpu
        self._device = _Device()
        self._index: Any = None
        self._dimension = dimension
        self._resources: Any = None
        self._key: object = None

    @property
    def most_candidates(self) -> int:
        """The most that one call may ask for."""
        return self._cpu.most_candidates if self._device.is_lost else _MOST_CANDIDATES

    def score_error(self, dimension: int) -> float:
        """Bound for TF32 products."""
        return 2 * _GPU_ROUNDING + single_rounding_error(dimension)

    def top(self, rows: Rows, queries: Queries, n: int) -> tuple[Float32Array, Int64Array]:
        """Scan all rows, after those that the GPU does not have yet were brought there."""

        def on_gpu() -> tuple[Float32Array, Int64Array]:
            self._bring(rows)
            return _ask(self._index, queries, n)

        return self._device.run(on_gpu, lambda: self._cpu.top(rows, queries, n))

    def bring(self, rows: Rows, ids: Int64Array, tail: Any) -> None:
        """Take over rows whose last ones, if they are these, are at hand as a tensor on the GPU."""
        if not np.array_equal(rows.ids[len(rows) - len(ids) :], ids):
            return

        def on_gpu() -> None:
            n_before = len(rows) - len(tail)
            self._bring(Rows(rows.ids[:n_before], rows.vectors[:n_before], rows.generation, 0.0))
            import faiss.contrib.torch_utils  # noqa: F401

            self._index.add(tail)

        self._device.run(on_gpu, lambda: None)

    def _bring(self, rows: Rows) -> None:
        """Copy what is missing; start again after a removal, which the GPU index cannot do."""
        if self._index is None:
            self._resources = faiss.StandardGpuResources()
            self._index = faiss.GpuIndexFlatIP(self._resources, self._dimension)
        if rows.generation != self._key or self._index.ntotal > len(rows):
            self._index.reset()
            self._key = rows.generation
        if self._index.ntotal < len(rows):
            self._index.add(rows.vectors[self._index.ntotal :])


class GpuIvf:
    """A copy of an IVF structure on the GPU; the structure itself is asked when the GPU is full."""

    scores_are_exact = False
    fewest_share = 0.05  # more would have to be fetched than a GPU selects

    def __init__(self, structure: Structure) -> None:
        self._structure = structure
        self._device = _Device()
        self._resources: Any = None
        self._copy: Any = None

    def widened(self, width: int, share: float) -> int:
        """Return the effort of the structure itself."""
        return self._structure.widened(width, share)

    def search(
        self, queries: Queries, n: int, width: int, eligible: Eligible
    ) -> tuple[Float32Array, Int64Array]:
        """Ask for more than n and drop the rows that may not answer."""

        def on_gpu() -> tuple[Float32Array, Int64Array]:
            if self._copy is None:
                self._resources = faiss.StandardGpuResources()
                self._copy = faiss.index_cpu_to_gpu(self._resources, 0, self._structure.index)
            wanted = min(_MOST_CANDIDATES, int(np.ceil(n / eligible.share)))
            # Set, not passed: a search of tensors takes no parameters. One caller at a time.
            self._copy.nprobe = min(width, _MOST_CANDIDATES)
            scores, positions = _ask(self._copy, queries, wanted)
            return scores, eligible.without_others(positions)

        return self._device.run(on_gpu, lambda: self._structure.search(queries, n, width, eligible))
