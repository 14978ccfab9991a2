"""YAMNet: MobileNet V1 on log-mel patches, trained on AudioSet (Plakal and Ellis, 2019)."""

import torch
from torch import Tensor, nn

from models.networks.separable import SameConv

EMBEDDING, CLASSES = 1024, 521
PATCH_FRAMES, BANDS = 96, 64
_LAYERS = (  # (stride of the depthwise convolution, filters) of layer2 .. layer14
    (1, 64), (2, 128), (1, 128), (2, 256), (1, 256), (2, 512), (1, 512), (1, 512), (1, 512),
    (1, 512), (1, 512), (2, 1024), (1, 1024),
)  # fmt: skip
N_LAYERS = len(_LAYERS) + 1


class Separable(nn.Module):
    """Depthwise 3 x 3, then pointwise convolution, each with ReLU."""

    def __init__(self, channels: int, filters: int, *, stride: int) -> None:
        super().__init__()
        self.depthwise_conv = SameConv(channels, channels, kernel=3, stride=stride, groups=channels)
        self.pointwise_conv = SameConv(channels, filters)

    def forward(self, planes: Tensor) -> Tensor:
        """Return (B, filters, rows / stride, columns / stride)."""
        return self.pointwise_conv(self.depthwise_conv(planes))


class YAMNetTrunk(nn.Module):
    """The first layers of the published network, named as in the TensorFlow release.

    Batch normalisation is folded into the convolutions, as in the TFLite file.

    Args:
        n_layers: How many, 2 to 14.
    """

    def __init__(self, n_layers: int) -> None:
        super().__init__()
        self.layer1 = SameConv(1, 32, kernel=3, stride=2)
        self.names = [f"layer{number}" for number in range(1, n_layers + 1)]
        channels = 32
        for name, (stride, filters) in zip(self.names[1:], _LAYERS, strict=False):
            self.add_module(name, Separable(channels, filters, stride=stride))
            channels = filters

    def forward(self, patches: Tensor) -> Tensor:
        """Return the embeddings of patches, shape (B, filters of the last layer), >= 0.

        Args:
            patches: ``log(mel + 0.001)``, shape (B, 96 frames, 64 bands).
        """
        planes = patches[:, None]
        for name in self.names:
            planes = self.get_submodule(name)(planes)
        return planes.mean(dim=(2, 3))


class YAMNet(YAMNetTrunk):
    """The published network: 14 layers, embeddings of 1,024 numbers, and a classifier."""

    def __init__(self) -> None:
        super().__init__(N_LAYERS)
        self.dense = nn.Linear(EMBEDDING, CLASSES)

    def scores(self, embeddings: Tensor) -> Tensor:
        """Return the scores of the 521 AudioSet classes, independent of each other, in (0, 1)."""
        return torch.sigmoid(self.dense(embeddings))
