"""YAMNet and VGGish: log-mel patches of a sound through a network trained for AudioSet."""

from typing import TYPE_CHECKING

import numpy as np

from models.features.audioset_mel import MEL, PATCH_FRAMES, PATCH_SAMPLES, filled, patches
from models.features.log_mel import resampled
from models.features.published.base import PublishedExtractor
from models.types import Audio, Float32Array, Modality

if TYPE_CHECKING:
    from torch import nn

_CHUNK = (
    4  # patches at once: with fewer a network of convolutions is slower, see docs/extractors.md
)


class Yamnet(PublishedExtractor[Audio]):
    """Extractor ``yamnet``: a step is a patch of 0.96 s every 0.48 s; a row is their mean.

    As published, silence fills the last patch, so that none of the sound is left out.
    """

    name = weights_name = "yamnet"
    modality = Modality.AUDIO
    dimension = 1024
    parameters = {"version": 1, "log_offset": 0.001, "patch_hop_seconds": 0.48}  # noqa: RUF012
    cpu_pieces = 4  # see docs/extractors.md

    def prepare(self, media: Audio, *, sequence: bool = False) -> Float32Array:  # noqa: ARG002
        """Return log-mel patches, shape (P, 96, 64)."""
        hop = PATCH_FRAMES // 2
        samples = filled(resampled(media, MEL.sample_rate_hz), hop_frames=hop)
        return patches(samples, offset=0.001, hop_frames=hop)

    def module(self) -> "nn.Module":
        """Return the map from patches to embeddings (B, 1024)."""
        from models.networks.yamnet import YAMNet

        return self.loaded(YAMNet)


class YamnetInt8(PublishedExtractor[Audio]):
    """Extractor ``yamnet-int8``: as the TFLite file computes it, its 8-bit front end included.

    For features that must agree with the interpreter, such as ``av11_features.h5``; ``yamnet``
    tells sounds apart better.
    """

    name, weights_name = "yamnet-int8", "yamnet"
    modality = Modality.AUDIO
    dimension = 1024
    parameters = {"version": 1, "patch_hop_seconds": 0.48}  # noqa: RUF012
    cpu_pieces = 4

    def prepare(self, media: Audio, *, sequence: bool = False) -> Float32Array:  # noqa: ARG002
        """Return patches of samples, shape (P, 15600)."""
        hop = PATCH_FRAMES // 2
        samples = filled(resampled(media, MEL.sample_rate_hz), hop_frames=hop)
        windows = np.lib.stride_tricks.sliding_window_view(samples, PATCH_SAMPLES)
        return windows[:: hop * MEL.hop_samples].astype(np.float32)

    def module(self) -> "nn.Module":
        """Return the map from patches of samples to embeddings (B, 1024)."""
        from models.networks.yamnet_int8 import YAMNetInt8

        return self.loaded(YAMNetInt8)


class Vggish(PublishedExtractor[Audio]):
    """Extractor ``vggish``: a step is a patch of 0.96 s every 0.96 s; a row is their mean.

    As published, a rest at the end that fills no patch is left out.
    """

    name = weights_name = "vggish"
    modality = Modality.AUDIO
    dimension = 128
    parameters = {"version": 1, "log_offset": 0.01, "patch_hop_seconds": 0.96}  # noqa: RUF012
    cpu_pieces = 2

    def prepare(self, media: Audio, *, sequence: bool = False) -> Float32Array:  # noqa: ARG002
        """Return log-mel patches, shape (P, 96, 64); silence fills up a shorter sound."""
        samples = resampled(media, MEL.sample_rate_hz)
        missing = max(0, PATCH_SAMPLES - len(samples))
        return patches(np.pad(samples, (0, missing)), offset=0.01, hop_frames=PATCH_FRAMES)

    def module(self) -> "nn.Module":
        """Return the map from patches to embeddings (B, 128)."""
        from models.networks.vggish import VGGish

        return self.loaded(VGGish)


class VggishPca(Vggish):
    """Extractor ``vggish-pca``: ``vggish`` as AudioSet and YouTube-8M publish it.

    Principal components, whitened, clipped to [-2, 2], in 256 levels 0 .. 255.
    """

    name = "vggish-pca"

    def module(self) -> "nn.Module":
        """Return the map from patches to whole numbers 0 .. 255, (B, 128)."""
        from models.networks.vggish import VGGishPca

        return self.loaded(VGGishPca)
