"""What the published encoders share: pieces of an item through a network, read at its first use."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Generic

import numpy as np

from models.features.extractor import MediaT, Pieces
from models.features.foundation.checkpoints import CheckpointFolder, find_checkpoint
from models.features.network_batch import through_network
from models.types import Float32Array, Float64Array

if TYPE_CHECKING:
    from torch import Tensor


class PiecewiseExtractor(Generic[MediaT]):
    """Base of extractors whose items are several pieces: windows, frames, parts of a text.

    A subclass names its ``checkpoint`` and writes ``spec``, ``prepare`` and ``network``.
    """

    checkpoint: ClassVar[str]
    device = "cpu"

    @cached_property
    def found(self) -> CheckpointFolder:
        """The checkpoint on disk; weights are not read."""
        return find_checkpoint(self.checkpoint)

    def prepare(self, media: MediaT, *, sequence: bool = False) -> Pieces:
        """Return what passes the network, shape (P, ...)."""
        raise NotImplementedError

    def network(self, *, sequence: bool) -> "Callable[[Tensor], Tensor]":
        """Return the map from pieces (B, ...) to rows (B, D), or to steps (B, T, S)."""
        raise NotImplementedError

    def pooled(self, media: MediaT) -> Float32Array:
        """Return one row of length 1 for the item: the direction of the mean of its pieces."""
        return self.forward([self.prepare(media)])[0]

    def sequence(self, media: MediaT) -> Float32Array:
        """Return its steps in order, shape (T, S)."""
        return self.forward([self.prepare(media, sequence=True)], sequence=True)[0]

    def forward(self, batch: Sequence[Pieces], *, sequence: bool = False) -> list[Float32Array]:
        """Pass the pieces of several items through the network; see ``BatchExtractor``."""
        outputs = through_network(self.network(sequence=sequence), batch, device=self.device)
        if sequence:
            return [rows.reshape(-1, rows.shape[-1]) for rows in outputs]
        return [unit(rows.mean(axis=0, dtype=np.float64)) for rows in outputs]

    def to(self, device: str) -> None:
        """Run the network on ``cpu`` or ``cuda`` from now on."""
        self.device = device


def unit(row: Float64Array) -> Float32Array:
    """Scale a row (D,) to length 1; a row of zeros stays one."""
    length = float(np.sqrt((row * row).sum()))
    return (row / length if length > 0.0 else row).astype(np.float32)
