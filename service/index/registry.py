"""Which indexes there are, and how one is opened or loaded."""

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from service.index.errors import IndexSettingError
from service.index.numpy_backend import NumpyIndex
from service.index.options import IndexOptions
from service.index.protocol import VectorIndex
from service.index.rows import load_rows

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

    return FaissIndex(dimension, device=options.device, threads=options.threads)


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


BACKENDS: dict[str, IndexFactory] = {"numpy": _numpy, "faiss": _faiss, "milvus": _milvus}


def open_index(
    backend: str, dimension: int, *, device: str = "auto", threads: int = 1
) -> VectorIndex:
    """Open an empty index.

    Args:
        backend: Key in ``BACKENDS``.
        dimension: K of its vectors, >= 1.
        device: ``auto`` (the GPU when there is one), ``cpu`` or ``gpu``; ``numpy`` ignores it.
        threads: CPU threads that one search may use, >= 1; ``numpy`` ignores it.

    Raises:
        IndexSettingError: On an unknown backend or device, a GPU that is not there, threads < 1.
    """
    factory = BACKENDS.get(backend)
    if factory is None:
        raise IndexSettingError(
            f"KYOMEI_INDEX_BACKEND: expected one of {', '.join(BACKENDS)}, got {backend!r}"
        )
    return factory(dimension, IndexOptions(backend, device, threads))


def load_index(path: Path, *, backend: str, device: str = "auto", threads: int = 1) -> VectorIndex:
    """Load an index that any backend saved; the arguments are those of ``open_index``.

    Raises:
        ArtefactError: When the file is missing, damaged or no index.
        IndexSettingError: As in ``open_index``.
    """
    ids, vectors = load_rows(path)
    index = open_index(backend, vectors.shape[1], device=device, threads=threads)
    index.add(ids, vectors)
    return index
