"""The approximate FAISS structures: how each is built, stored, opened and asked.

A structure knows positions of rows and nothing else: no ids, no deletions. Once built it is never
changed, so that any number of threads may search it.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import faiss
import numpy as np
from numpy.typing import NDArray

from models.errors import ArtefactError
from models.types import Float32Array, Int64Array
from service.index.eligible import Eligible
from service.index.queries import Queries

Stop = Callable[[], bool]
_BLOCK_ROWS = 4096


class BuildStopped(Exception):  # noqa: N818 - no error: somebody asked for it
    """A build was told to stop."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard to look, the one thing that trades time for recall.

    Attributes:
        width: ``efSearch`` of HNSW, ``nprobe`` of IVF.
        depth: Candidates of which the exact scores are taken.
    """

    width: int
    depth: int


class Finder(Protocol):
    """Finds candidates: a structure on the CPU, or its copy on a GPU."""

    scores_are_exact: bool
    fewest_share: float  # a filter that keeps less is answered from the rows it keeps

    def widened(self, width: int, share: float) -> int:
        """Return the effort under a filter that keeps a share of the rows."""
        ...

    def search(
        self, queries: Queries, n: int, width: int, eligible: Eligible
    ) -> tuple[Float32Array, Int64Array]:
        """Scores and positions of eligible rows, both (B, >= n), best first; -1 for none."""
        ...


class Structure(ABC):
    """An approximate index over the rows of one table."""

    kind: ClassVar[str]
    efforts: ClassVar[tuple[Effort, ...]]  # cheapest first
    is_ivf: ClassVar[bool] = False
    scores_are_exact: bool = False  # but for the rounding of float32
    fewest_share: float = 0.05

    def __init__(self, index: Any, owner: object = None) -> None:
        self.index = index
        self._owner = owner  # memory that FAISS reads but does not own
        self._unfiltered: dict[int, Any] = {}  # parameters by width; FAISS only reads them

    @classmethod
    @abstractmethod
    def build(cls, vectors: Float32Array, stop: Stop) -> "Structure":
        """Build over vectors (N, K)."""

    @classmethod
    @abstractmethod
    def open(cls, data: NDArray[np.uint8], vectors: Float32Array) -> "Structure":
        """Open what ``data`` gave, over the same vectors, without copying either."""

    @abstractmethod
    def data(self) -> NDArray[np.uint8]:
        """Return the structure as bytes, without the vectors."""

    @abstractmethod
    def extended(self, vectors: Float32Array, stop: Stop) -> "Structure":
        """Return a new structure over vectors (M, K) that begin with those of this one."""

    def widened(self, width: int, share: float) -> int:
        """Return the effort under a filter that keeps a share of the rows."""
        return math.ceil(width / share)

    @abstractmethod
    def parameters(self, width: int, selector: Any) -> Any:
        """Return what FAISS calls the parameters of a search."""

    def search(
        self, queries: Queries, n: int, width: int, eligible: Eligible
    ) -> tuple[Float32Array, Int64Array]:
        """Scores and positions of eligible rows, both (B, n), best first; -1 for none."""
        if eligible.is_all:
            parameters = self._unfiltered.get(width)
            if parameters is None:
                parameters = self._unfiltered[width] = self.parameters(width, None)
        else:
            parameters = self.parameters(width, faiss.IDSelectorBitmap(eligible.bits))
        # Once somebody has imported faiss.contrib.torch_utils, `search` takes no parameters.
        search = getattr(self.index, "search_numpy", self.index.search)
        return search(queries.host, n, params=parameters)


class Hnsw(Structure):
    """A graph over the float32 rows: fastest, and 280 bytes a row beside them."""

    kind = "hnsw"
    efforts = tuple(Effort(width, width) for width in (64, 128, 256, 512, 1024))
    scores_are_exact = True
    links = 32
    # FAISS's own 40 leaves rows of tight clusters that no search reaches, at any efSearch.
    construction = 128
    bytes_beside_a_row = 280

    @classmethod
    def build(cls, vectors: Float32Array, stop: Stop) -> "Hnsw":
        """Build over vectors (N, K)."""
        index = faiss.IndexHNSWFlat(vectors.shape[1], cls.links, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction = cls.construction
        _add(index, vectors, stop)
        return cls._without_copy(index, vectors)

    @classmethod
    def open(cls, data: NDArray[np.uint8], vectors: Float32Array) -> "Hnsw":
        """Open the graph; FAISS reads the vectors where they lie."""
        index = _read(data, faiss.IO_FLAG_SKIP_STORAGE)
        storage = _flat_view(vectors)
        index.storage, index.own_fields = storage, False
        return cls(index, (data, vectors, storage))

    def data(self) -> NDArray[np.uint8]:
        """Return the graph."""
        return _written(self.index, faiss.IO_FLAG_SKIP_STORAGE)

    def extended(self, vectors: Float32Array, stop: Stop) -> "Hnsw":
        """Copy the graph and link the further rows into it."""
        n_old = self.index.ntotal
        index = _copied(self.data(), faiss.IO_FLAG_SKIP_STORAGE)
        storage = faiss.IndexFlatIP(vectors.shape[1])
        _add(storage, vectors[:n_old], stop)
        index.storage, index.own_fields = storage, False
        _add(index, vectors[n_old:], stop)
        return self._without_copy(index, vectors)

    def parameters(self, width: int, selector: Any) -> Any:
        """Return efSearch and selector."""
        return faiss.SearchParametersHNSW(efSearch=width, sel=selector)

    @classmethod
    def _without_copy(cls, index: Any, vectors: Float32Array) -> "Hnsw":
        """Let go of the copy of the vectors that FAISS needed while it added."""
        return cls.open(_written(index, faiss.IO_FLAG_SKIP_STORAGE), vectors)


class _Ivf(Structure):
    """Rows in short codes, in lists by their nearest centroid; exact scores come from the rows."""

    is_ivf = True
    # Rows that may not answer cost one bit each, so narrow filters pay here as well.
    fewest_share = 0.005
    efforts = (
        Effort(16, 128),
        Effort(32, 128),
        Effort(32, 256),
        Effort(64, 256),
        Effort(64, 512),
        Effort(128, 1024),
        Effort(256, 2048),
    )

    @classmethod
    @abstractmethod
    def coder(cls, dimension: int) -> str:
        """Return the code of a row in the language of ``faiss.index_factory``."""

    @classmethod
    def build(cls, vectors: Float32Array, stop: Stop) -> "_Ivf":
        """Find centroids and codes on a sample, then add vectors (N, K)."""
        n_rows, dimension = vectors.shape
        n_lists = max(1, min(round(4 * n_rows**0.5), n_rows // 39))
        description = f"IVF{n_lists},{cls.coder(dimension)}"
        index = faiss.index_factory(dimension, description, faiss.METRIC_INNER_PRODUCT)
        _quiet(index)
        index.train(_sample(vectors, max(64 * n_lists, 20_000)))
        if stop():
            raise BuildStopped
        _add(index, vectors, stop)
        return cls(index)

    @classmethod
    def open(cls, data: NDArray[np.uint8], vectors: Float32Array) -> "_Ivf":
        """Open centroids and codes where they lie."""
        del vectors
        return cls(_read(data, 0), data)

    def data(self) -> NDArray[np.uint8]:
        """Return centroids and codes."""
        return _written(self.index, 0)

    def extended(self, vectors: Float32Array, stop: Stop) -> "_Ivf":
        """Copy the lists and add the further rows to them; the centroids stay."""
        index = _copied(self.data(), 0)
        _add(index, vectors[index.ntotal :], stop)
        return type(self)(index)

    def widened(self, width: int, share: float) -> int:
        """Neighbours that pass lie farther off, but lists hold what is near to each other."""
        return math.ceil(width / math.sqrt(share))

    def parameters(self, width: int, selector: Any) -> Any:
        """Return nprobe and selector."""
        return faiss.SearchParametersIVF(nprobe=width, sel=selector)


class IvfSq8(_Ivf):
    """One byte for each of the K values of a row."""

    kind = "ivf-sq8"

    @classmethod
    def coder(cls, dimension: int) -> str:
        """Return scalar quantisation to 8 bits."""
        del dimension
        return "SQ8"


class IvfPq(_Ivf):
    """One byte for about four values of a row."""

    kind = "ivf-pq"

    @classmethod
    def coder(cls, dimension: int) -> str:
        """Return product quantisation, each of its parts of four values where K allows."""
        return f"PQ{n_parts(dimension)}x8np"  # np: without minutes of polysemous training


STRUCTURES: dict[str, type[Structure]] = {cls.kind: cls for cls in (Hnsw, IvfSq8, IvfPq)}


def n_parts(dimension: int) -> int:
    """Into how many equal parts product quantisation splits K values: at most K / 4, or K / 2."""
    for shortest in (4, 3, 2):
        for width in range(shortest, dimension + 1):
            if dimension % width == 0 and width <= 2 * shortest:
                return dimension // width
    return 1


def _add(index: Any, vectors: Float32Array, stop: Stop) -> None:
    for start in range(0, len(vectors), _BLOCK_ROWS):
        if stop():
            raise BuildStopped
        index.add(np.ascontiguousarray(vectors[start : start + _BLOCK_ROWS]))


def _sample(vectors: Float32Array, most: int) -> Float32Array:
    if len(vectors) <= most:
        return np.ascontiguousarray(vectors)
    chosen = np.random.default_rng(0).choice(len(vectors), most, replace=False)
    return vectors[np.sort(chosen)]


def _quiet(index: Any) -> None:
    """Train on few rows without a warning on stderr, and on many without losing minutes."""
    index.cp.min_points_per_centroid = 1
    index.cp.niter = 10
    if hasattr(index, "pq"):
        index.pq.cp.min_points_per_centroid = 1
        index.pq.cp.niter = 10


def _written(index: Any, flags: int) -> NDArray[np.uint8]:
    writer = faiss.VectorIOWriter()
    faiss.write_index(index, writer, flags)
    return faiss.vector_to_array(writer.data)


def _read(data: NDArray[np.uint8], flags: int) -> Any:
    """Open an index over bytes that must outlive it.

    Raises:
        ArtefactError: When they are damaged.
    """
    try:
        return faiss.read_index(faiss.ZeroCopyIOReader(faiss.swig_ptr(data), len(data)), flags)
    except RuntimeError as error:
        raise ArtefactError(f"FAISS cannot read this index: {error}") from error


def _copied(data: NDArray[np.uint8], flags: int) -> Any:
    reader = faiss.VectorIOReader()
    faiss.copy_array_to_vector(data, reader.data)
    return faiss.read_index(reader, flags)


def _flat_view(vectors: Float32Array) -> Any:
    """Return a flat index that reads vectors (N, K) where they lie; they must outlive it."""
    index = faiss.IndexFlatIP(vectors.shape[1])
    raw = vectors.reshape(-1).view(np.uint8)
    # FAISS gives no other way to a shared owner than an index that was opened without a copy.
    index.codes = faiss.MaybeOwnedVectorUInt8.create_view(
        faiss.swig_ptr(raw), vectors.nbytes, _LENDER.codes.owner
    )
    index.ntotal = len(vectors)
    return index


_LENDER_BYTES = _written(faiss.IndexFlatIP(1), 0)
_LENDER = _read(_LENDER_BYTES, 0)
