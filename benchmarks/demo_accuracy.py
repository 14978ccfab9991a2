"""How well a running demo answers, over HTTP: every item of one modality is sent as a query.

    make demo                                   # in another terminal
    python benchmarks/demo_accuracy.py [--url http://127.0.0.1:8000] [--space everyday|songs]

For each ordered pair of modalities of the space: the query's file is downloaded from
``/items/{id}/media`` and uploaded to ``/search/{source}-to-{target}``. Prints one line per pair:
number of queries and of answers to choose from, share whose first answer has the right class
(`everyday` only), share whose true partner (same ``work_id``) is first, among the first five and
among the first ten, with chance in brackets, and the median milliseconds of a query.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx

PAGE = 100


def all_items(client: httpx.Client, modality: str) -> Iterator[dict[str, Any]]:
    """Every item of a modality, page by page."""
    offset = 0
    while True:
        page = client.get("/items", params={"modality": modality, "limit": PAGE, "offset": offset})
        items = page.raise_for_status().json()["items"]
        yield from items
        offset += len(items)
        if len(items) < PAGE:
            return


def ask(
    client: httpx.Client, item: dict[str, Any], target: str, space: str
) -> list[dict[str, Any]]:
    """Upload an item's own file and return the first answers."""
    media = client.get(item["media_url"]).raise_for_status().content
    path = f"/search/{item['modality']}-to-{target}"
    answer = client.post(path, params={"k": 10, "space": space}, files={"file": ("query", media)})
    return [result["item"] for result in answer.raise_for_status().json()["results"]]


def measure_pair(
    client: httpx.Client, queries: list[dict[str, Any]], target: str, space: str
) -> str:
    """One line of figures for a source and a target."""
    works = {item["work_id"] for item in queries}
    gallery = [item for item in all_items(client, target) if item["work_id"] in works]
    places, right_class, milliseconds = [], 0, []
    for item in queries:
        started = time.perf_counter()
        answers = ask(client, item, target, space)
        milliseconds.append(1000 * (time.perf_counter() - started))
        right_class += answers[0]["label"] == item["label"]
        found = [place for place, a in enumerate(answers, 1) if a["work_id"] == item["work_id"]]
        places.append(found[0] if found else 11)
    n_classes = len({item["label"] for item in queries})
    figures = [f"class {right_class / len(queries):.2f} ({1 / n_classes:.2f})"]
    for k in (1, 5, 10):
        share = sum(place <= k for place in places) / len(queries)
        figures.append(f"partner in first {k}: {share:.2f} ({k / len(gallery):.2f})")
    timing = f"{statistics.median(milliseconds):.0f} ms"
    return f"{len(queries)} of {len(gallery)}: {', '.join(figures)}; {timing}"


def main() -> None:
    """Measure every pair of one space."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--space", default="everyday")
    arguments = parser.parse_args()
    with httpx.Client(base_url=arguments.url, timeout=120.0) as client:
        spaces = client.get("/spaces").raise_for_status().json()
        views = next(s["views"] for s in spaces if s["name"] == arguments.space)
        modalities = [view["modality"] for view in views]
        groups = [{i["work_id"] for i in all_items(client, m)} for m in modalities]
        works = set.intersection(*groups)
        for source in modalities:
            queries = [item for item in all_items(client, source) if item["work_id"] in works]
            for target in modalities:
                if target != source:
                    line = measure_pair(client, queries, target, arguments.space)
                    sys.stdout.write(f"{source} -> {target}: {line}\n")
                    sys.stdout.flush()


if __name__ == "__main__":
    main()
