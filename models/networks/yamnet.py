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


class Separable(nn.Module):
    """Depthwise 3 x 3, then pointwise convolution, each with ReLU."""

    def __init__(self, channels: int, filters: int, *, stride: int) -> None:
        super().__init__()
        self.depthwise_conv = SameConv(channels, channels, kernel=3, stride=stride, groups=channels)
        self.pointwise_conv = SameConv(channels, filters)

    def forward(self, planes: Tensor) -> Tensor:
        """Return (B, filters, rows / stride, columns / stride)."""
        return self.pointwise_conv(self.depthwise_conv(planes))


class YAMNet(nn.Module):
    """The published network; layers are named as in the TensorFlow release.

    Batch normalisation is folded into the convolutions, as in the TFLite file.
    """

    def __init__(self) -> None:
        super().__init__()
        self.layer1 = SameConv(1, 32, kernel=3, stride=2)
        channels = 32
        for number, (stride, filters) in enumerate(_LAYERS, 2):
            self.add_module(f"layer{number}", Separable(channels, filters, stride=stride))
            channels = filters
        self.dense = nn.Linear(EMBEDDING, CLASSES)

    def forward(self, patches: Tensor) -> Tensor:
        """Return the embeddings of patches, shape (B, 1024), >= 0.

        Args:
            patches: ``log(mel + 0.001)``, shape (B, 96 frames, 64 bands).
        """
        planes = patches[:, None]
        for number in range(1, len(_LAYERS) + 2):
            planes = self.get_submodule(f"layer{number}")(planes)
        return planes.mean(dim=(2, 3))

    def scores(self, embeddings: Tensor) -> Tensor:
        """Return the scores of the 521 AudioSet classes, independent of each other, in (0, 1)."""
        return torch.sigmoid(self.dense(embeddings))
