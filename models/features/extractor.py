"""What an extractor is: a fixed, deterministic map from decoded media to feature rows."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from models.types import Audio, Float32Array, Image, Lyrics, Modality, Score, Video

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
