"""How long a filter takes to say which of a million items it keeps.

    python benchmarks/catalog_filters.py --rows 1000000

Fills a catalog by SQL (one fact and, for every tenth item, one tag each), then asks it for the
numbers of the items that fit, each filter five times without and once with the kept answer. Prints
one JSON object: for each filter the number of items, and medians of wall and processor time in
milliseconds; the oracle of each count is arithmetic on the item numbers.
"""

import argparse
import json
import os
import platform
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from models.types import Modality
from service.catalog.catalog import Catalog
from service.catalog.database import sqlite_url
from service.catalog.records import Filter, Range

_ROWS = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < ?) "
_ITEMS = (
    "INSERT INTO items SELECT n, printf('%020x', n), iif(n % 2, 'audio', 'video'), "
    "printf('%064x', n), 'a/b', '.x', 100, 'item ' || n, 'item ' || n, 'class ' || (n % 100), "
    "'work ' || (n / 2), json_object('tempo', n % 1000), '[]', '2026-01-01 00:00:00.000000' FROM r"
)
_FACTS = "INSERT INTO item_metadata SELECT n, 'tempo', n % 1000, n % 1000, NULL FROM r"
_TAGS = "INSERT INTO item_tags SELECT n, 'tenth' FROM r WHERE n % 10 = 0"

FILTERS: dict[str, tuple[Filter, Callable[[int], bool]]] = {
    "label, 1 %": (Filter(label="class 7"), lambda n: n % 100 == 7),
    "label and modality, 1 %": (
        Filter(label="class 7", modality=Modality.AUDIO),
        lambda n: n % 100 == 7 and n % 2 == 1,
    ),
    "number, 1 %": (
        Filter(ranges=(Range("tempo", ">=", 990.0),)),
        lambda n: n % 1000 >= 990,
    ),
    "number between, 1 %": (
        Filter(ranges=(Range("tempo", ">=", 500.0), Range("tempo", "<", 510.0))),
        lambda n: 500 <= n % 1000 < 510,
    ),
    "tag, 10 %": (Filter(tags=("tenth",)), lambda n: n % 10 == 0),
    "tag and label": (
        Filter(tags=("tenth",), label="class 10"),
        lambda n: n % 100 == 10,
    ),
    "work": (Filter(work_id="work 77"), lambda n: n // 2 == 77),
    "modality, 50 %": (Filter(modality=Modality.VIDEO), lambda n: n % 2 == 0),
}


def fill(path: Path, rows: int) -> None:
    """Write items, facts and tags by SQL."""
    with closing(sqlite3.connect(path)) as database, database:
        for statement in (_ITEMS, _FACTS, _TAGS):
            database.execute(statement.replace(" SELECT", f" {_ROWS} SELECT", 1), (rows,))
        database.execute("UPDATE catalog_info SET sequence = ?", (rows,))


def timed(work: Callable[[], Any]) -> tuple[float, float]:
    """Milliseconds of wall and of processor time."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return 1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - cpu)


def measured(catalog: Catalog, chosen: Filter, fits: Callable[[int], bool], rows: int) -> Any:
    """Count and times of one filter."""
    expected = sum(map(fits, range(1, rows + 1)))
    found = len(catalog.numbers(chosen))
    if found != expected:
        raise SystemExit(f"{chosen}: expected {expected} items, got {found}")
    times = [timed(lambda: catalog._read_numbers(chosen)) for _ in range(5)]
    again = timed(lambda: catalog.numbers(chosen))
    return {
        "items": found,
        "wall_ms": round(statistics.median(wall for wall, _ in times), 2),
        "cpu_ms": round(statistics.median(cpu for _, cpu in times), 2),
        "kept_answer_ms": round(again[0], 2),
    }


def main() -> None:
    """Run what the command line asks for and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "catalog.sqlite3"
        Catalog(sqlite_url(path)).close()
        fill(path, asked.rows)
        with closing(Catalog(sqlite_url(path))) as catalog:
            filters = {
                name: measured(catalog, chosen, fits, asked.rows)
                for name, (chosen, fits) in FILTERS.items()
            }
    answer = {
        "rows": asked.rows,
        "filters": filters,
        "machine": f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores",
        "load": round(os.getloadavg()[0], 1),
    }
    print(json.dumps(answer, indent=2))  # noqa: T201


if __name__ == "__main__":
    main()
