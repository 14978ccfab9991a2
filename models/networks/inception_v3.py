"""Inception V3 (Szegedy et al., "Rethinking the Inception architecture", CVPR 2016).

Layers are named as in torchvision, so its weights and those of ``timm`` fit.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

EMBEDDING, CLASSES = 2048, 1000
SIZE = 299
_Size = int | tuple[int, int]


class BasicConv2d(nn.Module):
    """Convolution, batch normalisation, ReLU; "same" padding unless ``valid``."""

    def __init__(
        self,
        channels: int,
        filters: int,
        kernel: _Size = 1,
        *,
        stride: int = 1,
        valid: bool = False,
    ) -> None:
        super().__init__()
        rows, columns = (kernel, kernel) if isinstance(kernel, int) else kernel
        padding = (0, 0) if valid else (rows // 2, columns // 2)
        self.conv = nn.Conv2d(channels, filters, (rows, columns), stride, padding, bias=False)
        self.bn: nn.Module = nn.BatchNorm2d(filters, eps=0.001)

    def forward(self, planes: Tensor) -> Tensor:
        """Return (B, filters, rows, columns)."""
        return functional.relu(self.bn(self.conv(planes)))


def _reduce(channels: int, filters: int) -> BasicConv2d:
    return BasicConv2d(channels, filters, 3, stride=2, valid=True)


def _pooled(planes: Tensor) -> Tensor:
    return functional.avg_pool2d(planes, 3, stride=1, padding=1)


class InceptionA(nn.Module):
    """1 x 1, 5 x 5 and double 3 x 3 side by side; 224 + pool_features channels."""

    def __init__(self, channels: int, pool_features: int) -> None:
        super().__init__()
        self.branch1x1 = BasicConv2d(channels, 64)
        self.branch5x5_1 = BasicConv2d(channels, 48)
        self.branch5x5_2 = BasicConv2d(48, 64, 5)
        self.branch3x3dbl_1 = BasicConv2d(channels, 64)
        self.branch3x3dbl_2 = BasicConv2d(64, 96, 3)
        self.branch3x3dbl_3 = BasicConv2d(96, 96, 3)
        self.branch_pool = BasicConv2d(channels, pool_features)

    def forward(self, planes: Tensor) -> Tensor:
        """Return the branches, joined along the channels."""
        five = self.branch5x5_2(self.branch5x5_1(planes))
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(planes)))
        pool = self.branch_pool(_pooled(planes))
        return torch.cat([self.branch1x1(planes), five, double, pool], 1)


class InceptionB(nn.Module):
    """Halves the sides; channels + 480."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.branch3x3 = _reduce(channels, 384)
        self.branch3x3dbl_1 = BasicConv2d(channels, 64)
        self.branch3x3dbl_2 = BasicConv2d(64, 96, 3)
        self.branch3x3dbl_3 = _reduce(96, 96)

    def forward(self, planes: Tensor) -> Tensor:
        """Return the branches, joined along the channels."""
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(planes)))
        pool = functional.max_pool2d(planes, 3, stride=2)
        return torch.cat([self.branch3x3(planes), double, pool], 1)


class InceptionC(nn.Module):
    """7 x 7 as 1 x 7 and 7 x 1, once and twice; 768 channels."""

    def __init__(self, channels: int, channels_7x7: int) -> None:
        super().__init__()
        c = channels_7x7
        self.branch1x1 = BasicConv2d(channels, 192)
        self.branch7x7_1 = BasicConv2d(channels, c)
        self.branch7x7_2 = BasicConv2d(c, c, (1, 7))
        self.branch7x7_3 = BasicConv2d(c, 192, (7, 1))
        self.branch7x7dbl_1 = BasicConv2d(channels, c)
        self.branch7x7dbl_2 = BasicConv2d(c, c, (7, 1))
        self.branch7x7dbl_3 = BasicConv2d(c, c, (1, 7))
        self.branch7x7dbl_4 = BasicConv2d(c, c, (7, 1))
        self.branch7x7dbl_5 = BasicConv2d(c, 192, (1, 7))
        self.branch_pool = BasicConv2d(channels, 192)

    def forward(self, planes: Tensor) -> Tensor:
        """Return the branches, joined along the channels."""
        seven = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(planes)))
        double = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(planes)))
        double = self.branch7x7dbl_5(self.branch7x7dbl_4(double))
        pool = self.branch_pool(_pooled(planes))
        return torch.cat([self.branch1x1(planes), seven, double, pool], 1)


class InceptionD(nn.Module):
    """Halves the sides; channels + 512."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.branch3x3_1 = BasicConv2d(channels, 192)
        self.branch3x3_2 = _reduce(192, 320)
        self.branch7x7x3_1 = BasicConv2d(channels, 192)
        self.branch7x7x3_2 = BasicConv2d(192, 192, (1, 7))
        self.branch7x7x3_3 = BasicConv2d(192, 192, (7, 1))
        self.branch7x7x3_4 = _reduce(192, 192)

    def forward(self, planes: Tensor) -> Tensor:
        """Return the branches, joined along the channels."""
        three = self.branch3x3_2(self.branch3x3_1(planes))
        seven = self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(planes)))
        pool = functional.max_pool2d(planes, 3, stride=2)
        return torch.cat([three, self.branch7x7x3_4(seven), pool], 1)


class InceptionE(nn.Module):
    """3 x 3 split into 1 x 3 beside 3 x 1; 2,048 channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.branch1x1 = BasicConv2d(channels, 320)
        self.branch3x3_1 = BasicConv2d(channels, 384)
        self.branch3x3_2a = BasicConv2d(384, 384, (1, 3))
        self.branch3x3_2b = BasicConv2d(384, 384, (3, 1))
        self.branch3x3dbl_1 = BasicConv2d(channels, 448)
        self.branch3x3dbl_2 = BasicConv2d(448, 384, 3)
        self.branch3x3dbl_3a = BasicConv2d(384, 384, (1, 3))
        self.branch3x3dbl_3b = BasicConv2d(384, 384, (3, 1))
        self.branch_pool = BasicConv2d(channels, 192)

    def forward(self, planes: Tensor) -> Tensor:
        """Return the branches, joined along the channels."""
        three = self.branch3x3_1(planes)
        double = self.branch3x3dbl_2(self.branch3x3dbl_1(planes))
        parts = [
            self.branch1x1(planes),
            self.branch3x3_2a(three),
            self.branch3x3_2b(three),
            self.branch3x3dbl_3a(double),
            self.branch3x3dbl_3b(double),
            self.branch_pool(_pooled(planes)),
        ]
        return torch.cat(parts, 1)


class InceptionAux(nn.Module):
    """The side classifier of training; only its layout is kept, no feature comes from it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv0 = BasicConv2d(channels, 128)
        self.conv1 = BasicConv2d(128, 768, 5, valid=True)
        self.fc = nn.Linear(768, CLASSES)


class InceptionV3(nn.Module):
    """The published network.

    Args:
        auxiliary: Also hold the layers of the side classifier, which published files contain.
    """

    def __init__(self, *, auxiliary: bool = False) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = _reduce(3, 32)
        self.Conv2d_2a_3x3 = BasicConv2d(32, 32, 3, valid=True)
        self.Conv2d_2b_3x3 = BasicConv2d(32, 64, 3)
        self.maxpool1 = nn.MaxPool2d(3, 2)
        self.Conv2d_3b_1x1 = BasicConv2d(64, 80)
        self.Conv2d_4a_3x3 = BasicConv2d(80, 192, 3, valid=True)
        self.maxpool2 = nn.MaxPool2d(3, 2)
        self.Mixed_5b = InceptionA(192, 32)
        self.Mixed_5c = InceptionA(256, 64)
        self.Mixed_5d = InceptionA(288, 64)
        self.Mixed_6a = InceptionB(288)
        self.Mixed_6b = InceptionC(768, 128)
        self.Mixed_6c = InceptionC(768, 160)
        self.Mixed_6d = InceptionC(768, 160)
        self.Mixed_6e = InceptionC(768, 192)
        self._trunk = tuple(name for name, _ in self.named_children())
        if auxiliary:
            self.AuxLogits = InceptionAux(768)
        tail = {
            "Mixed_7a": InceptionD(768),
            "Mixed_7b": InceptionE(1280),
            "Mixed_7c": InceptionE(2048),
        }
        for name, block in tail.items():
            self.add_module(name, block)
        self._trunk += tuple(tail)
        self.fc = nn.Linear(EMBEDDING, CLASSES)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the pooled embeddings of pictures, shape (B, 2048), >= 0; see `cells`."""
        return self.cells(pictures).mean(dim=1)

    def cells(self, pictures: Tensor) -> Tensor:
        """Return the embeddings of the 8 x 8 places of pictures, shape (B, 64, 2048), row by row.

        Args:
            pictures: RGB in [-1, 1], shape (B, 3, 299, 299); at least 75 pixels a side.
        """
        planes = pictures
        for name in self._trunk:
            planes = self.get_submodule(name)(planes)
        return planes.flatten(2).transpose(1, 2)

    def scores(self, embeddings: Tensor) -> Tensor:
        """Return the probabilities of the 1,000 classes of ImageNet, in its order."""
        return torch.softmax(self.fc(embeddings), dim=1)
