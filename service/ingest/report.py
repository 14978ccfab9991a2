"""What came of indexing, and the file that names every media file that was left out."""

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from models.errors import DataError
from models.file_names import printable_name

_logger = logging.getLogger(__name__)
_MOST_KEPT = 1000


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What came of indexing a folder or manifest.

    Attributes:
        added: Number of new items.
        present: Number of files that were there already.
        skipped: Name and reason of the first 1,000 files that were left out.
        n_skipped: How many were left out.
        seconds: How long it took.
    """

    added: int
    present: int
    skipped: tuple[tuple[str, str], ...]
    n_skipped: int
    seconds: float


class SkippedFiles:
    """Counts the files that were left out, keeps the first and writes all. A context manager.

    Attributes:
        count: How many.
        first: Name and reason of the first 1,000.
    """

    def __init__(self, path: Path | None) -> None:
        """Start the file, if one is wanted: a JSON object ``{"path", "reason"}`` a line.

        Raises:
            DataError: When it cannot be written.
        """
        self.count = 0
        self.first: list[tuple[str, str]] = []
        try:
            self._file = None if path is None else path.open("w", encoding="utf-8")
        except OSError as error:
            raise DataError(
                f"expected to write the report to {path}, got: {error.strerror}"
            ) from error

    def add(self, name: str, reason: str) -> None:
        """Note a file and why it was left out."""
        name = printable_name(name)
        self.count += 1
        if len(self.first) < _MOST_KEPT:
            self.first.append((name, reason))
        if self._file is not None:
            line = json.dumps({"path": name, "reason": reason}, ensure_ascii=False)
            self._file.write(f"{line}\n")
            self._file.flush()
        _logger.info("skipped %s: %s", name, reason)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
