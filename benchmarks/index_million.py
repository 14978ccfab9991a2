"""One million vectors: start, search against raw FAISS, recall, memory, filter, bulk adds.

    OMP_NUM_THREADS=1 python benchmarks/index_million.py --work FOLDER
        [--types flat,hnsw,auto] [--rows 1000000] [--dimension 128] [--runs 7]

Prints one JSON object per line. FOLDER keeps the catalog and the snapshots, so that a second run
need not build them: about 2 GB for each type. The data: unit vectors around 2,000 centres (noise
0.3 for each coordinate, seed 0), queries from the same mixture, k = 10.

``build``: rows a second from the catalog into the index, seconds to build its type in the
background, and what it says of itself; ``catalog`` and ``add``: rows a second into each alone.
``start``: seconds in a fresh process, from opening catalog and snapshot (mapped into memory,
hashed, replayed, measured) to the first answer, imports not counted.
``search``: microseconds for a query, one at a time and 64 in a batch, through our index and through
the FAISS index that it uses (for flat: ``IndexFlatIP`` over the same rows), with the same effort.
The runs take turns; ``ratio`` is the median of the ratios of neighbouring runs. With one thread
the clock is that of the processor (``time.thread_time``), so that neighbours on the machine count
for less; ``wall_ratio`` is the same by the clock on the wall.
``recall``: of 1,000 queries against an exact scan.
``filter``: microseconds of single queries with a filter that keeps 1 % of the rows, chosen at
random, and their ratio to the unfiltered ones of the same index.
``memory``: resident bytes of a process after 1,000 queries, beside those of a process that loaded
the same index with ``faiss.read_index``; the interpreter with its libraries is in both.
"""

import argparse
import hashlib
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from models.types import Float32Array, Modality
from service.catalog.catalog import Catalog
from service.catalog.database import sqlite_url
from service.catalog.records import Draft, Embedding, SpaceRef
from service.collection.index_set import IndexSet
from service.index.options import IndexOptions

K, BATCH, N_CENTRES, NOISE = 10, 64, 2_000, 0.3
BLOCK = 10_000


def mixture(n: int, dimension: int, part: int) -> Float32Array:
    """Unit vectors (n, dimension) around the common centres; each part is another sample."""
    centres = np.random.default_rng(0).standard_normal((N_CENTRES, dimension), np.float32)
    generator = np.random.default_rng([0, part])
    rows = centres[generator.integers(0, N_CENTRES, n)]
    rows += NOISE * generator.standard_normal(rows.shape, np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


def say(**facts: Any) -> None:
    """Print one line of JSON."""
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def space_of(dimension: int) -> SpaceRef:
    """The one space of the benchmark."""
    return SpaceRef("million", "0" * 16, (Modality.AUDIO,), dimension)


def fill_catalog(folder: Path, rows: int, dimension: int) -> None:
    """Put items with embeddings into a new catalog, and say how fast."""
    path = folder / "catalog.sqlite3"
    catalog = Catalog(sqlite_url(path))
    space = space_of(dimension)
    seconds = 0.0
    for start in range(catalog.sequence(), rows, BLOCK):
        vectors = mixture(BLOCK, dimension, 1 + start // BLOCK)
        drafts = [draft(start + i, space, vector) for i, vector in enumerate(vectors)]
        begun = time.perf_counter()
        catalog.insert(drafts)
        seconds += time.perf_counter() - begun
    if seconds:
        say(what="catalog", rows=rows, rows_per_second=round(rows / seconds))
    catalog.close()


def draft(number: int, space: SpaceRef, vector: Float32Array) -> Draft:
    """An item without media."""
    digest = hashlib.sha256(str(number).encode()).hexdigest()
    return Draft(
        digest[:20],
        Modality.AUDIO,
        digest,
        "audio/wav",
        ".wav",
        0,
        f"sound {number}",
        None,
        None,
        {},
        [(space, Embedding(vector, 1.0))],
    )


def open_index(folder: Path, kind: str, dimension: int) -> tuple[IndexSet, Any]:
    """Open catalog and index of a type; the snapshots of each type lie in a folder of their own."""
    data = folder / kind
    data.mkdir(parents=True, exist_ok=True)
    catalog = Catalog(sqlite_url(folder / "catalog.sqlite3"))
    indexes = IndexSet(data, catalog, IndexOptions(kind, "cpu", threads()))
    space = space_of(dimension)
    indexes.open([space], refuse_misfits=True)
    return indexes, indexes.of(space.name, Modality.AUDIO)


def threads() -> int:
    """OpenMP threads, from the environment."""
    return int(os.environ.get("OMP_NUM_THREADS", "1"))


def build(folder: Path, kind: str, dimension: int) -> None:
    """Fill an index from the catalog, build its type and save it."""
    if (folder / kind / "indexes").exists():
        return
    begun = time.perf_counter()
    indexes, index = open_index(folder, kind, dimension)
    filled = time.perf_counter()
    indexes.settle()
    settled = time.perf_counter()
    indexes.save()
    say(
        what="build",
        type=kind,
        from_catalog_rows_per_second=round(len(index) / (filled - begun)),
        build_seconds=round(settled - filled, 1),
        save_seconds=round(time.perf_counter() - settled, 1),
        index=index.describe(),
    )
    indexes.close()


def add_speed(rows: int, dimension: int) -> None:
    """Rows a second into an index alone, in blocks."""
    from service.index.registry import open_index as open_one

    index = open_one("flat", dimension, device="cpu", threads=threads())
    vectors = mixture(BLOCK, dimension, 1)
    begun = time.perf_counter()
    for start in range(0, rows, BLOCK):
        index.add(np.arange(start, start + BLOCK), vectors)
    say(what="add", rows_per_second=round(rows / (time.perf_counter() - begun)), in_block=BLOCK)


def raw_search(index: Any, vectors: Float32Array) -> Callable[[Float32Array], Any]:
    """Return a search by FAISS alone, over the same rows with the same structure and effort."""
    learned = index._state.base.learned
    faiss.omp_set_num_threads(threads())
    if learned is None:
        flat = faiss.IndexFlatIP(vectors.shape[1])
        flat.add(vectors)
        return lambda queries: flat.search(queries, K)
    structure, width = learned.structure, learned.effort.width
    parameters = structure.parameters(width, None)
    n = K if structure.scores_are_exact else learned.effort.depth
    return lambda queries: structure.index.search(queries, n, params=parameters)


def timed(search: Callable[[Float32Array], Any], parts: list[Float32Array]) -> tuple[float, float]:
    """Microseconds for a query, of the processor (with one thread) and on the wall."""
    wall, processor = time.perf_counter(), time.thread_time()
    for part in parts:
        search(part)
    wall, processor = time.perf_counter() - wall, time.thread_time() - processor
    per_query = 1e6 / sum(len(part) for part in parts)
    return (processor if threads() == 1 else wall) * per_query, wall * per_query


def compare(ours: Any, raw: Any, parts: list[Float32Array], runs: int) -> dict[str, float]:
    """Run both in turn; which comes first changes each time."""
    pairs = []
    timed(ours, parts), timed(raw, parts)
    for run in range(runs):
        both = [ours, raw] if run % 2 else [raw, ours]
        times = [timed(search, parts) for search in both]
        pairs.append(times if run % 2 else times[::-1])
    return {
        "ours_us": round(statistics.median(a for (a, _), _ in pairs), 1),
        "raw_us": round(statistics.median(b for _, (b, _) in pairs), 1),
        "ratio": round(statistics.median(a / b for (a, _), (b, _) in pairs), 3),
        "wall_ratio": round(statistics.median(a / b for (_, a), (_, b) in pairs), 3),
    }


def search_speed(folder: Path, kind: str, dimension: int, runs: int) -> None:
    """Time single and batched queries, filtered ones, and measure the recall."""
    indexes, index = open_index(folder, kind, dimension)
    vectors = np.ascontiguousarray(index._state.base.rows.vectors)
    queries = mixture(1_000, dimension, 1_000_003)
    raw = raw_search(index, vectors)
    is_flat = index.describe()["type"] == "flat"
    ones = [queries[i : i + 1] for i in range(20 if is_flat else 500)]
    many = [queries[i : i + BATCH] for i in range(0, BATCH * (1 if is_flat else 12), BATCH)]

    def ours(part: Float32Array) -> Any:
        return index.search(part, K)

    for name, parts in (("single", ones), (f"batch of {BATCH}", many)):
        found = compare(ours, raw, parts, runs)
        say(what="search", type=kind, chosen=index.describe()["type"], queries=name, **found)
    allowed = np.sort(np.random.default_rng(1).permutation(index.ids())[: len(index) // 100])

    def filtered(part: Float32Array) -> Any:
        return index.search(part, K, allowed=allowed)

    found = compare(filtered, ours, ones, runs)
    say(
        what="filter",
        type=kind,
        keeps=len(allowed),
        filtered_us=found["ours_us"],
        unfiltered_us=found["raw_us"],
        ratio=found["ratio"],
    )
    hits = index.search(queries, K)
    truth = faiss.knn(queries, vectors, K, metric=faiss.METRIC_INNER_PRODUCT)[0]
    recall = float((hits.scores >= truth[:, -1:] - 1e-6).mean())
    say(what="recall", type=kind, recall_at_10=round(recall, 4), index=index.describe())
    write_raw(folder, kind, index, vectors)
    indexes.close()


def write_raw(folder: Path, kind: str, index: Any, vectors: Float32Array) -> None:
    """Write what a user of FAISS alone would have on the disk."""
    path = folder / kind / "raw.faiss"
    if path.exists():
        return
    learned = index._state.base.learned
    if learned is None:
        flat = faiss.IndexFlatIP(vectors.shape[1])
        flat.add(vectors)
        faiss.write_index(flat, str(path))
    else:
        faiss.write_index(learned.structure.index, str(path))


def resident_bytes() -> int:
    """Resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def in_this_process(folder: Path, kind: str, dimension: int, role: str) -> None:
    """What a child does: start and answer through our index, or load and answer with FAISS."""
    queries = mixture(1_000, dimension, 1_000_003)
    begun = time.perf_counter()
    if role == "ours":
        indexes, index = open_index(folder, kind, dimension)
        index.search(queries[:1], K)
        seconds = time.perf_counter() - begun
        for i in range(1_000 if index.describe()["type"] != "flat" else 20):
            index.search(queries[i : i + 1], K)
        say(seconds=round(seconds, 2), resident=resident_bytes(), count=len(index))
        indexes.close()
        return
    raw = faiss.read_index(str(folder / kind / "raw.faiss"))
    raw.search(queries[:1], K)
    seconds = time.perf_counter() - begun
    for i in range(1_000 if not isinstance(raw, faiss.IndexFlat) else 20):
        raw.search(queries[i : i + 1], K)
    say(seconds=round(seconds, 2), resident=resident_bytes(), count=raw.ntotal)


def fresh_process(folder: Path, kind: str, dimension: int, role: str) -> dict[str, Any]:
    """Run ``in_this_process`` in a new interpreter."""
    command = [sys.executable, __file__, "--work", str(folder), "--types", kind]
    command += ["--dimension", str(dimension), "--role", role]
    output = subprocess.run(  # noqa: S603 - this file itself
        command, check=True, capture_output=True, text=True
    ).stdout
    answer: dict[str, Any] = json.loads(output)
    return answer


def start_and_memory(folder: Path, kind: str, dimension: int) -> None:
    """Start three times; compare the memory with that of FAISS alone."""
    ours = [fresh_process(folder, kind, dimension, "ours") for _ in range(3)]
    raw = fresh_process(folder, kind, dimension, "raw")
    seconds = statistics.median(run["seconds"] for run in ours)
    say(what="start", type=kind, seconds=seconds, raw_faiss_seconds=raw["seconds"])
    resident = statistics.median(run["resident"] for run in ours)
    say(
        what="memory",
        type=kind,
        ours_mb=round(resident / 1e6),
        raw_mb=round(raw["resident"] / 1e6),
        ratio=round(resident / raw["resident"], 3),
    )


def main() -> None:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--types", default="flat,hnsw,auto")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--dimension", type=int, default=128)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--role", default="")
    asked = parser.parse_args()
    if asked.role:
        in_this_process(asked.work, asked.types, asked.dimension, asked.role)
        return
    asked.work.mkdir(parents=True, exist_ok=True)
    say(
        what="machine",
        cpus=os.cpu_count(),
        threads=threads(),
        load=os.getloadavg()[0],
        faiss=faiss.__version__,
        python=platform.python_version(),
        rows=asked.rows,
        dimension=asked.dimension,
    )
    fill_catalog(asked.work, asked.rows, asked.dimension)
    add_speed(min(asked.rows, 200_000), asked.dimension)
    for kind in asked.types.split(","):
        build(asked.work, kind, asked.dimension)
        search_speed(asked.work, kind, asked.dimension, asked.runs)
        start_and_memory(asked.work, kind, asked.dimension)


if __name__ == "__main__":
    main()
