"""Files that describe a folder of triples: settings, rows, and the rows of songs that are done."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from models.errors import DataError

FORMAT: Final = 1
MANIFEST: Final = "triples.json"
ROWS: Final = "triples.jsonl"
_PARTS: Final = ".songs"


def part_path(out: Path, song: str) -> Path:
    """Where the rows of one finished song are."""
    return out / _PARTS / f"{song}.jsonl"


def read_part(out: Path, song: str) -> str | None:
    """Rows of one song, or None when it is not finished."""
    path = part_path(out, song)
    return path.read_text("utf-8") if path.exists() else None


def read_rows(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the triples of a folder.

    Raises:
        DataError: If the table is missing or damaged.
    """
    path = folder / ROWS
    try:
        lines = path.read_text("utf-8").splitlines()
    except OSError as error:
        raise DataError(
            f"{path}: expected the table of triples that `kyomei build-triples` writes: {error}"
        ) from error
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line)
        except ValueError as error:
            raise DataError(f"{path}: line {number} is not JSON: {error}") from error
        if not isinstance(row, dict):
            raise DataError(f"{path}: line {number}: expected an object, found {row!r:.80}")
        yield row
