"""The new ground truth of UGAAR: canonical components of two views, in closed form."""

from collections.abc import Mapping, Sequence

import numpy as np
from torch import Tensor, nn
from torch.nn import functional

from models.encoders.affine import Affine, affine_specification, affine_state
from models.errors import DataError
from models.types import Float64Array
from training.datasets.feature_data import FeatureView
from training.loops.heads import HeadOptions, correlation_head

USUAL_PAIR = ("audio", "score")


class GroundTruth(nn.Module):
    """Canonical components of two views; gradient steps do not change them.

    Args:
        maps: Name of the view -> mean (D,) and weights (D, K).
        constant: Value of a further component that is the same for all rows; 0 for none.
    """

    def __init__(
        self, maps: Mapping[str, tuple[Float64Array, Float64Array]], constant: float
    ) -> None:
        super().__init__()
        self.names, self.constant = list(maps), constant
        self.maps = nn.ModuleList()
        for mean, weights in maps.values():
            affine = Affine(affine_specification(*weights.shape))
            affine.load_state_dict(affine_state(mean, weights))
            self.maps.append(affine)

    def forward(self, view: str, rows: Tensor) -> Tensor:
        """Components (B, K), or (B, K + 1) with the constant, of standardised rows (B, D)."""
        components: Tensor = self.maps[self.names.index(view)](rows)
        if not self.constant:
            return components
        return functional.pad(components, (0, 1), value=self.constant)


def fit_ground_truth(
    views: Mapping[str, FeatureView], options: HeadOptions, *, constant: float
) -> GroundTruth:
    """CCA of the true pairs of two views, on the rows that are trained on.

    Components are scaled by one number, so that their mean square over these rows is 1.

    Args:
        views: Standardised training rows of the two views.
        options: K, ridge and power.
        constant: See ``GroundTruth``.

    Raises:
        DataError: If the views have no true pairs.
    """
    rows = {name: view.features for name, view in views.items()}
    solved = correlation_head(rows, views, options)
    maps = dict(zip(views, zip(solved.means, solved.weights, strict=True), strict=True))
    components = [(rows[name] - mean) @ weights for name, (mean, weights) in maps.items()]
    square = float(np.mean([np.square(x).mean() for x in components]))
    scale = 1.0 / np.sqrt(square) if square > 0.0 else 1.0
    scaled = {name: (mean, weights * scale) for name, (mean, weights) in maps.items()}
    return GroundTruth(scaled, constant)


def ground_truth_pair(names: Sequence[str], wanted: tuple[str, ...]) -> tuple[str, str]:
    """The two views whose CCA is the ground truth.

    Raises:
        DataError: If views that were named are not there.
    """
    if wanted == USUAL_PAIR and not set(wanted) <= set(names):
        return names[0], names[1]
    if not set(wanted) <= set(names):
        raise DataError(f"expected ground_truth_views of {list(names)}, got {list(wanted)}")
    return wanted[0], wanted[1]
