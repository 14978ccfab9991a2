"""VGGish: a VGG-like network on log-mel patches (Hershey et al., ICASSP 2017; AudioSet release)."""

import torch
from torch import Tensor, nn

EMBEDDING = 128
PATCH_FRAMES, BANDS = 96, 64
_CHANNELS: tuple[int | None, ...] = (64, None, 128, None, 256, 256, None, 512, 512, None)
HIDDEN = 4096
QUANTISED_RANGE = 2.0  # principal components are clipped to -2 .. 2 before they become bytes


class VGGish(nn.Module):
    """The published network, layers named as in torchvggish (``features.*``, ``embeddings.*``)."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(*_convolutions())
        last = 512 * (PATCH_FRAMES // 16) * (BANDS // 16)
        self.embeddings = nn.Sequential(
            nn.Linear(last, HIDDEN),
            nn.ReLU(),
            nn.Linear(HIDDEN, HIDDEN),
            nn.ReLU(),
            nn.Linear(HIDDEN, EMBEDDING),
            nn.ReLU(),
        )

    def forward(self, patches: Tensor) -> Tensor:
        """Return the embeddings of patches, shape (B, 128), >= 0.

        Args:
            patches: ``log(mel + 0.01)``, shape (B, 96 frames, 64 bands).
        """
        planes = self.features(patches[:, None])  # (B, 512, 6, 4)
        rows = planes.permute(0, 2, 3, 1).flatten(
            1
        )  # frame, band, channel: the order of TensorFlow
        return self.embeddings(rows)


class Postprocessor(nn.Module):
    """What turns embeddings into the 128 bytes of AudioSet and YouTube-8M.

    Principal components (with whitening, as published), clipped to [-2, 2], in 256 levels.
    """

    pca_eigen_vectors: Tensor
    pca_means: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("pca_eigen_vectors", torch.zeros(EMBEDDING, EMBEDDING))
        self.register_buffer("pca_means", torch.zeros(EMBEDDING, 1))

    def forward(self, embeddings: Tensor) -> Tensor:
        """Return whole numbers 0 .. 255, as floats, shape (B, 128)."""
        components = (self.pca_eigen_vectors @ (embeddings.T - self.pca_means)).T
        clipped = components.clamp(-QUANTISED_RANGE, QUANTISED_RANGE)
        return ((clipped + QUANTISED_RANGE) * (255.0 / (2.0 * QUANTISED_RANGE))).floor()


class VGGishPca(VGGish):
    """The network with its `Postprocessor`, named ``pproc`` as in torchvggish."""

    def __init__(self) -> None:
        super().__init__()
        self.pproc = Postprocessor()

    def forward(self, patches: Tensor) -> Tensor:
        """Return whole numbers 0 .. 255, as floats, shape (B, 128)."""
        return self.pproc(super().forward(patches))


def _convolutions() -> list[nn.Module]:
    layers: list[nn.Module] = []
    channels = 1
    for filters in _CHANNELS:
        if filters is None:
            layers.append(nn.MaxPool2d(2))
        else:
            layers += [nn.Conv2d(channels, filters, 3, padding=1), nn.ReLU()]
            channels = filters
    return layers
