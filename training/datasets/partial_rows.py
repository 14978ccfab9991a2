"""Rows on disk before they are a feature file: append only, readable after any kill.

The numbers of each view go to ``VIEW.f32`` and, after them, one JSON line to ``journal.jsonl``. A
line counts when it and its numbers are complete, so a kill loses at most the row being written;
HDF5 itself gives no such promise.
"""

import fcntl
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from models.errors import DataError
from models.types import Float32Array

_BYTES_PER_NUMBER = 4


@dataclass(frozen=True, slots=True)
class Row:
    """What a feature file says about one row beside its numbers.

    Attributes:
        view: Its view, not empty, without ``/``.
        id: Unique within the view.
        label: Index into the classes, or None in a view without labels.
        split: ``train``, ``validation`` or ``test``; None where the reader shall decide.
    """

    view: str
    id: str
    label: int | None = None
    split: str | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """An example that gave no row.

    Attributes:
        view: View it would have belonged to.
        id: Its id.
        reason: The ``reason`` of a ``MediaError``, or ``features``.
        message: What was expected and what came.
    """

    view: str
    id: str
    reason: str
    message: str


class PartialRows:
    """The rows and failures in one folder; one process at a time.

    Args:
        folder: Made if missing.
        identity: One line that says what the rows are of; the same one is needed to go on.

    Raises:
        DataError: If rows of another identity are there, or another process is writing them.
    """

    def __init__(self, folder: Path, identity: str) -> None:
        self.folder = folder
        self.rows: dict[str, list[Row]] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.failures: list[Failure] = []
        self.seen: set[tuple[str, str]] = set()
        self._numbers: dict[str, IO[bytes]] = {}
        folder.mkdir(parents=True, exist_ok=True)
        self._journal = (folder / "journal.jsonl").open("a+b")
        try:
            self._lock()
            self._restore(identity)
        except BaseException:
            self.close()
            raise

    def append(self, row: Row, features: Float32Array) -> None:
        """Store a row; the shape of ``features`` is that of all rows of its view."""
        self._numbers_of(row.view).write(features.astype("<f4").tobytes())
        words = {"view": row.view, "id": row.id, "label": row.label, "split": row.split}
        self._note(words | {"shape": list(features.shape)})
        self._take_row(row, features.shape)

    def skip(self, failure: Failure) -> None:
        """Store a failure."""
        reason = [failure.reason, failure.message]
        self._note({"view": failure.view, "id": failure.id, "failed": reason})
        self._take_failure(failure)

    def features(self, view: str) -> Float32Array:
        """Map the numbers of a view from disk, shape (N, D) or (N, T, D)."""
        shape = (len(self.rows[view]), *self.shapes[view])
        return np.memmap(self.folder / f"{view}.f32", dtype="<f4", mode="r", shape=shape)

    def close(self) -> None:
        """Close the files; the rows stay. May be called again."""
        for file in self._numbers.values():
            file.close()
        self._journal.close()

    def discard(self) -> None:
        """Throw the rows away."""
        self.close()
        shutil.rmtree(self.folder)

    def _lock(self) -> None:
        try:
            fcntl.flock(self._journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise DataError(f"{self.folder}: another process is writing it; wait for it") from error

    def _restore(self, identity: str) -> None:
        """Take over the complete rows of an earlier run and cut off what follows them."""
        self._journal.seek(0)
        lines = self._journal.read().splitlines(keepends=True)
        if not lines or not lines[0].endswith(b"\n"):
            self._journal.truncate(0)
            self._journal.write(identity.encode() + b"\n")
            self._journal.flush()
            return
        found = lines[0].decode(errors="replace").rstrip("\n")
        if found != identity:
            raise DataError(
                f"{self.folder}: expected rows of this run ({identity}), found those of another "
                f"({found}); delete the folder to start anew"
            )
        complete = len(lines[0])
        for line, record in _records(lines[1:]):
            if not self._take(record):
                break
            complete += len(line)
        self._journal.truncate(complete)
        for view, rows in self.rows.items():
            self._numbers_of(view).truncate(len(rows) * _n_bytes(self.shapes[view]))

    def _take(self, record: dict[str, Any]) -> bool:
        """Take one line of the journal; False when its numbers did not reach the disk."""
        view, identifier = record["view"], record["id"]
        if "failed" in record:
            self._take_failure(Failure(view, identifier, *record["failed"]))
            return True
        shape = tuple(record["shape"])
        path = self.folder / f"{view}.f32"
        needed = (len(self.rows.get(view, ())) + 1) * _n_bytes(shape)
        if not path.exists() or path.stat().st_size < needed:
            return False
        self._take_row(Row(view, identifier, record["label"], record["split"]), shape)
        return True

    def _take_row(self, row: Row, shape: tuple[int, ...]) -> None:
        self.rows.setdefault(row.view, []).append(row)
        self.shapes[row.view] = shape
        self.seen.add((row.view, row.id))

    def _take_failure(self, failure: Failure) -> None:
        self.failures.append(failure)
        self.seen.add((failure.view, failure.id))

    def _note(self, record: dict[str, Any]) -> None:
        self._journal.write(json.dumps(record).encode() + b"\n")
        self._journal.flush()

    def _numbers_of(self, view: str) -> IO[bytes]:
        if view not in self._numbers:
            self._numbers[view] = (self.folder / f"{view}.f32").open("ab", buffering=0)
            if view not in self.rows:
                self._numbers[view].truncate(0)  # numbers of a row whose journal line was lost
        return self._numbers[view]


def _records(lines: list[bytes]) -> Iterator[tuple[bytes, dict[str, Any]]]:
    """Yield the lines that were written whole, up to the first that was not."""
    for line in lines:
        if not line.endswith(b"\n"):
            return
        try:
            yield line, json.loads(line)
        except ValueError:
            return


def _n_bytes(shape: tuple[int, ...]) -> int:
    return _BYTES_PER_NUMBER * int(np.prod(shape))
