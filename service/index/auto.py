"""Which type of index fits: from the number of rows, the memory and what is to be found."""

import os

from service.index.ann import STRUCTURES, Hnsw, n_parts
from service.index.options import IndexOptions

# Up to here an exact scan takes a few milliseconds on one core: 100,000 rows of 128 dimensions.
FLAT_VALUES = 12_800_000
# Below this an approximate index of any type would be no faster than a scan.
FEWEST_ROWS = 2048
_BYTES_OF_FLOAT = 4
_BYTES_OF_ID = 8


def choose(n_rows: int, dimension: int, options: IndexOptions, *, on_gpu: bool) -> str:
    """Return the type of index for some rows: ``flat`` or a key of ``STRUCTURES``.

    A backend that names a type gets it, as soon as there are ``FEWEST_ROWS``. ``auto`` takes the
    exact scan up to ``FLAT_VALUES`` values (on a GPU: as long as the vectors fit the memory), then
    ivf-sq8, or ivf-pq where that does not fit the memory. hnsw answers as fast, but takes six times
    the memory and many times as long to build; its turn comes when ivf-sq8 finds too little.
    """
    if n_rows < FEWEST_ROWS or options.backend == "flat":
        return "flat"
    if options.backend in STRUCTURES:
        return options.backend
    budget = options.memory_bytes or machine_memory() // 2
    if n_rows * dimension <= FLAT_VALUES:
        return "flat"
    if on_gpu and memory_bytes("flat", n_rows, dimension) <= budget:
        return "flat"
    fits = memory_bytes("ivf-sq8", n_rows, dimension) <= budget
    return "ivf-sq8" if fits else "ivf-pq"


def next_more_exact(kind: str) -> str:
    """Return the type to try when one does not find enough of the true nearest."""
    return {"ivf-pq": "ivf-sq8", "ivf-sq8": "hnsw"}.get(kind, "flat")


def memory_bytes(kind: str, n_rows: int, dimension: int) -> int:
    """Main memory that the search of an index touches; rows that stay on the disk do not count."""
    per_row = {
        "flat": _BYTES_OF_FLOAT * dimension,
        "hnsw": _BYTES_OF_FLOAT * dimension + Hnsw.bytes_beside_a_row,
        "ivf-sq8": dimension + _BYTES_OF_ID,
        "ivf-pq": n_parts(dimension) + _BYTES_OF_ID,
    }[kind]
    return n_rows * (per_row + _BYTES_OF_ID)


def machine_memory() -> int:
    """Main memory of this machine in bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
