"""The new ground truth of UGAAR: canonical components of two views, in closed form."""

from collections.abc import Mapping, Sequence

import numpy as np
from torch import Tensor, nn

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
    """

    def __init__(self, maps: Mapping[str, tuple[Float64Array, Float64Array]]) -> None:
        super().__init__()
        self.names = list(maps)
        self.maps = nn.ModuleList()
        for mean, weights in maps.values():
            affine = Affine(affine_specification(*weights.shape))
            affine.load_state_dict(affine_state(mean, weights))
            self.maps.append(affine)

    def forward(self, view: str, rows: Tensor) -> Tensor:
        """Components (B, K) of standardised rows (B, D) of a view."""
        components: Tensor = self.maps[self.names.index(view)](rows)
        return components


def fit_ground_truth(views: Mapping[str, FeatureView], options: HeadOptions) -> GroundTruth:
    """CCA of the true pairs of two views, on the rows that are trained on.

    Components are scaled by one number, so that their mean square over these rows is 1.

    Args:
        views: Standardised training rows of the two views.
        options: K, ridge and power.

    Raises:
        DataError: If the views have no true pairs.
    """
    rows = {name: view.features for name, view in views.items()}
    solved = correlation_head(rows, views, options)
    maps = dict(zip(views, zip(solved.means, solved.weights, strict=True), strict=True))
    components = [(rows[name] - mean) @ weights for name, (mean, weights) in maps.items()]
    square = float(np.mean([np.square(x).mean() for x in components]))
    scale = 1.0 / np.sqrt(square) if square > 0.0 else 1.0
    return GroundTruth({name: (mean, weights * scale) for name, (mean, weights) in maps.items()})


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
