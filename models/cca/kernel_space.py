"""A shared space made of one kernel expansion per view: what kernel CCA gives."""

from dataclasses import dataclass

from models.cca.kernel_map import KernelMap, rbf_kernel
from models.cca.typicality import TypicalityModel
from models.cca.view_space import ViewSpace, ViewTensors
from models.types import Float64Array, View


@dataclass(frozen=True, slots=True, eq=False)
class KernelView:
    """The map of one view.

    Attributes:
        mean: Shape (D,).
        scale: Shape (D,); features are (x - mean) / scale before anything else.
        landmarks: Standardised rows, shape (m, D).
        gamma: Width of the kernel, shape (1,).
        weights: Shape (m, K).
        centre: Shape (K,), subtracted at the end.
        typicality: Distance of standardised rows to the training data.
    """

    mean: Float64Array
    scale: Float64Array
    landmarks: Float64Array
    gamma: Float64Array
    weights: Float64Array
    centre: Float64Array
    typicality: TypicalityModel

    @property
    def n_components(self) -> int:
        """K of the subspace."""
        return self.weights.shape[1]

    def embed(self, row: Float64Array) -> Float64Array:
        """Map a standardised row (D,) to (K,): z_k = sum_i w_ik k(x, landmark i) - centre_k."""
        kernel = rbf_kernel(row[None], self.landmarks, float(self.gamma[0]))[0]  # (m,)
        return kernel @ self.weights - self.centre

    def numbers(self) -> dict[str, Float64Array]:
        """The arrays of ``embed`` by name."""
        return {
            "landmarks": self.landmarks,
            "gamma": self.gamma,
            "weights": self.weights,
            "centre": self.centre,
        }


class KernelSpace(ViewSpace[KernelView]):
    """Projects rows of each view to unit rows of one subspace by a kernel expansion."""

    @staticmethod
    def read_map(view: View, tensors: ViewTensors) -> KernelView:
        """Rebuild the map of one view.

        Raises:
            ShapeError: If a tensor is missing or has another shape.
        """
        mean, scale = tensors.standardisation()
        landmarks = tensors.array("landmarks", "m", view.dimension)
        weights = tensors.array("weights", len(landmarks), "K")
        return KernelView(
            mean,
            scale,
            landmarks,
            tensors.array("gamma", 1),
            weights,
            tensors.array("centre", weights.shape[1]),
            tensors.typicality(),
        )


def expand(
    phi: KernelMap, mean: Float64Array, weights: Float64Array
) -> tuple[Float64Array, Float64Array]:
    """Write (phi(x) - mean)' weights as k_m(x)' a - centre.

    Args:
        phi: The feature map.
        mean: Of the feature vectors, shape (R,).
        weights: In the feature space, shape (R, K).

    Returns:
        a of shape (m, K) and the centre, shape (K,).
    """
    return phi.whitening @ weights, mean @ weights
