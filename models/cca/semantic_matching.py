"""A shared space made of class posteriors: semantic matching, with CCA before it or without.

Rasiwasia, Costa Pereira, Coviello, Doyle, Lanckriet, Levy, Vasconcelos, "A New Approach to
Cross-Modal Multimedia Retrieval", ACM MM 2010: a classifier per view maps its rows to the
probabilities of the classes, and rows of different views are compared there. Class posteriors after
CCA (their semantic correlation matching) are of the same form, since an affine map of a linear
projection is an affine map of the features.

Posteriors p and q of two views are independent given their items, so sum_c p_c q_c is the
probability that both are of one class, the best order of the answers where p and q are right. It is
a cosine of unit rows when each view keeps what is missing to length 1 in a component of its own:
[p, sqrt(1 - |p|^2), 0] and [q, 0, sqrt(1 - |q|^2)]. Within one view both rows have the same own
component, and the cosine is larger than that probability.
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
        own: Shape (M,), 1 at the component that only this view has; empty where posteriors are
            compared by their cosine.
        typicality: Distance of standardised rows to the training data.
    """

    mean: Float64Array
    scale: Float64Array
    weights: Float64Array
    bias: Float64Array
    centre: Float64Array
    own: Float64Array
    typicality: TypicalityModel

    @property
    def n_components(self) -> int:
        """K of the subspace: the number of classes, and of views where each has its own."""
        return self.weights.shape[1] + len(self.own)

    def embed(self, row: Float64Array) -> Float64Array:
        """Map a standardised row (D,) to compared posteriors (K,)."""
        found = posteriors(row @ self.weights + self.bias)
        return compared_posteriors(found, self.centre, self.own)

    def numbers(self) -> dict[str, Float64Array]:
        """The arrays of ``embed`` by name."""
        return {"weights": self.weights, "bias": self.bias, "centre": self.centre, "own": self.own}


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
            tensors.array("own", "M"),
            tensors.typicality(),
        )


def compared_posteriors(
    found: Float64Array, centre: Float64Array, own: Float64Array
) -> Float64Array:
    """Rows whose cosine compares posteriors.

    Args:
        found: Posteriors, shape (..., C).
        centre: Subtracted, shape (C,).
        own: Where what is missing to length 1 goes, shape (M,); may be empty.

    Returns:
        Shape (..., C + M).
    """
    missing = np.sqrt(np.maximum(1.0 - np.square(found).sum(axis=-1, keepdims=True), 0.0))
    return np.concatenate([found - centre, missing * own], axis=-1)


def posteriors(logits: Float64Array) -> Float64Array:
    """Softmax over the last axis: exp(z_c) / sum of exp(z), shape (..., C).

    Example:
        >>> posteriors(np.array([1000.0, 1000.0])).tolist()
        [0.5, 0.5]
    """
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return raised / raised.sum(axis=-1, keepdims=True)
