"""What lies where in a feature row, and in which unit."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from models.types import Float32Array, Float64Array


class Run(NamedTuple):
    """Neighbouring numbers of one kind.

    Attributes:
        name: What they are.
        size: How many there are.
        spread: Their usual standard deviation over a mixed collection. Rows are divided by it, so
            that no kind outweighs another in a distance or drowns under a common noise floor.
    """

    name: str
    size: int
    spread: float


class RowLayout:
    """The runs of a row, in order."""

    def __init__(self, *runs: Run) -> None:
        self.runs = runs
        self.dimension = sum(run.size for run in runs)
        self._spread = np.repeat([run.spread for run in runs], [run.size for run in runs])

    def slices(self) -> dict[str, slice]:
        """Return the place of each run in the row, by name."""
        ends = np.cumsum([run.size for run in self.runs]).tolist()
        places = zip(self.runs, ends, strict=True)
        return {run.name: slice(end - run.size, end) for run, end in places}

    def row(self, parts: Sequence[Float64Array]) -> Float32Array:
        """Join parts, flattened, in the units of their runs, shape (dimension,).

        Raises:
            ValueError: If the parts do not have as many numbers as the runs.
        """
        joined = np.concatenate([part.ravel() for part in parts])
        return (joined / self._spread).astype(np.float32)
