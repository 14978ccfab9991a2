"""CLIP and SigLIP for pictures and for the frames of videos."""

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from models.features import sampled_frames
from models.features.extractor import ExtractorSpec, MediaT
from models.features.foundation.checkpoint_extractor import CheckpointExtractor
from models.features.foundation.checkpoints import CONFIG, PREPROCESSOR
from models.features.foundation.picture_crops import PictureCrops
from models.features.foundation.published_network import load_network
from models.types import Image, Modality, UInt8Array, Video

if TYPE_CHECKING:
    from torch import Tensor


class _VisionTower(CheckpointExtractor[MediaT]):
    """The part that pictures and frames share: crops, the tower and its sizes."""

    name: ClassVar[str]
    modality: ClassVar[Modality]

    @property
    def spec(self) -> ExtractorSpec:
        """Name, dimensions and parameters."""
        config = self.found.json(CONFIG)
        hidden = int(config.get("vision_config", {}).get("hidden_size", 768))
        row = int(config.get("projection_dim", 512)) if self.checkpoint == "clip" else hidden
        of_frames = self.modality == Modality.VIDEO
        frames = {
            "frames_per_second": sampled_frames.FRAMES_PER_SECOND,
            "max_frames": sampled_frames.MAX_FRAMES,
        }
        return ExtractorSpec(
            name=self.name,
            modality=self.modality,
            dimension=row,
            sequence_dimension=row if of_frames else hidden,
            parameters={
                "version": 1,
                "weights_sha256": self.found.weights.sha256,
                **(frames if of_frames else {}),
            },
        )

    @cached_property
    def crops(self) -> PictureCrops:
        """The front end of the checkpoint."""
        return PictureCrops.of(self.found.json(PREPROCESSOR))

    def network(self, *, sequence: bool) -> "Callable[[Tensor], Tensor]":
        """Return the map from crops to unit rows (B, D), or to the patches of pictures."""
        import torch
        from torch.nn import functional

        clip = self.checkpoint == "clip"
        architecture = "CLIPVisionModelWithProjection" if clip else "SiglipVisionModel"
        tower = load_network(self.found, architecture, self.device)
        mean = torch.tensor(self.crops.mean, device=self.device).view(3, 1, 1)
        deviation = torch.tensor(self.crops.deviation, device=self.device).view(3, 1, 1)
        patches = sequence and self.modality == Modality.IMAGE

        def run(pieces: "Tensor") -> "Tensor":
            colours = pieces.permute(0, 3, 1, 2).float() / 255.0  # (B, 3, size, size)
            output = tower(pixel_values=(colours - mean) / deviation)
            if patches:
                return output.last_hidden_state[:, 1 if clip else 0 :]
            row = output.image_embeds if clip else output.pooler_output
            return functional.normalize(row, dim=1)

        return run


class _Pictures(_VisionTower[Image]):
    """A row is the picture's embedding of length 1; steps are its patches in reading order."""

    modality = Modality.IMAGE

    def prepare(self, media: Image, *, sequence: bool = False) -> UInt8Array:  # noqa: ARG002
        """Return the crop of the picture, shape (1, size, size, 3)."""
        return self.crops.piece(media.pixels)[None]


class _Frames(_VisionTower[Video]):
    """A row is the mean of the frames' unit embeddings, of length 1; a step is one frame."""

    modality = Modality.VIDEO

    def prepare(self, media: Video, *, sequence: bool = False) -> UInt8Array:  # noqa: ARG002
        """Return crops of one frame a second, at most 32, shape (P, size, size, 3)."""
        return np.stack([self.crops.piece(frame) for frame in sampled_frames.sampled_frames(media)])


class Clip(_Pictures):
    """Extractor ``clip``: the vision tower of CLIP ViT-B/32 (Radford et al. 2021)."""

    name = checkpoint = "clip"


class ClipFrames(_Frames):
    """Extractor ``clip-frames``: the vision tower of CLIP on frames."""

    name, checkpoint = "clip-frames", "clip"


class Siglip(_Pictures):
    """Extractor ``siglip``: the vision tower of SigLIP ViT-B/16 (Zhai et al. 2023)."""

    name = checkpoint = "siglip"


class SiglipFrames(_Frames):
    """Extractor ``siglip-frames``: the vision tower of SigLIP on frames."""

    name, checkpoint = "siglip-frames", "siglip"
