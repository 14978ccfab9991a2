"""The network of TNN-C-CCA: an anchor branch and a branch shared by positives and negatives.

Zeng, Yu, Oyama, "Deep Triplet Neural Networks with Cluster-CCA for Audio-Visual Cross-Modal
Retrieval", TOMM 2020. One view is the anchor (audio); positive and negative rows of the other view
pass one branch, so two branches with weights of their own are the whole network. In the order
``cca-first`` each branch begins with a fixed cluster-CCA projection.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import nn

from models.cca.linalg import Projections
from models.encoders.affine import affine_specification, affine_state
from models.encoders.chain import Chain, chain_specification
from models.encoders.specification import Specification
from models.encoders.view_encoders import ViewEncoders

INITIAL_DEVIATION = 0.05  # of the weights of inner layers in the released code (Keras `normal`)


class TripletNetwork(nn.Module):
    """A branch per view.

    Args:
        branches: Specification of each view's trainable branch.
        front: Cluster-CCA of the inputs in the order of the views; None for raw features.
    """

    def __init__(
        self, branches: Mapping[str, Specification], front: Projections | None = None
    ) -> None:
        super().__init__()
        if front is None:
            self.encoders = ViewEncoders(branches)
            return
        shapes = [weights.shape for weights in front.weights]
        self.encoders = ViewEncoders(
            {
                name: chain_specification(affine_specification(*shape), branch)
                for (name, branch), shape in zip(branches.items(), shapes, strict=True)
            }
        )
        for number, name in enumerate(branches):
            first = self.encoders.of_kind(name, Chain).stages[0]
            first.load_state_dict(affine_state(front.means[number], front.weights[number]))

    def start_as_released(self, views: Sequence[str]) -> None:
        """Draw the weights of every inner linear layer from N(0, 0.05^2), biases 0."""
        for view in views:
            linear = [m for m in self.encoders.of(view).modules() if isinstance(m, nn.Linear)]
            for layer in linear[1:]:
                torch.nn.init.normal_(layer.weight, std=INITIAL_DEVIATION)
                torch.nn.init.zeros_(layer.bias)
