"""Write a feature file row by row, so that long work can be stopped at any moment and resumed."""

import json
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from models.errors import DataError
from models.types import Float32Array
from training.datasets.feature_data import RawView
from training.datasets.feature_file import FeatureHeader, write_views
from training.datasets.partial_rows import Failure, PartialRows, Row

__all__ = ["Failure", "FeatureFileWriter", "Row"]


class FeatureFileWriter:
    """Collects rows for one feature file; one writer at a time. Also a context manager.

    Leaving the context (or a kill) keeps the partial rows; a writer opened later with the same
    header goes on behind them. ``finish`` turns them into the feature file with one rename.

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
        folder = path.with_name(f"{path.name}.partial")
        self._partial = PartialRows(folder, _identity(header, settings))

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
        return view_and_id in self._partial.seen

    def __len__(self) -> int:
        """Number of rows and failures written so far."""
        return len(self._partial.seen)

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Failures noted so far, in order."""
        return tuple(self._partial.failures)

    @property
    def row_counts(self) -> dict[str, int]:
        """Rows of each view so far."""
        return {view: len(rows) for view, rows in sorted(self._partial.rows.items())}

    def append(self, row: Row, features: Float32Array) -> None:
        """Add one row; it survives a kill of the process once this returns.

        Args:
            row: Its description.
            features: Its numbers, shape (D,) or (T, D), the same for all rows of the view.

        Raises:
            DataError: If the id is there already, or the shape is another one or empty, or a
                number is not finite.
        """
        if (row.view, row.id) in self:
            raise DataError(f"{row.view}/ids: expected a new id, found {row.id!r} again")
        if not row.view or "/" in row.view:
            raise DataError(f"view: expected a name without '/', found {row.view!r}")
        features = np.asarray(features, dtype=np.float32)
        expected = self._partial.shapes.get(row.view, features.shape)
        if features.shape != expected or features.ndim not in (1, 2) or features.size == 0:
            raise DataError(
                f"{row.view}/features: expected a row of shape {expected}, (D,) or (T, D), found "
                f"{features.shape} for id {row.id!r}"
            )
        if not np.isfinite(features).all():
            raise DataError(f"{row.view}/features: found NaN or infinity for id {row.id!r}")
        self._partial.append(row, features)

    def skip(self, failure: Failure) -> None:
        """Note that an example gave no row, so that a restart does not try it again."""
        self._partial.skip(failure)

    def finish(self) -> None:
        """Write the feature file and remove the partial rows.

        Raises:
            DataError: If there is no row, or labels or splits are given for some rows of a view
                and not for others.
        """
        if not self._partial.rows:
            raise DataError(f"{self._path}: expected at least one row, found none")
        views = {name: self._view(name, rows) for name, rows in self._partial.rows.items()}
        write_views(self._path, views, self._header)
        del views  # they map files that go away now
        self.discard()

    def discard(self) -> None:
        """Throw the partial rows away; the writer cannot be used afterwards."""
        self._partial.discard()

    def close(self) -> None:
        """Close the files; partial rows stay. May be called again."""
        self._partial.close()

    def _view(self, name: str, rows: Sequence[Row]) -> RawView:
        labels, splits = [row.label for row in rows], [row.split for row in rows]
        labelled = _check_complete(f"{name}/labels", labels)
        divided = _check_complete(f"{name}/split", splits)
        return RawView(
            self._partial.features(name),
            np.array([row.id for row in rows], dtype=np.str_),
            np.array(labels, dtype=np.int64) if labelled else None,
            np.array(splits, dtype=np.str_) if divided else None,
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


def _check_complete(key: str, values: Sequence[object | None]) -> bool:
    """Return whether the column is there; refuse one with gaps."""
    n_given = sum(value is not None for value in values)
    if 0 < n_given < len(values):
        raise DataError(
            f"{key}: expected one for each of {len(values)} rows or none, found {n_given}"
        )
    return n_given > 0
