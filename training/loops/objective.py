"""What a gradient method is to the fit loop: encoders with the loss they are trained by."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from torch import Tensor, nn

from models.cca.linalg import Projections
from models.encoders.specification import Specification
from models.encoders.view_encoders import ViewEncoders
from models.types import Float32Array
from training.datasets.feature_data import FeatureView
from training.loops.batches import Batch


class Moment(NamedTuple):
    """Where training stands.

    Attributes:
        progress: Share of the epochs that has passed, in [0, 1).
        epoch: From 0.
    """

    progress: float
    epoch: int


class Network(Protocol):
    """A network of a method: encoders, and what only training needs."""

    encoders: ViewEncoders


class Objective(nn.Module):
    """A network and its loss; a method subclasses it.

    Args:
        network: A module with ``encoders``, one per view: all that a space keeps.

    Attributes:
        has_head: True for a method whose outputs pass a closed-form map at the end.
        closing: Specification of an encoder without numbers of its own that the outputs pass last,
            in validation and in the space; None for none.
    """

    has_head = False
    closing: Specification | None = None

    def __init__(self, network: Network) -> None:
        super().__init__()
        self._encoders = (network.encoders,)  # in a tuple: registered once, by the network

    @property
    def encoders(self) -> ViewEncoders:
        """One encoder per view."""
        return self._encoders[0]

    def loss(self, batch: Batch, moment: Moment) -> dict[str, Tensor]:
        """Weighted parts of the loss by name; their sum is minimised."""
        raise NotImplementedError

    def head(
        self, embedded: Mapping[str, Float32Array], views: Mapping[str, FeatureView]
    ) -> Projections:
        """The closed-form map of the outputs, fitted on training rows, where there is one.

        Args:
            embedded: Outputs (N, K) of each view.
            views: The training rows they belong to.
        """
        raise NotImplementedError
