"""Which files became which items: a cache, so that a resumed run reads no file twice.

A line holds for a path while its size and time of change are the same. The catalog still decides
whether the item is there. Losing the ledger costs time, nothing else.
"""

import contextlib
import os
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from service.ingest.sources import Source

_FILE = "ingested.sqlite3"
_BUSY_SECONDS = 30.0


class Stamp(NamedTuple):
    """What a file looks like from outside.

    Attributes:
        bytes: Its size.
        changed_ns: Time of its last change, in nanoseconds.
    """

    bytes: int
    changed_ns: int

    @classmethod
    def of(cls, path: Path) -> "Stamp":
        """Look at a file.

        Raises:
            OSError: When it is not there.
        """
        found = path.stat()
        return cls(found.st_size, found.st_mtime_ns)


class Ledger:
    """A table of files on the disk, beside the catalog. A context manager."""

    def __init__(self, folder: Path) -> None:
        """Open or make the ledger of a data folder; a damaged one is started anew."""
        path = folder / _FILE
        try:
            self._table = _opened(path)
        except sqlite3.DatabaseError:
            for name in (path, *(path.with_name(f"{_FILE}-{part}") for part in ("wal", "shm"))):
                name.unlink(missing_ok=True)
            self._table = _opened(path)

    def known(self, files: Sequence[tuple[Source, Stamp]]) -> list[str | None]:
        """Return the item that each file became, None where it is unknown or has changed."""
        query = (
            "SELECT item_id FROM files "
            "WHERE path = ? AND modality = ? AND bytes = ? AND changed_ns = ?"
        )
        rows = (self._table.execute(query, (*_key(s), *stamp)).fetchone() for s, stamp in files)
        return [None if row is None else row[0] for row in rows]

    def note(self, items: Iterable[tuple[Source, Stamp, str]]) -> None:
        """Remember (file, look, item id)."""
        with self._table:
            self._table.executemany(
                "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?)",
                ((*_key(source), *stamp, item) for source, stamp, item in items),
            )

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the table."""
        self._table.close()


def _key(source: Source) -> tuple[bytes, str]:
    return os.fsencode(source.path.absolute()), source.modality or ""


def _opened(path: Path) -> sqlite3.Connection:
    table = sqlite3.connect(path, timeout=_BUSY_SECONDS)
    with contextlib.ExitStack() as undo:
        undo.callback(table.close)
        table.execute("PRAGMA journal_mode=WAL")
        table.execute("PRAGMA synchronous=NORMAL")
        table.execute(
            "CREATE TABLE IF NOT EXISTS files (path BLOB, modality TEXT, bytes INTEGER, "
            "changed_ns INTEGER, item_id TEXT, PRIMARY KEY (path, modality)) WITHOUT ROWID"
        )
        undo.pop_all()
    return table
