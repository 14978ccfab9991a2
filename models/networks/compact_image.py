"""The image network that ships: MobileNetV2 without its classifier, trained further by Kyomei."""

from torch import Tensor

from models.networks.mobilenet_v2 import EMBEDDING as EMBEDDING
from models.networks.mobilenet_v2 import MobileNetV2Trunk


class CompactImage(MobileNetV2Trunk):
    """2.2 million weights; blocks are named as in MobileNetV2, so its weights fit."""

    def cells(self, pictures: Tensor) -> Tensor:
        """Return the embeddings of the 4 x 4 places of pictures, shape (B, 16, 1280), in [0, 6].

        Args:
            pictures: sRGB values 0..255, shape (B, 128, 128, 3), uint8.
        """
        return super().cells(network_input(pictures))


def network_input(pictures: Tensor) -> Tensor:
    """Pictures (B, rows, columns, 3), uint8, as MobileNetV2 takes them: channels first, [-1, 1]."""
    return pictures.permute(0, 3, 1, 2).float() / 127.5 - 1.0
