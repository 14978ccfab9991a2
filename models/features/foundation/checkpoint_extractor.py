"""What the published encoders share: a pinned checkpoint, and rows of length 1."""

from functools import cached_property
from typing import ClassVar

import numpy as np

from models.features.extractor import MediaT
from models.features.foundation.checkpoints import CheckpointFolder, find_checkpoint
from models.features.piecewise import PiecewiseExtractor
from models.types import Float32Array, Float64Array


class CheckpointExtractor(PiecewiseExtractor[MediaT]):
    """Base: a subclass names its ``checkpoint``; a row is the direction of the mean."""

    checkpoint: ClassVar[str]

    @cached_property
    def found(self) -> CheckpointFolder:
        """The checkpoint on disk; weights are not read."""
        return find_checkpoint(self.checkpoint)

    def row(self, mean: Float64Array) -> Float32Array:
        """Return the mean of the pieces at length 1."""
        return unit(mean)


def unit(row: Float64Array) -> Float32Array:
    """Scale a row (D,) to length 1; a row of zeros stays one."""
    length = float(np.sqrt((row * row).sum()))
    return (row / length if length > 0.0 else row).astype(np.float32)
