"""A manifest: a table of media files with what is known about them, checked before anything else.

CSV with a header, or JSON lines. ``path`` (below the folder of the manifest) must be there;
``modality``, ``title``, ``label`` and ``work_id`` may be; every other column is metadata.
"""

import csv
import json
import math
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from models.errors import DataError
from models.file_names import printable_name
from models.types import Modality
from service.captions import Caption
from service.catalog.records import MetadataValue, metadata_text
from service.ingest.sources import Listing, Source

_OWN_COLUMNS = ("path", "modality", "title", "label", "work_id")
_MOST_CHARACTERS = 500
_MOST_NAMED = 10

Row = tuple[int, Mapping[str, Any]]


def list_manifest(manifest: Path) -> Listing:
    """Check a manifest line by line and list its files.

    Raises:
        DataError: With line numbers, when a line is not as it should be; nothing was read then.
    """
    count, wrong = 0, []
    for number, outcome in _checked(manifest):
        count += 1
        if isinstance(outcome, DataError):
            wrong.append(f"line {number}: {outcome}")
        if len(wrong) >= _MOST_NAMED:
            wrong.append("...")
            break
    if wrong:
        raise DataError(f"{manifest}: " + "; ".join(wrong))

    def sources() -> Iterator[Source]:
        for number, outcome in _checked(manifest):
            if isinstance(outcome, DataError):  # it was changed since it was checked
                raise DataError(f"{manifest}: line {number}: {outcome}")
            yield outcome

    return Listing(manifest.name, count, sources)


def is_manifest(path: Path) -> bool:
    """Whether a file has the ending of a manifest."""
    return path.suffix.lower() in _READERS


def _checked(manifest: Path) -> Iterator[tuple[int, Source | DataError]]:
    root = manifest.parent
    real_root = root.resolve()
    try:
        for number, row in _READERS[manifest.suffix.lower()](manifest):
            try:
                yield number, _source(root, real_root, row)
            except DataError as error:
                yield number, error
    except (UnicodeDecodeError, csv.Error, OSError) as error:
        raise DataError(f"{manifest}: expected a table in UTF-8, got: {error}") from error


def _csv_rows(manifest: Path) -> Iterator[Row]:
    with manifest.open(encoding="utf-8-sig", newline="") as file:
        table = csv.DictReader(file, strict=True)
        columns = list(table.fieldnames or ())
        if "path" not in columns or len(set(columns)) < len(columns):
            raise DataError(
                f"{manifest}: line 1: expected a header with a column path and no column twice, "
                f"got {', '.join(columns) or 'nothing'}"
            )
        for row in table:
            values = {key: _number_or_text(text) for key, text in row.items() if text}
            told = {key: row[key] for key in _OWN_COLUMNS if row.get(key)}
            yield table.line_num, {**values, **told}


def _number_or_text(text: Any) -> Any:
    """Read a cell as a number or truth value where that has the very same text form."""
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            value = kind(text)
        except (ValueError, TypeError):
            continue
        if math.isfinite(value) and metadata_text(value) == text:
            return value
    return text


def _json_rows(manifest: Path) -> Iterator[Row]:
    with manifest.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as error:
                row = {"": f"expected JSON, got: {error}"}
            yield number, row if isinstance(row, dict) else {"": "expected a JSON object"}


_READERS: dict[str, Callable[[Path], Iterator[Row]]] = {
    ".csv": _csv_rows,
    ".jsonl": _json_rows,
    ".ndjson": _json_rows,
}


def _source(root: Path, real_root: Path, row: Mapping[str, Any]) -> Source:
    """Check one row.

    Raises:
        DataError: When something is wrong with it.
    """
    if None in row:
        raise DataError("expected as many values as the header has columns, got more")
    if "" in row:
        raise DataError(f"{row['']}" if len(row) == 1 else "expected every column to have a name")
    told = {key: _text(key, row[key]) for key in _OWN_COLUMNS if row.get(key) is not None}
    if not told.get("path"):
        raise DataError("expected a path, got none")
    path = root / told["path"]
    if "\0" in told["path"] or not path.resolve().is_relative_to(real_root):
        raise DataError(f"path {told['path']!r} leaves the folder of the manifest")
    metadata = {
        key: _metadata(key, value)
        for key, value in row.items()
        if key not in _OWN_COLUMNS and value is not None
    }
    caption = Caption(
        title=told.get("title") or path.stem,
        label=told.get("label") or None,
        work_id=told.get("work_id") or None,
        metadata={"path": printable_name(f"{real_root.name}/{told['path']}"), **metadata},
    )
    return Source(path, told["path"], _modality(told.get("modality")), caption)


def _text(key: str, value: object) -> str:
    if not isinstance(value, str) or len(value) > _MOST_CHARACTERS:
        raise DataError(f"{key}: expected text of at most {_MOST_CHARACTERS} characters")
    return value


def _modality(name: str | None) -> Modality | None:
    if not name:
        return None
    try:
        return Modality(name)
    except ValueError:
        known = ", ".join(Modality)
        raise DataError(f"modality: expected one of {known}, got {name!r}") from None


def _metadata(key: str, value: object) -> MetadataValue:
    if any(unicodedata.category(character) == "Cc" for character in key):
        raise DataError(f"expected a column name without control characters, got {key!r}")
    if isinstance(value, float) and not math.isfinite(value):
        raise DataError(f"{key}: expected a finite number, got {value}")
    if isinstance(value, str):
        return _text(key, value)
    if not isinstance(value, int | float):
        raise DataError(f"{key}: expected text, a number, true or false, got {value!r}")
    return value
