"""A shared space made of one linear map per view: what CCA, cluster-CCA and mean-CCA give."""

from dataclasses import dataclass

from models.cca.typicality import TypicalityModel
from models.cca.view_space import ViewSpace, ViewTensors
from models.types import Float64Array, View


@dataclass(frozen=True, slots=True, eq=False)
class LinearView:
    """The map of one view.

    Attributes:
        mean: Shape (D,).
        scale: Shape (D,); features are (x - mean) / scale before anything else.
        weights: Shape (D, K).
        typicality: Distance of standardised rows to the training data.
    """

    mean: Float64Array
    scale: Float64Array
    weights: Float64Array
    typicality: TypicalityModel

    @property
    def n_components(self) -> int:
        """K of the subspace."""
        return self.weights.shape[1]

    def embed(self, row: Float64Array) -> Float64Array:
        """Map a standardised row (D,) to (K,): z = W'x."""
        return row @ self.weights

    def numbers(self) -> dict[str, Float64Array]:
        """The arrays of ``embed`` by name."""
        return {"weights": self.weights}


class LinearSpace(ViewSpace[LinearView]):
    """Projects rows of each view to unit rows of one subspace by a linear map."""

    @staticmethod
    def read_map(view: View, tensors: ViewTensors) -> LinearView:
        """Rebuild the map of one view.

        Raises:
            ShapeError: If a tensor is missing or has another shape.
        """
        mean, scale = tensors.standardisation()
        weights = tensors.array("weights", view.dimension, "K")
        return LinearView(mean, scale, weights, tensors.typicality())
