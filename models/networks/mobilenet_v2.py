"""MobileNetV2 1.0 at 224 pixels (Sandler et al., "MobileNetV2", CVPR 2018)."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.networks.separable import SameConv

EMBEDDING, CLASSES = 1280, 1001
SIZE = 224
_BLOCKS = (  # (expansion, filters, repeats, stride of the first), table 2 of the paper
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
    (6, 320, 1, 1),
)  # fmt: skip
N_BLOCKS = sum(repeats for _, _, repeats, _ in _BLOCKS)


class InvertedResidual(nn.Module):
    """Expand, filter per channel, project; the input is added where the shape stays."""

    def __init__(self, channels: int, filters: int, *, expansion: int, stride: int) -> None:
        super().__init__()
        wide, act = channels * expansion, functional.relu6
        self.expand = SameConv(channels, wide, activation=act) if expansion > 1 else nn.Identity()
        self.depthwise = SameConv(wide, wide, kernel=3, stride=stride, groups=wide, activation=act)
        self.project = SameConv(wide, filters, activation=None)
        self.adds = stride == 1 and channels == filters

    def forward(self, planes: Tensor) -> Tensor:
        """Return (B, filters, rows / stride, columns / stride)."""
        result: Tensor = self.project(self.depthwise(self.expand(planes)))
        return planes + result if self.adds else result


class MobileNetV2(nn.Module):
    """The published network; blocks are named as in the TensorFlow release.

    Batch normalisation is folded into the convolutions, as in the TFLite file.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv_first = SameConv(3, 32, kernel=3, stride=2, activation=functional.relu6)
        channels, number = 32, 0
        for expansion, filters, repeats, first_stride in _BLOCKS:
            for repeat in range(repeats):
                number += 1
                stride = first_stride if repeat == 0 else 1
                block = InvertedResidual(channels, filters, expansion=expansion, stride=stride)
                self.add_module(f"expanded_conv_{number}", block)
                channels = filters
        self.conv_last = SameConv(channels, EMBEDDING, activation=functional.relu6)
        self.output = nn.Linear(EMBEDDING, CLASSES)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the pooled embeddings of pictures, shape (B, 1280), in [0, 6]; see `cells`."""
        return self.cells(pictures).mean(dim=1)

    def cells(self, pictures: Tensor) -> Tensor:
        """Return the embeddings of the 7 x 7 places of pictures, shape (B, 49, 1280), row by row.

        Args:
            pictures: RGB in [-1, 1], shape (B, 3, 224, 224).
        """
        planes: Tensor = self.conv_first(pictures)
        for number in range(1, N_BLOCKS + 1):
            planes = self.get_submodule(f"expanded_conv_{number}")(planes)
        return self.conv_last(planes).flatten(2).transpose(1, 2)

    def scores(self, embeddings: Tensor) -> Tensor:
        """Return the probabilities of 1,001 classes; 0 is "background", then ImageNet's order."""
        return torch.softmax(self.output(embeddings), dim=1)
