"""Write a feature file row by row, so that long work can be stopped at any moment and resumed.

Rows go to ``OUT.h5.partial/``: the numbers of each view to ``VIEW.f32`` and, after them, one JSON
line to ``journal.jsonl``. A line counts when it and its numbers are complete, so a kill loses at
most the row being written; HDF5 itself gives no such promise. ``finish`` turns the rows into the
feature file with one rename.
"""

import fcntl
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np

from models.errors import DataError
from models.types import Float32Array
from training.datasets.feature_data import RawView
from training.datasets.feature_file import FeatureHeader, write_views

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


class FeatureFileWriter:
    """Collects rows for one feature file; one writer at a time. Also a context manager.

    Leaving the context (or a kill) keeps the partial rows; a writer opened later with the same
    header goes on behind them.

    Args:
        path: The feature file to make; ``PATH.partial`` beside it holds the rows until ``finish``.
        header: What the file will say about all rows.
        settings: Whatever else decided the numbers, compared on restart.

    Raises:
        DataError: If partial rows of another header or settings are there, or another process is
            writing them.
    """

    def __init__(self, path: Path, header: FeatureHeader, *, settings: str = "") -> None:
        self._path = path
        self._header = header
        self._folder = path.with_name(f"{path.name}.partial")
        self._folder.mkdir(parents=True, exist_ok=True)
        self._rows: dict[str, list[Row]] = {}
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._failures: list[Failure] = []
        self._seen: set[tuple[str, str]] = set()
        self._numbers: dict[str, IO[bytes]] = {}
        self._journal = (self._folder / "journal.jsonl").open("a+b")
        try:
            self._lock()
            self._restore(_identity(header, settings))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        """Return the writer."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the files; partial rows stay."""
        self.close()

    def __contains__(self, view_and_id: tuple[str, str]) -> bool:
        """Tell whether (view, id) is there already, as a row or as a failure."""
        return view_and_id in self._seen

    def __len__(self) -> int:
        """Number of rows and failures written so far."""
        return len(self._seen)

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Failures noted so far, in order."""
        return tuple(self._failures)

    @property
    def row_counts(self) -> dict[str, int]:
        """Rows of each view so far."""
        return {view: len(rows) for view, rows in sorted(self._rows.items())}

    def append(self, row: Row, features: Float32Array) -> None:
        """Add one row; it survives a kill of the process once this returns.

        Args:
            row: Its description.
            features: Its numbers, shape (D,) or (T, D), the same for all rows of the view.

        Raises:
            DataError: If the id is there already, or the shape is another one or empty, or a
                number is not finite.
        """
        if (row.view, row.id) in self._seen:
            raise DataError(f"{row.view}/ids: expected a new id, found {row.id!r} again")
        if not row.view or "/" in row.view:
            raise DataError(f"view: expected a name without '/', found {row.view!r}")
        features = np.ascontiguousarray(features, dtype=np.float32)
        expected = self._shapes.get(row.view, features.shape)
        if features.shape != expected or features.ndim not in (1, 2) or features.size == 0:
            raise DataError(
                f"{row.view}/features: expected a row of shape {expected}, (D,) or (T, D), found "
                f"{features.shape} for id {row.id!r}"
            )
        if not np.isfinite(features).all():
            raise DataError(f"{row.view}/features: found NaN or infinity for id {row.id!r}")
        numbers = self._numbers_of(row.view)
        numbers.write(features.astype("<f4").tobytes())
        self._note(
            {
                "view": row.view,
                "id": row.id,
                "label": row.label,
                "split": row.split,
                "shape": list(features.shape),
            }
        )
        self._take_row(row, features.shape)

    def skip(self, failure: Failure) -> None:
        """Note that an example gave no row, so that a restart does not try it again."""
        self._note(
            {"view": failure.view, "id": failure.id, "failed": [failure.reason, failure.message]}
        )
        self._take_failure(failure)

    def finish(self) -> None:
        """Write the feature file and remove the partial rows.

        Raises:
            DataError: If there is no row, or labels or splits are given for some rows of a view
                and not for others.
        """
        if not self._rows:
            raise DataError(f"{self._path}: expected at least one row, found none")
        views = {name: self._view(name, rows) for name, rows in self._rows.items()}
        write_views(self._path, views, self._header)
        del views  # they map files that go away now
        self.discard()

    def discard(self) -> None:
        """Throw the partial rows away; the writer cannot be used afterwards."""
        self.close()
        shutil.rmtree(self._folder)

    def close(self) -> None:
        """Close the files; partial rows stay. May be called again."""
        for file in self._numbers.values():
            file.close()
        self._journal.close()

    def _lock(self) -> None:
        try:
            fcntl.flock(self._journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise DataError(
                f"{self._folder}: another process is writing it; wait for it"
            ) from error

    def _restore(self, identity: str) -> None:
        """Take over the complete rows of an earlier run and cut off what follows them."""
        self._journal.seek(0)
        lines = self._journal.read().splitlines(keepends=True)
        if not lines or not lines[0].endswith(b"\n"):
            self._journal.truncate(0)
            self._journal.write(identity.encode() + b"\n")
            self._journal.flush()
            return
        if lines[0].decode().rstrip("\n") != identity:
            raise DataError(
                f"{self._folder}: expected rows of this run ({identity}), found those of another "
                f"({lines[0].decode().strip()}); delete the folder to start anew"
            )
        complete = len(lines[0])
        for line, record in _records(lines[1:]):
            if not self._take(record):
                break
            complete += len(line)
        self._journal.truncate(complete)
        for view, rows in self._rows.items():
            self._numbers_of(view).truncate(len(rows) * _n_bytes(self._shapes[view]))

    def _take(self, record: dict[str, Any]) -> bool:
        """Take one line of the journal; False when its numbers did not reach the disk."""
        view, identifier = record["view"], record["id"]
        if "failed" in record:
            self._take_failure(Failure(view, identifier, *record["failed"]))
            return True
        shape = tuple(record["shape"])
        path = self._folder / f"{view}.f32"
        needed = (len(self._rows.get(view, ())) + 1) * _n_bytes(shape)
        if not path.exists() or path.stat().st_size < needed:
            return False
        self._take_row(Row(view, identifier, record["label"], record["split"]), shape)
        return True

    def _take_row(self, row: Row, shape: tuple[int, ...]) -> None:
        self._rows.setdefault(row.view, []).append(row)
        self._shapes[row.view] = shape
        self._seen.add((row.view, row.id))

    def _take_failure(self, failure: Failure) -> None:
        self._failures.append(failure)
        self._seen.add((failure.view, failure.id))

    def _note(self, record: dict[str, Any]) -> None:
        self._journal.write(json.dumps(record).encode() + b"\n")
        self._journal.flush()

    def _numbers_of(self, view: str) -> IO[bytes]:
        if view not in self._numbers:
            path = self._folder / f"{view}.f32"
            self._numbers[view] = path.open("ab", buffering=0)
            if view not in self._rows:
                self._numbers[view].truncate(0)  # numbers of a row whose journal line was lost
        return self._numbers[view]

    def _view(self, name: str, rows: list[Row]) -> RawView:
        features = np.memmap(
            self._folder / f"{name}.f32",
            dtype="<f4",
            mode="r",
            shape=(len(rows), *self._shapes[name]),
        )
        labels = [row.label for row in rows if row.label is not None]
        splits = [row.split for row in rows if row.split is not None]
        for key, given in (("labels", labels), ("split", splits)):
            if given and len(given) < len(rows):
                raise DataError(
                    f"{name}/{key}: expected one for each of {len(rows)} rows or none, found "
                    f"{len(given)}"
                )
        return RawView(
            features,
            np.array([row.id for row in rows], dtype=np.str_),
            np.array(labels, dtype=np.int64) if labels else None,
            np.array(splits, dtype=np.str_) if splits else None,
        )


def _identity(header: FeatureHeader, settings: str) -> str:
    return json.dumps(
        {
            "classes": list(header.classes),
            "source": header.source,
            "licence": header.licence,
            "extractors": {view: list(pair) for view, pair in sorted(header.extractors.items())},
            "settings": settings,
        }
    )


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
