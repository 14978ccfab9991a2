"""What an item costs: time and bytes in the catalog (SQLite, PostgreSQL) and in an index.

    python benchmarks/scaling.py [--items 20000] [--milvus URI]

Prints one JSON object per line. ``cpu_ms_...`` is the processor time of this process (Milvus Lite
runs in it, PostgreSQL does not), which other users of the machine hardly change.

``catalog``: random unit vectors of 64 dimensions with five metadata values each, 256 a transaction,
as ``kyomei index`` writes them: ``items_per_second``, ``bytes_per_item`` on the disk (tables and
their indexes), ``numbers_per_second`` (reading all item numbers of a modality). PostgreSQL: where
the package pgserver is installed; it runs with fsync, like SQLite here (``synchronous=FULL``).
``index``: the same vectors into an index, 5,000 at a time: ``vectors_per_second``,
``search_ms`` (median of 50 single queries, k = 10), ``batch_ms`` (the same 50 queries in one call,
for each query), ``filtered_ms`` (1 % of the items allowed), ``ids_per_second`` (reading all ids:
what a comparison with the catalog costs), ``recall`` against the NumPy oracle. ``milvus`` is Milvus
Lite in a passing folder, or the Milvus at URI.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import create_engine, text

from models.types import Float32Array, Modality
from service.catalog.catalog import Catalog
from service.catalog.database import sqlite_url
from service.catalog.records import Draft, Embedding, SpaceRef
from service.index.options import IndexOptions, MilvusAddress
from service.index.protocol import VectorIndex
from service.index.registry import empty_index

K, BATCH, PART, N_QUERIES = 64, 256, 5_000, 50
SPACE = SpaceRef("bench", "0" * 16, (Modality.AUDIO,), K)


def say(benchmark: str, **values: Any) -> None:
    """Print one line."""
    machine = {"cpus": os.cpu_count(), "machine": platform.machine()}
    sys.stdout.write(json.dumps({"benchmark": benchmark, **values, **machine}) + "\n")
    sys.stdout.flush()


def unit_rows(n_rows: int, seed: int) -> Float32Array:
    """Random unit rows (N, K)."""
    rows = np.random.default_rng(seed).standard_normal((n_rows, K)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def draft(number: int, vector: Float32Array) -> Draft:
    """An item as ``kyomei index`` makes one."""
    name = f"folder/class {number % 100}/{number}.wav"
    return Draft(
        id=f"{number:020x}",
        modality=Modality.AUDIO,
        sha256=f"{number:064x}",
        media_type="audio/wav",
        suffix=".wav",
        bytes=8_000,
        title=str(number),
        label=f"class {number % 100}",
        work_id=name,
        metadata={"path": name, "duration_seconds": 1.5, "year": number % 50, "a": "x", "b": True},
        embeddings=[(SPACE, Embedding(vector, 0.5))],
    )


def time_catalog(kind: str, url: str, vectors: Float32Array) -> None:
    """Fill a catalog and measure it."""
    catalog = Catalog(url)
    empty_bytes = stored_bytes(url)
    start, cpu = time.perf_counter(), time.process_time()
    for first in range(0, len(vectors), BATCH):
        catalog.insert(
            [draft(n, vectors[n]) for n in range(first, min(first + BATCH, len(vectors)))]
        )
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    start = time.perf_counter()
    n_read = len(catalog.embeddings.numbers(SPACE.name, Modality.AUDIO))
    reading = time.perf_counter() - start
    catalog.close()
    say(
        "catalog",
        database=kind,
        items=n_read,
        items_per_second=round(len(vectors) / seconds),
        cpu_ms_per_item=round(1000 * cpu / len(vectors), 3),
        numbers_per_second=round(n_read / reading),
        bytes_per_item=round((stored_bytes(url) - empty_bytes) / n_read),
    )


def stored_bytes(url: str) -> int:
    """Bytes of the tables and their indexes."""
    engine = create_engine(url)
    question = "SELECT pg_database_size(current_database())"
    if engine.dialect.name == "sqlite":
        question = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    with engine.connect() as connection:
        size = int(connection.execute(text(question)).scalar_one())
    engine.dispose()
    return size


def time_index(backend: str, options: IndexOptions, vectors: Float32Array) -> None:
    """Fill an index and measure it."""
    index, oracle = empty_index(K, options), empty_index(K, IndexOptions("numpy"))
    start, cpu = time.perf_counter(), time.process_time()
    for first in range(0, len(vectors), PART):
        part = vectors[first : first + PART]
        index.add(np.arange(first, first + len(part)), part)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    oracle.add(np.arange(len(vectors)), vectors)
    queries = unit_rows(N_QUERIES, 1)
    allowed = np.arange(0, len(vectors), 100)
    start = time.perf_counter()
    n_ids = len(index.ids())
    reading = time.perf_counter() - start
    say(
        "index",
        backend=backend,
        vectors=n_ids,
        vectors_per_second=round(len(vectors) / seconds),
        cpu_ms_per_vector=round(1000 * cpu / len(vectors), 3),
        ids_per_second=round(n_ids / reading),
        search_ms=median_ms(lambda row: index.search(queries[row : row + 1], 10)),
        filtered_ms=median_ms(
            lambda row: index.search(queries[row : row + 1], 10, allowed=allowed)
        ),
        batch_ms=round(median_ms(lambda _: index.search(queries, 10)) / N_QUERIES, 2),
        recall=recall(index, oracle, queries),
    )


def median_ms(job: Any) -> float:
    """Median time of a job that is called with 0 ... 49, after one call to warm up."""
    job(0)
    took = []
    for row in range(N_QUERIES):
        start = time.perf_counter()
        job(row)
        took.append(time.perf_counter() - start)
    return round(1000 * statistics.median(took), 2)


def recall(index: VectorIndex, oracle: VectorIndex, queries: Float32Array) -> float:
    """Share of the true ten nearest that an index finds."""
    pairs = zip(index.search(queries, 10).ids, oracle.search(queries, 10).ids, strict=True)
    return round(float(np.mean([np.isin(a, b).mean() for a, b in pairs])), 4)


@contextmanager
def postgresql() -> Iterator[str | None]:
    """URL of a passing PostgreSQL server, None where its binaries are not installed."""
    try:
        from tests.postgresql import running_postgresql
    except ModuleNotFoundError:
        yield None
        return
    with running_postgresql(fsync=True) as server:
        yield server.url()


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--items", type=int, default=20_000)
    parser.add_argument("--milvus", help="URI of a Milvus; Milvus Lite when left out.")
    options = parser.parse_args()
    vectors = unit_rows(options.items, 0)
    with tempfile.TemporaryDirectory() as folder:
        time_catalog("sqlite", sqlite_url(Path(folder) / "catalog.sqlite3"), vectors)
        with postgresql() as url:
            if url is not None:
                time_catalog("postgresql", url, vectors)
        for backend in ("flat", "milvus"):
            address = MilvusAddress(options.milvus or str(Path(folder) / "milvus.db"))
            time_index(backend, IndexOptions(backend, "cpu", milvus=address), vectors)


if __name__ == "__main__":
    main()
