"""How many embeddings and items a second a collection takes.

    python benchmarks/catalog_writes.py --rows 100000 --runs 3

Prints one JSON object with the medians of the runs, and the machine:

- ``fsync_ms``: what this disk asks for one small file written and synced, one renamed with its
  folder synced, and one commit of SQLite in write-ahead mode; nothing durable is faster;
- ``replace_embeddings``: all embeddings of a space anew, catalog and index (``kyomei reindex``);
- ``catalog_and_index``: new items with one embedding, three facts and a label each, into the
  catalog and the index by transactions of 10,000, media left out;
- ``media``: staging and publishing 2,000 small media files, eight at a time;
- ``add_many``: the whole path of bulk ingestion, media too, by transactions of 256;
- ``single_adds``: one durable ``add`` after the other, from 1, 8 and 32 threads.
"""

import argparse
import json
import os
import platform
import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from models.types import Float32Array, Modality
from service.catalog.catalog import Catalog
from service.catalog.database import sqlite_url
from service.catalog.records import Draft, Embedding, SpaceRef
from service.collection import Collection, NewItem
from service.collection.media_files import MediaFiles, sync_folder
from service.index.registry import open_index

K = 128
SPACE = SpaceRef("space", "0123456789abcdef", (Modality.AUDIO,), K)


def unit_rows(count: int, seed: int = 0) -> Float32Array:
    """Random unit vectors, shape (count, K)."""
    rows = np.random.default_rng(seed).standard_normal((count, K), dtype=np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def drafts(vectors: Float32Array) -> Iterator[Draft]:
    """Items about to be stored, one for each vector."""
    for number, vector in enumerate(vectors):
        yield Draft(
            id=f"{number:020x}",
            modality=Modality.AUDIO,
            sha256=f"{number:064x}",
            media_type="audio/wav",
            suffix=".wav",
            bytes=100,
            title=f"sound {number}",
            label=f"class {number % 100}",
            work_id=f"work {number // 2}",
            metadata={"tempo": number % 200, "duration_seconds": 4.0, "made": "2020-05-17"},
            embeddings=[(SPACE, Embedding(vector, 1.0))],
        )


def new_items(vectors: Float32Array, first: int) -> list[NewItem]:
    """Items with small media of their own."""
    return [
        NewItem(
            modality=Modality.AUDIO,
            media=f"sound {number}".encode() * 200,
            media_type="audio/wav",
            suffix=".wav",
            title=f"sound {number}",
            embeddings={SPACE.name: Embedding(vector, 1.0)},
        )
        for number, vector in enumerate(vectors, first)
    ]


def per_second(count: int, work: Callable[[], Any]) -> float:
    """Things done in a second."""
    start = time.perf_counter()
    work()
    return count / (time.perf_counter() - start)


def catalog_and_index(folder: Path, vectors: Float32Array) -> float:
    """Items and their embeddings into the catalog and a flat index."""
    index = open_index("flat", K, device="cpu")
    waiting = list(drafts(vectors))

    def work() -> None:
        with closing(Catalog(sqlite_url(folder / "catalog.sqlite3"))) as catalog:
            for start in range(0, len(waiting), 10_000):
                items = catalog.insert(waiting[start : start + 10_000])
                numbers = np.array([item.number for item in items], np.int64)
                index.add(numbers, vectors[start : start + 10_000])

    return per_second(len(vectors), work)


def replace_embeddings(folder: Path, vectors: Float32Array) -> float:
    """All embeddings of the items that are there anew, through the collection."""
    with Collection(folder, [SPACE], backend="flat", device="cpu") as collection:
        numbers = range(1, len(vectors) + 1)
        rows = [
            (number, Embedding(vector, 1.0))
            for number, vector in zip(numbers, vectors[::-1], strict=True)
        ]
        return per_second(len(rows), lambda: collection.replace_embeddings(SPACE, rows))


def media(folder: Path, count: int) -> float:
    """Media files, copied, synced and renamed."""
    files = MediaFiles(folder)
    sources = [(Modality.AUDIO, f"file {n}".encode() * 200, ".wav") for n in range(count)]
    return per_second(count, lambda: files.publish(files.stage_all(sources)))


def add_many(collection: Collection, items: list[NewItem]) -> float:
    """The whole path, by transactions of 256."""

    def work() -> None:
        for start in range(0, len(items), 256):
            collection.add_many(items[start : start + 256])

    return per_second(len(items), work)


def single_adds(collection: Collection, items: list[NewItem], threads: int) -> float:
    """Durable adds of one item each."""
    with ThreadPoolExecutor(threads) as pool:
        return per_second(len(items), lambda: list(pool.map(collection.add, items)))


def fsync_costs(folder: Path) -> dict[str, float]:
    """Milliseconds of one wait for the disk, medians of 50."""
    folder.mkdir()
    database = sqlite3.connect(folder / "x.sqlite3", isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("CREATE TABLE x (y)")

    def write(number: int) -> None:
        with (folder / f"{number}.part").open("wb") as file:
            file.write(b"x" * 2000)
            file.flush()
            os.fsync(file.fileno())

    def rename(number: int) -> None:
        (folder / f"{number}.part").rename(folder / f"{number}.wav")
        sync_folder(folder)

    def commit(number: int) -> None:
        database.execute("INSERT INTO x VALUES (?)", (number,))

    costs = {}
    for name, work in (("file", write), ("rename", rename), ("commit", commit)):
        times = []
        for number in range(50):
            start = time.perf_counter()
            work(number)
            times.append(1000 * (time.perf_counter() - start))
        costs[name] = round(statistics.median(times), 2)
    database.close()
    return costs


def one_run(folder: Path, vectors: Float32Array, seed: int) -> dict[str, float]:
    """Everything once, each on a folder of its own."""
    rates = {}
    (folder / "bulk").mkdir()
    rates["catalog_and_index"] = catalog_and_index(folder / "bulk", vectors)
    rates["replace_embeddings"] = replace_embeddings(folder / "bulk", vectors)
    (folder / "media").mkdir()
    rates["media"] = media(folder / "media", 2000)
    fresh = new_items(unit_rows(4100, seed), 0)
    with Collection(folder / "whole", [SPACE], backend="flat", device="cpu") as collection:
        rates["add_many"] = add_many(collection, fresh[:2000])
        rates["single_adds_1_thread"] = single_adds(collection, fresh[2000:2100], 1)
        rates["single_adds_8_threads"] = single_adds(collection, fresh[2100:3100], 8)
        rates["single_adds_32_threads"] = single_adds(collection, fresh[3100:4100], 32)
    return rates


def main() -> None:
    """Run what the command line asks for and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="On the disk to measure.")
    asked = parser.parse_args()
    vectors = unit_rows(asked.rows)
    place = Path(tempfile.mkdtemp(dir=asked.folder))
    try:
        costs = fsync_costs(place / "fsync")
        runs = []
        for number in range(asked.runs):
            (place / str(number)).mkdir()
            runs.append(one_run(place / str(number), vectors, number))
            shutil.rmtree(place / str(number))
    finally:
        shutil.rmtree(place)
    answer = {
        "rows": asked.rows,
        "dimension": K,
        "runs": asked.runs,
        "fsync_ms": costs,
        "per_second": {
            name: round(statistics.median(run[name] for run in runs)) for name in runs[0]
        },
        "machine": f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores",
        "load": round(os.getloadavg()[0], 1),
    }
    print(json.dumps(answer, indent=2))  # noqa: T201


if __name__ == "__main__":
    main()
