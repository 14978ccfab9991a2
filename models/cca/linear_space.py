"""A shared space made of one linear map per view: what plain CCA and cluster-CCA give."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from models.cca.typicality import TypicalityModel
from models.errors import ShapeError
from models.types import Float32Array, Float64Array, View

_VIEW_TENSORS = (
    "mean",
    "scale",
    "weights",
    "typicality.basis",
    "typicality.variances",
    "typicality.residual_variance",
    "typicality.threshold",
)


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


class LinearSpace:
    """Projects rows of each view to unit rows of one subspace."""

    def __init__(
        self, method: str, views: Mapping[str, View], maps: Mapping[str, LinearView]
    ) -> None:
        self.method = method
        self.views = dict(views)
        self._maps = dict(maps)

    @property
    def n_components(self) -> int:
        """K of the subspace."""
        return next(iter(self._maps.values())).weights.shape[1]

    def project(self, view: str, features: Float32Array) -> Float32Array:
        """Map features (N, D) to unit rows (N, K); a row without any signal becomes zeros.

        Each row is projected by itself in double precision, so it gets the same bits alone and in
        a batch.

        Raises:
            ShapeError: If the view is unknown or D differs.
        """
        linear = self._map(view)
        rows = [_unit(row @ linear.weights) for row in self._standardised(view, features)]
        return np.array(rows, dtype=np.float32).reshape(len(rows), linear.weights.shape[1])

    def typicality(self, view: str, features: Float32Array) -> Float32Array:
        """How much rows (N, D) look like the training rows, shape (N,), in (0, 1].

        Raises:
            ShapeError: If the view is unknown or D differs.
        """
        return self._map(view).typicality.typicality(self._standardised(view, features))

    def tensors(self) -> dict[str, Float32Array]:
        """Every number of the space by name, for ``models.checkpoint.save_tensors``."""
        tensors: dict[str, Float32Array] = {}
        for view, linear in self._maps.items():
            model = linear.typicality
            arrays = (
                linear.mean,
                linear.scale,
                linear.weights,
                model.basis,
                model.variances,
                model.residual_variance,
                model.threshold,
            )
            for name, array in zip(_VIEW_TENSORS, arrays, strict=True):
                tensors[f"{view}.{name}"] = array.astype(np.float32)
        return tensors

    @classmethod
    def from_tensors(
        cls, method: str, views: Mapping[str, View], tensors: Mapping[str, Float32Array]
    ) -> "LinearSpace":
        """Rebuild a space from its numbers.

        Raises:
            ShapeError: If a tensor is missing or its shape does not fit the views.
        """
        maps = {}
        for name, view in views.items():
            try:
                arrays = [tensors[f"{name}.{part}"].astype(np.float64) for part in _VIEW_TENSORS]
            except KeyError as error:
                raise ShapeError(f"expected a tensor {error} for view {name}, got none") from error
            if arrays[2].ndim != 2 or arrays[2].shape[0] != view.dimension:
                raise ShapeError(
                    f"expected weights ({view.dimension}, K) for {name}, got {arrays[2].shape}"
                )
            mean, scale, weights, *typicality = arrays
            maps[name] = LinearView(mean, scale, weights, TypicalityModel(*typicality))
        return cls(method, views, maps)

    def _map(self, view: str) -> LinearView:
        if view not in self._maps:
            raise ShapeError(f"expected a view of {sorted(self._maps)}, got {view!r}")
        return self._maps[view]

    def _standardised(self, view: str, features: Float32Array) -> Float64Array:
        linear = self._map(view)
        if features.ndim != 2 or features.shape[1] != len(linear.mean):
            raise ShapeError(
                f"expected {view} features of shape (N, {len(linear.mean)}), got {features.shape}"
            )
        return (features.astype(np.float64) - linear.mean) / linear.scale


def _unit(row: Float64Array) -> Float64Array:
    norm = float(np.sqrt(row @ row))
    return row / norm if norm > 0.0 else row
