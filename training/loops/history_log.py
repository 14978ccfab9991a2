"""The history of a training run for TensorBoard, where it is asked for."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.errors import DataError


class HistoryLog:
    """Writes numbers per epoch.

    Args:
        folder: Where TensorBoard's files go; None writes nothing.

    Raises:
        DataError: If TensorBoard is asked for and not installed.
    """

    def __init__(self, folder: Path | None) -> None:
        self._writer: Any = None
        if folder is not None:
            try:
                from torch.utils.tensorboard import SummaryWriter
            except ImportError as error:
                raise DataError(
                    "expected TensorBoard for log = 'tensorboard', found none; install it with "
                    "pip install 'kyomei[logging]'"
                ) from error
            self._writer = SummaryWriter(str(folder))

    def write(self, phase: str, entry: Mapping[str, float | int | str]) -> None:
        """Write one epoch of ``select`` or ``refit``."""
        if self._writer is None:
            return
        for name, number in entry.items():
            if isinstance(number, int | float) and name != "epoch":
                self._writer.add_scalar(f"{phase}/{name}", number, int(entry["epoch"]))

    def close(self) -> None:
        """End the files."""
        if self._writer is not None:
            self._writer.close()
