"""Time against recall: Kyomei's index path beside Milvus Lite, hnswlib and qdrant-edge-py.

    pip install kyomei[cpu,benchmark]
    OMP_NUM_THREADS=1 python benchmarks/index_side_by_side.py [--rows 100000] [--queries 500]
        [--rounds 3] [--engines flat,hnsw,ivf-sq8,ivf-pq,hnswlib,qdrant-edge,milvus-lite]
        [--json OUT.json] [--plot docs/images/index_side_by_side.png]
    python benchmarks/index_side_by_side.py --from OUT.json --plot PNG

All engines hold the same unit vectors (128 dimensions, around 2,000 centres, noise 0.3 for each
coordinate, seed 0) and answer the same queries of the same mixture, one query in a call, k = 10,
one search thread where the engine can be told. Graphs have M = 32 and efConstruction = 128. Prints
one JSON object per engine and effort: median milliseconds of a query (the median over rounds; in a
round every engine takes its turn), recall@10 against an exact matrix product, seconds to build.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from models.types import Float32Array, Int64Array

K, DIMENSION, N_CENTRES, NOISE = 10, 128, 2_000, 0.3
LINKS, CONSTRUCTION = 32, 128
WIDTHS = (16, 32, 64, 128, 256)
PROBES = (1, 2, 4, 8, 16, 32)
Search = Callable[[Float32Array, int], Int64Array]


@dataclass(frozen=True)
class Engine:
    """A filled engine.

    Attributes:
        search: (query (1, K), effort) -> row numbers of the nearest.
        efforts: What to try.
        package: Where its version is found.
    """

    search: Search
    efforts: tuple[int, ...]
    package: str


def mixture(n: int, part: int) -> Float32Array:
    """Unit vectors (n, 128) around the common centres."""
    centres = np.random.default_rng(0).standard_normal((N_CENTRES, DIMENSION), np.float32)
    generator = np.random.default_rng([0, part])
    rows = centres[generator.integers(0, N_CENTRES, n)]
    rows += NOISE * generator.standard_normal(rows.shape, np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


def kyomei(kind: str) -> Callable[[Float32Array, Path], Engine]:
    """Return what fills our index of a type."""

    def fill(vectors: Float32Array, folder: Path) -> Engine:
        from service.index.ann import Effort
        from service.index.faiss_backend import FaissIndex
        from service.index.options import IndexOptions

        index = FaissIndex(DIMENSION, IndexOptions(kind, "cpu", 1))
        index.add(np.arange(len(vectors)), vectors)
        index.settle()
        index.save(folder / "index.safetensors")
        learned = index._state.base.learned

        def search(query: Float32Array, effort: int) -> Int64Array:
            if learned is not None and index._state.base.learned.effort.width != effort:
                depth = effort if kind == "hnsw" else learned.effort.depth
                now = replace(learned, effort=Effort(effort, max(K, depth)))
                base = replace(index._state.base, learned=now)
                index._state = replace(index._state, base=base)
            return index.search(query, K).ids[0]

        efforts = {"flat": (0,), "hnsw": WIDTHS}.get(kind, PROBES)
        return Engine(search, efforts, "faiss-cpu")

    return fill


def hnswlib_engine(vectors: Float32Array, folder: Path) -> Engine:
    """Fill hnswlib, which lives in memory."""
    del folder
    import hnswlib

    index = hnswlib.Index("ip", DIMENSION)
    index.init_index(len(vectors), M=LINKS, ef_construction=CONSTRUCTION, random_seed=0)
    index.set_num_threads(1)
    index.add_items(vectors, np.arange(len(vectors)))

    def search(query: Float32Array, effort: int) -> Int64Array:
        index.set_ef(effort)
        return index.knn_query(query, K)[0][0].astype(np.int64)

    return Engine(search, WIDTHS, "hnswlib")


def qdrant_engine(vectors: Float32Array, folder: Path) -> Engine:
    """Fill a shard of qdrant-edge and let it build its graph."""
    import qdrant_edge as qdrant

    graph = qdrant.HnswIndexConfig(LINKS, CONSTRUCTION, 0, max_indexing_threads=1)
    config = qdrant.EdgeConfig(
        vectors=qdrant.EdgeVectorParams(DIMENSION, qdrant.Distance.Dot, hnsw_config=graph),
        optimizers=qdrant.EdgeOptimizersConfig(default_segment_number=1, indexing_threshold=1),
        max_search_threads=1,
    )
    shard = qdrant.EdgeShard.create(str(folder), config)
    for start in range(0, len(vectors), 1_000):
        rows = enumerate(vectors[start : start + 1_000].tolist(), start)
        points = [qdrant.Point(number, row) for number, row in rows]
        shard.update(qdrant.UpdateOperation.upsert_points(points))
    while shard.optimize():
        pass

    def search(query: Float32Array, effort: int) -> Int64Array:
        request = qdrant.SearchRequest(
            qdrant.Query.Nearest(query[0].tolist()),
            K,
            params=qdrant.SearchParams(hnsw_ef=effort),
        )
        return np.array([point.id for point in shard.search(request)], np.int64)

    return Engine(search, WIDTHS, "qdrant-edge-py")


def milvus_engine(vectors: Float32Array, folder: Path) -> Engine:
    """Fill Milvus Lite."""
    from pymilvus import DataType, MilvusClient

    client = MilvusClient(str(folder / "milvus.db"))
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=DIMENSION)
    indexes = client.prepare_index_params()
    graph = {"M": LINKS, "efConstruction": CONSTRUCTION}
    indexes.add_index("vector", index_type="HNSW", metric_type="IP", params=graph)
    client.create_collection("rows", schema=schema, index_params=indexes)
    for start in range(0, len(vectors), 5_000):
        rows = enumerate(vectors[start : start + 5_000].tolist(), start)
        client.insert("rows", [{"id": number, "vector": row} for number, row in rows])
    client.flush("rows")
    client.load_collection("rows")

    def search(query: Float32Array, effort: int) -> Int64Array:
        parameters = {"metric_type": "IP", "params": {"ef": effort}}
        found = client.search("rows", query.tolist(), limit=K, search_params=parameters)
        return np.array([hit["id"] for hit in found[0]], np.int64)

    return Engine(search, WIDTHS, "milvus-lite")


ENGINES: dict[str, Callable[[Float32Array, Path], Engine]] = {
    "flat": kyomei("flat"),
    "hnsw": kyomei("hnsw"),
    "ivf-sq8": kyomei("ivf-sq8"),
    "ivf-pq": kyomei("ivf-pq"),
    "hnswlib": hnswlib_engine,
    "qdrant-edge": qdrant_engine,
    "milvus-lite": milvus_engine,
}


def measure(engine: Engine, effort: int, queries: Float32Array) -> tuple[float, list[set[int]]]:
    """Median milliseconds of a query, and what was found for each."""
    times, found = [], []
    for number in range(len(queries)):
        query = queries[number : number + 1]
        begun = time.perf_counter()
        ids = engine.search(query, effort)
        times.append((time.perf_counter() - begun) * 1e3)
        found.append(set(ids.tolist()))
    return statistics.median(times), found


def run(names: list[str], n_rows: int, n_queries: int, rounds: int) -> list[dict[str, Any]]:
    """Fill the engines, then let them take turns."""
    vectors, queries = mixture(n_rows, 1), mixture(n_queries, 2)
    truth = np.argsort(-(queries @ vectors.T), axis=1)[:, :K]
    lines: dict[tuple[str, int], dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        engines, seconds = {}, {}
        for name in names:
            place = Path(folder) / name
            place.mkdir()
            begun = time.perf_counter()
            engines[name] = ENGINES[name](vectors, place)
            seconds[name] = round(time.perf_counter() - begun, 1)
        times: dict[tuple[str, int], list[float]] = {}
        for _ in range(rounds):
            for name, engine in engines.items():
                engine.search(queries[:1], engine.efforts[0])
                for effort in engine.efforts:
                    milliseconds, found = measure(engine, effort, queries)
                    times.setdefault((name, effort), []).append(milliseconds)
                    hits = [len(set(t) & f) / K for t, f in zip(truth.tolist(), found, strict=True)]
                    lines[name, effort] = {
                        "engine": name,
                        "version": version(engine.package),
                        "effort": effort,
                        "recall_at_10": round(float(np.mean(hits)), 4),
                        "build_seconds": seconds[name],
                    }
    return [{**line, "ms": round(statistics.median(times[key]), 3)} for key, line in lines.items()]


def plot(lines: list[dict[str, Any]], path: Path) -> None:
    """Draw milliseconds against recall."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4.2), dpi=110)
    for name in dict.fromkeys(line["engine"] for line in lines):
        points = sorted((ln["recall_at_10"], ln["ms"]) for ln in lines if ln["engine"] == name)
        ours = name in ("flat", "hnsw", "ivf-sq8", "ivf-pq")
        label = f"Kyomei {name}" if ours else name
        style = "o-" if ours else "s--"
        axes.plot([p[0] for p in points], [p[1] for p in points], style, label=label, markersize=4)
    axes.set_yscale("log")
    axes.set_xlabel("recall@10")
    axes.set_ylabel("milliseconds for a query (median)")
    axes.grid(visible=True, alpha=0.3)
    axes.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path)


def main() -> None:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--engines", default=",".join(ENGINES))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--from", type=Path, dest="source")
    parser.add_argument("--plot", type=Path)
    asked = parser.parse_args()
    if asked.source:
        answer = json.loads(asked.source.read_text(encoding="utf-8"))
    else:
        names = asked.engines.split(",")
        answer = {
            "machine": {"cpus": os.cpu_count(), "load": os.getloadavg()[0]},
            "rows": asked.rows,
            "queries": asked.queries,
            "lines": run(names, asked.rows, asked.queries, asked.rounds),
        }
        for line in answer["lines"]:
            sys.stdout.write(json.dumps(line) + "\n")
    if asked.json:
        asked.json.write_text(json.dumps(answer, indent=1) + "\n", encoding="utf-8")
    if asked.plot:
        plot(answer["lines"], asked.plot)


if __name__ == "__main__":
    main()
