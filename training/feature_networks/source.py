"""Batches of pieces from labelled files, drawn anew in every epoch."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.feature_networks.config import FeatureNetworkConfig
from training.feature_networks.labelled_media import LabelledFile
from training.loops.batches import Batch

TeacherOf = Callable[[Tensor, Tensor], Tensor]
Piece = tuple[NDArray[np.generic], int]  # with the number of its file
_BATCHES_HELD_BACK = 8


class Pieces(Protocol):
    """Files as the network takes them."""

    def whole(self, number: int) -> NDArray[np.generic]:
        """All pieces of a file, unchanged, (P, ...)."""
        ...

    def draw(self, number: int, rng: np.random.Generator, *, augment: bool) -> NDArray[np.generic]:
        """Some pieces of a file for training, (P, ...)."""
        ...


class PieceSource:
    """Deals pieces out in batches; every file comes once an epoch.

    Args:
        files: What `pieces` numbers.
        pieces: Their content.
        config: Sizes.
        teacher: (pieces, file numbers) to what the teacher sees; None without one.
    """

    def __init__(
        self,
        files: Sequence[LabelledFile],
        pieces: Pieces,
        config: FeatureNetworkConfig,
        teacher: TeacherOf | None,
    ) -> None:
        self._pieces, self._config, self._teacher = pieces, config, teacher
        self._tasks = np.array([one.task for one in files], np.int64)
        self._labels = np.array([one.label for one in files], np.int64)

    def epoch(self, rng: np.random.Generator) -> Iterator[Batch]:
        """Yield the batches of one epoch; what does not fill a batch is left out."""
        held: list[Piece] = []
        keep = _BATCHES_HELD_BACK * self._config.batch_size
        for piece in _shuffled(self._drawn(rng), rng, keep=keep):
            held.append(piece)
            if len(held) == self._config.batch_size:
                yield self._batch(held)
                held = []

    def _drawn(self, rng: np.random.Generator) -> Iterator[Piece]:
        for number in rng.permutation(len(self._tasks)).tolist():
            for piece in self._pieces.draw(number, rng, augment=self._config.augment):
                yield piece, number

    def _batch(self, held: Sequence[Piece]) -> Batch:
        device = torch.device(self._config.device)
        numbers = np.array([number for _, number in held])
        pieces = torch.from_numpy(np.stack([piece for piece, _ in held])).to(device)
        features = {"pieces": pieces}
        if self._teacher is not None:
            features["teacher"] = self._teacher(pieces, torch.from_numpy(numbers))
        labels = {
            "task": torch.from_numpy(self._tasks[numbers]).to(device),
            "class": torch.from_numpy(self._labels[numbers]).to(device),
        }
        return Batch(features, labels, {})


def _shuffled(pieces: Iterator[Piece], rng: np.random.Generator, *, keep: int) -> Iterator[Piece]:
    """Pieces in an order that mixes files: some are held back, a random one comes out."""
    held: list[Piece] = []
    for piece in pieces:
        if len(held) < keep:
            held.append(piece)
            continue
        place = int(rng.integers(keep))
        yield held[place]
        held[place] = piece
    yield from (held[k] for k in rng.permutation(len(held)))
