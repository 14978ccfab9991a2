"""CLAP for sound: what a sound means, as its captions would say it."""

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from models.features.extractor import ExtractorSpec
from models.features.foundation.checkpoint_extractor import CheckpointExtractor
from models.features.foundation.checkpoints import CONFIG, PREPROCESSOR
from models.features.foundation.published_network import load_network
from models.features.foundation.sound_windows import MAX_WINDOWS, SoundWindows
from models.types import Audio, Float32Array, Modality

if TYPE_CHECKING:
    from torch import Tensor


class Clap(CheckpointExtractor[Audio]):
    """Extractor ``clap``: the audio tower of CLAP on fixed windows of 10 s (Wu et al. 2023).

    A row is the mean of the windows' unit embeddings, of length 1; a step is one window.
    """

    checkpoint = "clap"

    @property
    def spec(self) -> ExtractorSpec:
        """Name, dimensions and parameters."""
        dimension = int(self.found.json(CONFIG)["projection_dim"])
        return ExtractorSpec(
            name="clap",
            modality=Modality.AUDIO,
            dimension=dimension,
            sequence_dimension=dimension,
            parameters={
                "version": 1,
                "weights_sha256": self.found.weights.sha256,
                "max_windows": MAX_WINDOWS,
            },
        )

    @cached_property
    def windows(self) -> SoundWindows:
        """The front end of the checkpoint."""
        return SoundWindows.of(self.found.json(PREPROCESSOR))

    def prepare(self, media: Audio, *, sequence: bool = False) -> Float32Array:  # noqa: ARG002
        """Return windows of the sound as log-mel pictures, shape (P, 1, frames, bands)."""
        return self.windows.pieces(media)

    def network(self, *, sequence: bool) -> "Callable[[Tensor], Tensor]":  # noqa: ARG002
        """Return the map from windows to unit rows (B, D)."""
        from torch.nn import functional

        network = load_network(self.found, "ClapAudioModelWithProjection", self.device)
        return lambda windows: functional.normalize(network(windows).audio_embeds, dim=1)
