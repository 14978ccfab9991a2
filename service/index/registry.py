"""Which indexes there are, and how one is opened or loaded."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from models.errors import ArtefactError
from service.index.errors import IndexSettingError
from service.index.numpy_backend import NumpyIndex
from service.index.options import DEFAULT_RECALL, IndexOptions
from service.index.protocol import MaintainedIndex, VectorIndex
from service.index.snapshot_file import file_dimension, read_rows

if TYPE_CHECKING:
    from service.index.milvus_backend import MilvusIndex


class IndexFactory(Protocol):
    """Opens an empty index."""

    def __call__(self, dimension: int, options: IndexOptions) -> VectorIndex:
        """Return an empty index of vectors (K,)."""
        ...


def _numpy(dimension: int, options: IndexOptions) -> VectorIndex:
    del options
    return NumpyIndex(dimension)


def _faiss(dimension: int, options: IndexOptions) -> VectorIndex:
    # Imported here: the NumPy index must work where no FAISS is installed.
    from service.index.faiss_backend import FaissIndex

    return FaissIndex(dimension, options)


def _milvus(dimension: int, options: IndexOptions) -> VectorIndex:
    """Open an index of its own, without a name; ``SharedIndexes`` opens those that others share."""
    return open_milvus(dimension, options)


def open_milvus(dimension: int, options: IndexOptions, name: str | None = None) -> "MilvusIndex":
    """Open a collection of Milvus; see ``MilvusIndex``.

    Raises:
        IndexSettingError: Without an address or the client, or when Milvus cannot be reached.
    """
    if options.milvus is None:
        raise IndexSettingError(
            "KYOMEI_MILVUS_URI: expected http://HOST:19530 or a path ending in .db, got nothing"
        )
    try:
        from service.index.milvus_backend import MilvusIndex
    except ModuleNotFoundError as error:
        raise IndexSettingError(
            f"KYOMEI_INDEX_BACKEND=milvus needs the client: pip install 'kyomei[milvus]' ({error})"
        ) from error
    return MilvusIndex(dimension, options.milvus, name)


BACKENDS: dict[str, IndexFactory] = {
    "auto": _faiss,
    "flat": _faiss,
    "hnsw": _faiss,
    "ivf-sq8": _faiss,
    "ivf-pq": _faiss,
    "numpy": _numpy,
    "milvus": _milvus,
}
_OLD_NAMES = {"faiss": "auto"}


def open_index(
    backend: str,
    dimension: int,
    *,
    device: str = "auto",
    threads: int = 1,
    recall: float = DEFAULT_RECALL,
    memory_bytes: int | None = None,
) -> VectorIndex:
    """Open an empty index.

    Args:
        backend: Key in ``BACKENDS``: ``auto`` chooses a FAISS type, the others are one.
        dimension: K of its vectors, >= 1.
        device: ``auto`` (the GPU when there is one), ``cpu`` or ``gpu``; ``numpy`` ignores it.
        threads: CPU threads that one search may use, >= 1; ``numpy`` ignores it.
        recall: Share of the true nearest that an approximate type must find.
        memory_bytes: Main memory that the index may fill; None: half of this machine's.

    Raises:
        IndexSettingError: On an unknown backend or device, a GPU that is not there, threads < 1.
    """
    return empty_index(dimension, IndexOptions(backend, device, threads, recall, memory_bytes))


def empty_index(dimension: int, options: IndexOptions) -> VectorIndex:
    """Open an empty index; see ``open_index``."""
    name = _OLD_NAMES.get(options.backend, options.backend)
    factory = BACKENDS.get(name)
    if factory is None:
        raise IndexSettingError(
            f"KYOMEI_INDEX_BACKEND: expected one of {', '.join(BACKENDS)}, got {options.backend!r}"
        )
    return factory(dimension, replace(options, backend=name))


def load_index(
    path: Path, options: IndexOptions, *, dimension: int | None = None, changes: Path | None = None
) -> VectorIndex:
    """Load an index that any backend saved.

    Args:
        path: What ``save`` wrote.
        options: As in ``open_index``.
        dimension: Expected K; None takes what the file has.
        changes: What ``save_changes`` wrote later.

    Raises:
        ArtefactError: When a file is missing, damaged, no index, or of another dimension, or when
            an approximate index does not find what it should.
        IndexSettingError: As in ``open_index``.
    """
    width = file_dimension(path)
    if dimension is not None and width != dimension:
        raise ArtefactError(f"{path}: expected vectors of {dimension} dimensions, got {width}")
    index = empty_index(width, options)
    if isinstance(index, MaintainedIndex):
        index.load(path, changes)
    else:
        index.add(*read_rows(path, changes))
    return index
