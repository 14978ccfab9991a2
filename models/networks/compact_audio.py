"""The audio network that ships: YAMNet without its classifier, trained further by Kyomei."""

import torch
from torch import Tensor

from models.networks import yamnet
from models.networks.yamnet import N_LAYERS, YAMNetTrunk

LEVELS = {"layer12": 512, "layer14": yamnet.EMBEDDING}
EMBEDDING = sum(LEVELS.values())


class CompactAudio(YAMNetTrunk):
    """3.2 million weights; layers are named as in YAMNet, so its weights fit.

    Two levels are put out: the last layer knows kinds of sound, and has let go of what tells
    spoken words apart; the twelfth still has it.
    """

    def __init__(self) -> None:
        super().__init__(N_LAYERS)

    def forward(self, patches: Tensor) -> Tensor:
        """Return the embeddings of patches, shape (B, 512 + 1024), >= 0.

        Args:
            patches: ``log(mel + 0.001)``, shape (B, 96 frames, 64 bands).
        """
        planes, levels = patches[:, None], []
        for name in self.names:
            planes = self.get_submodule(name)(planes)
            if name in LEVELS:
                levels.append(planes.mean(dim=(2, 3)))
        return torch.cat(levels, dim=1)
