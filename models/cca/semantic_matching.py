"""A shared space made of class posteriors: semantic matching, with CCA before it or without.

Rasiwasia, Costa Pereira, Coviello, Doyle, Lanckriet, Levy, Vasconcelos, "A New Approach to
Cross-Modal Multimedia Retrieval", ACM MM 2010: a classifier per view maps its rows to the
probabilities of the classes, and rows of different views are compared there. Class posteriors after
CCA (their semantic correlation matching) are of the same form, since an affine map of a linear
projection is an affine map of the features.
"""

from dataclasses import dataclass

import numpy as np

from models.cca.typicality import TypicalityModel
from models.cca.view_space import ViewSpace, ViewTensors
from models.types import Float64Array, View


@dataclass(frozen=True, slots=True, eq=False)
class PosteriorView:
    """The map of one view: multinomial logistic regression.

    Attributes:
        mean: Shape (D,).
        scale: Shape (D,); features are (x - mean) / scale before anything else.
        weights: Shape (D, C), divided by the temperature.
        bias: Shape (C,), divided by the temperature.
        centre: Shape (C,), subtracted from the posteriors: 0, or 1 / C of every class.
        typicality: Distance of standardised rows to the training data.
    """

    mean: Float64Array
    scale: Float64Array
    weights: Float64Array
    bias: Float64Array
    centre: Float64Array
    typicality: TypicalityModel

    @property
    def n_components(self) -> int:
        """K of the subspace: the number of classes."""
        return self.weights.shape[1]

    def embed(self, row: Float64Array) -> Float64Array:
        """Map a standardised row (D,) to posteriors (C,) about the centre."""
        return posteriors(row @ self.weights + self.bias) - self.centre

    def numbers(self) -> dict[str, Float64Array]:
        """The arrays of ``embed`` by name."""
        return {"weights": self.weights, "bias": self.bias, "centre": self.centre}


class PosteriorSpace(ViewSpace[PosteriorView]):
    """Projects rows of each view to class posteriors, as unit rows."""

    @staticmethod
    def read_map(view: View, tensors: ViewTensors) -> PosteriorView:
        """Rebuild the map of one view.

        Raises:
            ShapeError: If a tensor is missing or has another shape.
        """
        mean, scale = tensors.standardisation()
        weights = tensors.array("weights", view.dimension, "C")
        n_classes = weights.shape[1]
        return PosteriorView(
            mean,
            scale,
            weights,
            tensors.array("bias", n_classes),
            tensors.array("centre", n_classes),
            tensors.typicality(),
        )


def posteriors(logits: Float64Array) -> Float64Array:
    """Softmax over the last axis: exp(z_c) / sum of exp(z), shape (..., C).

    Example:
        >>> posteriors(np.array([1000.0, 1000.0])).tolist()
        [0.5, 0.5]
    """
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return raised / raised.sum(axis=-1, keepdims=True)
