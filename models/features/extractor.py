"""What an extractor is: a fixed, deterministic map from decoded media to feature rows."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeGuard, TypeVar

from numpy.typing import NDArray

from models.types import Audio, Float32Array, Image, Lyrics, Modality, Score, Video

Pieces = NDArray[Any]  # what passes a network: (P, ...), P >= 1, all pieces of one shape and type

MediaT = TypeVar("MediaT", Audio, Image, Video, Lyrics, Score, contravariant=True)


@dataclass(frozen=True, slots=True)
class ExtractorSpec:
    """Identity of an extractor; stored with features and spaces and compared at search time.

    Attributes:
        name: Key in ``EXTRACTORS``.
        modality: What it reads.
        dimension: D of the pooled row.
        sequence_dimension: D of one step of the sequence.
        parameters: Every number that changes the output, JSON values only.
    """

    name: str
    modality: Modality
    dimension: int
    sequence_dimension: int
    parameters: Mapping[str, int | float | str] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """First 16 hex digits of the SHA-256 of name, dimensions and parameters."""
        identity = {
            "name": self.name,
            "dimension": self.dimension,
            "sequence_dimension": self.sequence_dimension,
            "parameters": dict(self.parameters),
        }
        return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]


class Extractor(Protocol[MediaT]):
    """A fixed network or descriptor. The same media gives the same bits, alone or in a batch."""

    @property
    def spec(self) -> ExtractorSpec:
        """Name, dimensions and parameters."""
        ...

    def sequence(self, media: MediaT) -> Float32Array:
        """Steps over time (audio, video), lines (lyrics) or place (image, score), shape (T, D)."""
        ...

    def pooled(self, media: MediaT) -> Float32Array:
        """One row for the whole item, shape (D,), finite."""
        ...


class BatchExtractor(Extractor[MediaT], Protocol[MediaT]):
    """An extractor whose front end and network run apart: in worker processes and on a device.

    ``pooled(m)`` is ``forward([prepare(m)])[0]``, and ``sequence(m)`` the same with
    ``sequence=True``, so that single items and batches cannot differ.
    """

    def prepare(self, media: MediaT, *, sequence: bool = False) -> Pieces:
        """Front end: what passes the network, such as patches, windows or frames.

        Runs in a worker process: it reads no weights and imports no network library.

        Args:
            media: Decoded media.
            sequence: For ``sequence`` rather than for ``pooled``.

        Returns:
            Shape (P, ...), P bounded whatever the length of the media.
        """
        ...

    def forward(self, batch: Sequence[Pieces], *, sequence: bool = False) -> list[Float32Array]:
        """Network and pooling; weights are read on the first call. Safe to call from any thread.

        Args:
            batch: The pieces of each item. On the CPU an item's bits do not depend on the others.
            sequence: As in ``prepare``.

        Returns:
            A row (D,) for each item, or its steps (T, D) with ``sequence``.
        """
        ...

    def to(self, device: str) -> None:
        """Run the network on ``cpu`` or ``cuda`` from now on."""
        ...


def runs_in_batches(extractor: Extractor[Any]) -> TypeGuard[BatchExtractor[Any]]:
    """Tell whether an extractor has its front end and its network apart."""
    return callable(getattr(extractor, "prepare", None))
