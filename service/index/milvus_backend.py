"""Milvus, on another machine or as Milvus Lite in a file: the only module that imports it.

Milvus finds candidates; their vectors come along and are scored again by ``exact_scores``, so that
scores and the order of ties are those of every other index. With a FLAT index more candidates are
fetched until rounding cannot have hidden a better one, and the answer is that of ``NumpyIndex``.
The other types are approximate: what Milvus does not find cannot be scored.
"""

import logging
import threading
import uuid
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from pymilvus import DataType, MilvusClient, MilvusException

from models.types import Float32Array, Int64Array
from service.index.errors import IndexSettingError, IndexUnreachableError
from service.index.options import MilvusAddress
from service.index.protocol import Hits
from service.index.queries import Queries
from service.index.rows import Rows, RowStore, check_ids, new_generation
from service.index.scoring import (
    are_certain,
    check_search,
    exact_search,
    merged,
    no_hits,
)
from service.index.snapshot_file import write_rows

# What Milvus reports comes as an exception as well.
logging.getLogger("pymilvus").setLevel(logging.CRITICAL)

_SPARE_CANDIDATES = 16
_GROWTH = 4
_MOST_CANDIDATES = 16_384  # the largest limit of a search and of a page of a query
_CANDIDATES_PER_CALL = 1 << 17
_ROWS_PER_CALL = 5_000
_SINGLE_ROUNDING = 2.0**-24
_CONNECT_SECONDS = 10.0


class MilvusIndex:
    """A ``VectorIndex`` in a collection of Milvus; any number of processes may share one.

    Args:
        dimension: K of the vectors.
        address: Which Milvus.
        name: Of the collection there, made if it is not there yet; None for one of our own that
            goes when this object goes.

    Raises:
        IndexSettingError: When Milvus cannot be reached, or refuses the token or index type.
    """

    def __init__(self, dimension: int, address: MilvusAddress, name: str | None = None) -> None:
        self.dimension = RowStore(dimension).dimension
        self.name = name or f"kyomei_{uuid.uuid4().hex}"
        self._is_exact = address.index_type == "FLAT"
        self._client = _connected(address)
        self._largest_norm = 1.0  # of the vectors that others added: they are unit rows
        with _reported(f"collection {self.name}", IndexSettingError):
            if not self._client.has_collection(self.name):
                _make(self._client, self.name, dimension, address)
            self._client.load_collection(self.name)
        if name is None:
            weakref.finalize(self, _drop, self._client, self.name)

    def __len__(self) -> int:
        """Number of stored vectors."""
        return int(self._query("", ["count(*)"])[0]["count(*)"])

    def ids(self) -> Int64Array:
        """Stored ids, ascending, shape (N,)."""
        pages = [[row["id"] for row in page] for page in self._pages(["id"])]
        return np.sort(np.array([number for page in pages for number in page], np.int64))

    def add(self, ids: Int64Array, vectors: Float32Array) -> None:
        """Store vectors (N, K) under ids (N,) >= 0; an id that is there already is replaced."""
        checked = RowStore(self.dimension)
        checked.add(ids, vectors)
        rows = checked.rows()
        self._largest_norm = max(self._largest_norm, rows.largest_norm)
        for start in range(0, len(rows), _ROWS_PER_CALL):
            part = slice(start, start + _ROWS_PER_CALL)
            pairs = zip(rows.ids[part].tolist(), rows.vectors[part], strict=True)
            with _reported("adding vectors"):
                self._client.upsert(self.name, [{"id": n, "vector": row} for n, row in pairs])

    def remove(self, ids: Int64Array) -> int:
        """Forget ids (unknown ones are ignored) and return how many were removed."""
        removed = 0
        for part in _parts(check_ids(ids)):
            there = [row["id"] for row in self._query(_among(part), ["id"])]
            if there:
                with _reported("removing vectors"):
                    self._client.delete(self.name, ids=there)
            removed += len(there)
        return removed

    def search(self, queries: Float32Array, k: int, *, allowed: Int64Array | None = None) -> Hits:
        """Return the k best of the stored (or allowed) items for queries (B, K)."""
        queries = check_search(queries, k, self.dimension)
        if allowed is None:
            return self._search(queries, k, "")
        hits = no_hits(len(queries), k)
        for part in _parts(check_ids(allowed)):
            hits = merged(hits, self._search_among(queries, k, part))
        return hits

    def save(self, path: Path) -> None:
        """Write the vectors to one safetensors file, atomically."""
        store = RowStore(self.dimension)
        for page in self._pages(["id", "vector"]):
            rows = self._rows(page)
            store.add(rows.ids, rows.vectors)
        write_rows(path, store.rows().ids, store.rows().vectors)

    def drop(self) -> None:
        """Remove the collection from Milvus; the index is of no use afterwards."""
        with _reported(f"removing collection {self.name}"):
            self._client.drop_collection(self.name)

    def _search_among(self, queries: Float32Array, k: int, part: Int64Array) -> Hits:
        """Search some ids; where an approximate index loses some of them, score them all."""
        hits = self._search(queries, k, _among(part))
        if self._is_exact or (hits.ids[:, : min(k, len(part))] >= 0).all():
            return hits
        return exact_search(self._rows(self._query(_among(part), ["id", "vector"])), queries, k)

    def _search(self, queries: Float32Array, k: int, condition: str) -> Hits:
        hits = no_hits(len(queries), k)
        waiting, n = list(range(len(queries))), k + _SPARE_CANDIDATES
        while waiting:
            n = min(n, _MOST_CANDIDATES)
            found = self._candidates(queries[waiting], n, condition)
            uncertain = []
            for number, candidates in zip(waiting, found, strict=True):
                answer = self._best(queries[number : number + 1], k, n, candidates)
                if answer is None:
                    uncertain.append(number)
                else:
                    hits.ids[number], hits.scores[number] = answer.ids[0], answer.scores[0]
            waiting, n = uncertain, n * _GROWTH
        return hits

    def _best(self, query: Float32Array, k: int, n: int, candidates: Sequence[Any]) -> Hits | None:
        """Score candidates anew for a query (1, K); None when one left out might be better."""
        rows = self._rows([hit["entity"] | {"id": hit["id"]} for hit in candidates])
        hits = exact_search(rows, query, k)
        if len(rows) < n or n == _MOST_CANDIDATES or not self._is_exact:
            return hits
        last_score = np.array([candidates[-1]["distance"]], np.float32)
        error = (self.dimension + 2) * _SINGLE_ROUNDING * self._largest_norm
        return hits if are_certain(hits, Queries(query), last_score, error)[0] else None

    def _candidates(self, queries: Float32Array, n: int, condition: str) -> Iterator[Sequence[Any]]:
        """The n nearest by Milvus's own scores, with their vectors, for each query (B, K)."""
        step = max(1, _CANDIDATES_PER_CALL // n)
        for start in range(0, len(queries), step):
            with _reported("searching"):
                yield from self._client.search(
                    self.name,
                    data=list(queries[start : start + step]),
                    filter=condition,
                    limit=n,
                    output_fields=["vector"],
                    consistency_level="Strong",
                )

    def _rows(self, found: Sequence[Any]) -> Rows:
        ids = np.array([row["id"] for row in found], np.int64)
        vectors = np.array([row["vector"] for row in found], np.float32)
        return Rows(ids, vectors.reshape(-1, self.dimension), new_generation(), self._largest_norm)

    def _query(self, condition: str, fields: list[str]) -> Sequence[Any]:
        with _reported("reading vectors"):
            return list(
                self._client.query(
                    self.name, filter=condition, output_fields=fields, consistency_level="Strong"
                )
            )

    def _pages(self, fields: list[str]) -> Iterator[Sequence[Any]]:
        with _reported("reading vectors"):
            pages = self._client.query_iterator(
                self.name,
                batch_size=_ROWS_PER_CALL,
                output_fields=fields,
                consistency_level="Strong",
            )
            while page := pages.next():
                yield page
            pages.close()


_connecting = threading.Lock()


def _connected(address: MilvusAddress) -> MilvusClient:
    with _connecting, _reported(f"connecting to {address.uri}", IndexSettingError):
        return _client(address.uri, address.token)


@cache
def _client(uri: str, token: str) -> MilvusClient:
    """One connection of this process: it may be used by any thread."""
    return MilvusClient(uri, token=token, timeout=_CONNECT_SECONDS)


def _make(client: MilvusClient, name: str, dimension: int, address: MilvusAddress) -> None:
    schema = MilvusClient.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dimension)
    client.create_collection(name, schema=schema, consistency_level="Strong")
    index = MilvusClient.prepare_index_params()
    index.add_index("vector", index_type=address.index_type, metric_type="IP")
    client.create_index(name, index, sync=False)


def _drop(client: MilvusClient, name: str) -> None:
    try:
        client.drop_collection(name)
    except MilvusException:  # the server went first
        logging.getLogger(__name__).debug("collection %s was not dropped", name)


def _among(ids: Int64Array) -> str:
    return f"id in {ids.tolist()}"


def _parts(ids: Int64Array) -> list[Int64Array]:
    """Different ids >= 0, some thousands at a time."""
    ids = np.unique(ids[ids >= 0])
    return [ids[start : start + _ROWS_PER_CALL] for start in range(0, len(ids), _ROWS_PER_CALL)]


@contextmanager
def _reported(
    what: str, kind: type[IndexSettingError | IndexUnreachableError] = IndexUnreachableError
) -> Iterator[None]:
    """Say what Milvus refused, in one line and without the token."""
    try:
        yield
    except MilvusException as error:
        raise kind(f"Milvus (KYOMEI_MILVUS_URI), {what}: {error.message}") from error
