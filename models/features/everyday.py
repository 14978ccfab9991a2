"""What the shipped space of sounds, pictures and videos reads: a network beside a description.

The network knows what things are; the description without weights knows when and where something
happens, which a network that was trained to name things lets go of. A scene's own video is found
by the second, its kind by the first (figures in docs/extractors.md).
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar, Generic

import numpy as np

from models.features.audio import LogMelStatistics
from models.features.compact import CompactAudio, CompactFrames, CompactImage
from models.features.extractor import Extractor, ExtractorSpec, MediaT
from models.features.image import GradientColour
from models.features.steps import resample_steps
from models.features.video import FrameMotion
from models.types import Audio, Float32Array, Image, Video


class Joined(Generic[MediaT]):
    """Rows of several extractors of one modality side by side; a subclass names them."""

    name: ClassVar[str]
    kinds: ClassVar[Sequence[type[Any]]]

    @cached_property
    def parts(self) -> tuple[Extractor[MediaT], ...]:
        """The extractors, in the order of their numbers in the row."""
        return tuple(kind() for kind in self.kinds)

    @property
    def spec(self) -> ExtractorSpec:
        """Name, dimensions, and the fingerprint of every part."""
        specs = [part.spec for part in self.parts]
        return ExtractorSpec(
            name=self.name,
            modality=specs[0].modality,
            dimension=sum(spec.dimension for spec in specs),
            sequence_dimension=sum(spec.sequence_dimension for spec in specs),
            parameters={"version": 1, **{spec.name: spec.fingerprint for spec in specs}},
        )

    def sequence(self, media: MediaT) -> Float32Array:
        """Return as many steps as the first part has, shape (T, D); others are averaged to that."""
        sequences: list[Float32Array] = [part.sequence(media) for part in self.parts]
        steps = len(sequences[0])
        return np.concatenate([resample_steps(one, steps) for one in sequences], axis=1)

    def pooled(self, media: MediaT) -> Float32Array:
        """Return the rows of all parts, one after the other, shape (D,)."""
        return np.concatenate([part.pooled(media) for part in self.parts])


class EverydayAudio(Joined[Audio]):
    """Extractor ``everyday-audio``: ``compact-audio`` and ``log-mel-statistics``."""

    name = "everyday-audio"
    kinds = (CompactAudio, LogMelStatistics)


class EverydayImage(Joined[Image]):
    """Extractor ``everyday-image``: ``compact-image`` and ``gradient-colour``."""

    name = "everyday-image"
    kinds = (CompactImage, GradientColour)


class EverydayVideo(Joined[Video]):
    """Extractor ``everyday-video``: ``compact-frames`` and ``frame-motion``; no sound."""

    name = "everyday-video"
    kinds = (CompactFrames, FrameMotion)
