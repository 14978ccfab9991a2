"""What extractors around a network share: the pieces of an item pass it, and are pooled."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, Generic

import numpy as np

from models.features.extractor import MediaT, Pieces
from models.features.network_batch import through_network
from models.types import Float32Array, Float64Array

if TYPE_CHECKING:
    from torch import Tensor


class PiecewiseExtractor(Generic[MediaT]):
    """Base of extractors whose items are several pieces: patches, windows, frames, parts of a text.

    A subclass writes ``spec``, ``prepare`` and ``network``, and ``row`` where it is not the mean.
    """

    cpu_pieces: ClassVar[int] = 1
    device = "cpu"

    def prepare(self, media: MediaT, *, sequence: bool = False) -> Pieces:
        """Return what passes the network, shape (P, ...); no weights, no torch."""
        raise NotImplementedError

    def network(self, *, sequence: bool) -> "Callable[[Tensor], Tensor]":
        """Return the map from pieces (B, ...) to rows (B, D), or to steps (B, T, S)."""
        raise NotImplementedError

    def row(self, mean: Float64Array) -> Float32Array:
        """Return the row of an item for the mean of its pieces, both of shape (D,)."""
        return mean.astype(np.float32)

    def pooled(self, media: MediaT) -> Float32Array:
        """Return one row for the item, shape (D,)."""
        return self.forward([self.prepare(media)])[0]

    def sequence(self, media: MediaT) -> Float32Array:
        """Return its steps in order, shape (T, S)."""
        return self.forward([self.prepare(media, sequence=True)], sequence=True)[0]

    def forward(self, batch: Sequence[Pieces], *, sequence: bool = False) -> list[Float32Array]:
        """Pass the pieces of several items through the network; see ``BatchExtractor``."""
        outputs = through_network(
            self.network(sequence=sequence), batch, device=self.device, cpu_pieces=self.cpu_pieces
        )
        if sequence:
            return [rows.reshape(-1, rows.shape[-1]) for rows in outputs]
        return [self.row(rows.mean(axis=0, dtype=np.float64)) for rows in outputs]

    def to(self, device: str) -> None:
        """Run the network on ``cpu`` or ``cuda`` from now on."""
        self.device = device
