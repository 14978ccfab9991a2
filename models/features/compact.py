"""The networks that ship with Kyomei: sounds, pictures and frames, trained in training/."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.features.audioset_mel import MEL, PATCH_FRAMES, PATCH_SAMPLES, filled, patches
from models.features.log_mel import resampled
from models.features.published.base import PublishedExtractor
from models.features.published.pictures import FRAME_PARAMETERS, framed
from models.features.sampled_frames import sampled_frames
from models.types import (
    Audio,
    Float32Array,
    Float64Array,
    Image,
    Int64Array,
    Modality,
    UInt8Array,
    Video,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from models.networks.compact_audio import CompactAudio as AudioNetwork
    from models.networks.compact_image import CompactImage as ImageNetwork

SIZE = 128
HOP_FRAMES = PATCH_FRAMES // 2  # 0.48 s between the starts of patches
LOG_OFFSET = 0.001
LEAST_POWER = 0.01  # of the loudest patch; quieter ones are silence beside it


class CompactAudio(PublishedExtractor[Audio]):
    """Extractor ``compact-audio``: a step is a patch of 0.96 s every 0.48 s.

    A row is the mean of the patches that are not silent beside the loudest one: clips are often
    filled up with silence, which belongs to no class.
    """

    name = weights_name = "compact-audio"
    modality = Modality.AUDIO
    dimension = 1536
    cpu_pieces = 4
    parameters = {  # noqa: RUF012
        "version": 1,
        "log_offset": LOG_OFFSET,
        "patch_hop_seconds": HOP_FRAMES / MEL.frame_rate_hz,
        "least_power": LEAST_POWER,
    }

    def prepare(self, media: Audio, *, sequence: bool = False) -> Float32Array:
        """Return log-mel patches, shape (P, 96, 64): of a sequence all, else the loud ones."""
        samples = filled(resampled(media, MEL.sample_rate_hz), hop_frames=HOP_FRAMES)
        cut = patches(samples, offset=LOG_OFFSET, hop_frames=HOP_FRAMES)
        starts = HOP_FRAMES * MEL.hop_samples * np.arange(len(cut))
        return cut if sequence else cut[is_loud(samples, starts)]

    def module(self) -> "AudioNetwork":
        """Return the network with its weights, on the device."""
        from models.networks.compact_audio import CompactAudio as AudioNetwork

        return self.loaded(AudioNetwork)


def is_loud(samples: Float64Array, starts: Int64Array) -> NDArray[np.bool_]:
    """Tell which patches of a sound are not silent beside the loudest one, shape (P,).

    Args:
        samples: At 16 kHz, shape (T,).
        starts: First sample of each patch, shape (P,).
    """
    energy = np.concatenate([[0.0], np.cumsum(samples**2)])
    power = energy[np.minimum(starts + PATCH_SAMPLES, len(samples))] - energy[starts]
    return power >= LEAST_POWER * power.max()


class CompactImage(PublishedExtractor[Image]):
    """Extractor ``compact-image``: a picture at 128 x 128; a step is one of its 4 x 4 places."""

    name = weights_name = "compact-image"
    modality = Modality.IMAGE
    dimension = 1280
    parameters = {"version": 1, "size": SIZE}  # noqa: RUF012

    def prepare(self, media: Image, *, sequence: bool = False) -> UInt8Array:  # noqa: ARG002
        """Return the picture, stretched, shape (1, 128, 128, 3)."""
        return framed(media.pixels, SIZE, share=None)[None]

    def module(self) -> "ImageNetwork":
        """Return the network with its weights, on the device."""
        return _image_network(self)

    def network(self, *, sequence: bool) -> "Callable[[Tensor], Tensor]":
        """Return the map from pictures to rows (B, 1280), or to places (B, 16, 1280)."""
        return self.module().cells if sequence else self.module()


class CompactFrames(PublishedExtractor[Video]):
    """Extractor ``compact-frames``: ``compact-image`` on one frame a second; no sound."""

    name, weights_name = "compact-frames", "compact-image"
    modality = Modality.VIDEO
    dimension = 1280
    parameters = {"version": 1, "size": SIZE, **FRAME_PARAMETERS}  # noqa: RUF012

    def prepare(self, media: Video, *, sequence: bool = False) -> UInt8Array:  # noqa: ARG002
        """Return frames, stretched, shape (P, 128, 128, 3)."""
        return np.stack([framed(frame, SIZE, share=None) for frame in sampled_frames(media)])

    def module(self) -> "ImageNetwork":
        """Return the network with its weights, on the device."""
        return _image_network(self)


def _image_network(extractor: "CompactImage | CompactFrames") -> "ImageNetwork":
    from models.networks.compact_image import CompactImage as ImageNetwork

    return extractor.loaded(ImageNetwork)
