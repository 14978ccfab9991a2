"""What every closed-form space shares: one map per view, unit rows, typicality, tensors.

A space standardises a row, hands it to the map of its view, and scales the result to unit length.
Rows are taken one by one in double precision, so a row gets the same bits alone and in a batch.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Generic, Protocol, Self, TypeVar

import numpy as np

from models.cca.typicality import TypicalityModel
from models.errors import ShapeError
from models.types import Float32Array, Float64Array, View

_TYPICALITY = ("basis", "variances", "residual_variance", "threshold")


class ViewMap(Protocol):
    """The map of one view, from standardised rows to the subspace."""

    @property
    def mean(self) -> Float64Array:
        """Shape (D,)."""
        ...

    @property
    def scale(self) -> Float64Array:
        """Shape (D,); features are (x - mean) / scale before anything else."""
        ...

    @property
    def typicality(self) -> TypicalityModel:
        """Distance of standardised rows to the training data."""
        ...

    @property
    def n_components(self) -> int:
        """K of the subspace."""
        ...

    def embed(self, row: Float64Array) -> Float64Array:
        """Map a standardised row (D,) to (K,), of any length."""
        ...

    def numbers(self) -> dict[str, Float64Array]:
        """The arrays of ``embed`` by name."""
        ...


MapT = TypeVar("MapT", bound=ViewMap)


class ViewTensors:
    """The tensors of one view of a saved space, checked while they are read."""

    def __init__(self, view: View, tensors: Mapping[str, Float32Array]) -> None:
        self._view = view
        self._tensors = tensors

    def array(self, part: str, *shape: int | str) -> Float64Array:
        """Read one tensor in double precision.

        Args:
            part: Name within the view.
            shape: Expected length of each axis; a letter stands for any length.

        Raises:
            ShapeError: If it is missing or has another shape.
        """
        name = f"{self._view.name}.{part}"
        if name not in self._tensors:
            raise ShapeError(f"expected a tensor {name!r}, got none")
        array = self._tensors[name].astype(np.float64)
        fits = array.ndim == len(shape) and all(
            isinstance(wanted, str) or wanted == found
            for wanted, found in zip(shape, array.shape, strict=True)
        )
        if not fits:
            wanted = f"({', '.join(map(str, shape))})"
            raise ShapeError(f"expected {part} {wanted} for {self._view.name}, got {array.shape}")
        return array

    def standardisation(self) -> tuple[Float64Array, Float64Array]:
        """Read mean and scale, each of shape (D,).

        Raises:
            ShapeError: If one is missing or has another shape.
        """
        D = self._view.dimension
        return self.array("mean", D), self.array("scale", D)

    def typicality(self) -> TypicalityModel:
        """Read the typicality model.

        Raises:
            ShapeError: If a part is missing or has another shape.
        """
        basis = self.array("typicality.basis", self._view.dimension, "R")
        return TypicalityModel(
            basis,
            self.array("typicality.variances", basis.shape[1]),
            self.array("typicality.residual_variance", 1),
            self.array("typicality.threshold", 1),
        )


class ViewSpace(ABC, Generic[MapT]):
    """Projects rows of each view to unit rows of one subspace."""

    def __init__(self, method: str, views: Mapping[str, View], maps: Mapping[str, MapT]) -> None:
        self.method = method
        self.views = dict(views)
        self._maps = dict(maps)

    @staticmethod
    @abstractmethod
    def read_map(view: View, tensors: ViewTensors) -> MapT:
        """Rebuild the map of one view.

        Raises:
            ShapeError: If a tensor is missing or has another shape.
        """

    @property
    def n_components(self) -> int:
        """K of the subspace."""
        return next(iter(self._maps.values())).n_components

    def project(self, view: str, features: Float32Array) -> Float32Array:
        """Map features (N, D) to unit rows (N, K); a row without any signal becomes zeros.

        Each row is projected by itself in double precision, so it gets the same bits alone and in
        a batch.

        Raises:
            ShapeError: If the view is unknown or D differs.
        """
        view_map = self._map(view)
        rows = [_unit(view_map.embed(row)) for row in self._standardised(view, features)]
        return np.array(rows, dtype=np.float32).reshape(len(rows), view_map.n_components)

    def typicality(self, view: str, features: Float32Array) -> Float32Array:
        """How much rows (N, D) look like the training rows, shape (N,), in (0, 1].

        Raises:
            ShapeError: If the view is unknown or D differs.
        """
        return self._map(view).typicality.typicality(self._standardised(view, features))

    def tensors(self) -> dict[str, Float32Array]:
        """Every number of the space by name, for ``models.checkpoint.save_tensors``."""
        tensors: dict[str, Float32Array] = {}
        for view, view_map in self._maps.items():
            model = view_map.typicality
            numbers = {"mean": view_map.mean, "scale": view_map.scale, **view_map.numbers()}
            numbers |= {f"typicality.{part}": getattr(model, part) for part in _TYPICALITY}
            tensors |= {f"{view}.{name}": a.astype(np.float32) for name, a in numbers.items()}
        return tensors

    @classmethod
    def from_tensors(
        cls, method: str, views: Mapping[str, View], tensors: Mapping[str, Float32Array]
    ) -> Self:
        """Rebuild a space from its numbers.

        Raises:
            ShapeError: If a tensor is missing or its shape does not fit the views.
        """
        maps = {
            name: cls.read_map(view, ViewTensors(view, tensors)) for name, view in views.items()
        }
        return cls(method, views, maps)

    def _map(self, view: str) -> MapT:
        if view not in self._maps:
            raise ShapeError(f"expected a view of {sorted(self._maps)}, got {view!r}")
        return self._maps[view]

    def _standardised(self, view: str, features: Float32Array) -> Float64Array:
        view_map = self._map(view)
        if features.ndim != 2 or features.shape[1] != len(view_map.mean):
            raise ShapeError(
                f"expected {view} features of shape (N, {len(view_map.mean)}), got {features.shape}"
            )
        return (features.astype(np.float64) - view_map.mean) / view_map.scale


def _unit(row: Float64Array) -> Float64Array:
    norm = float(np.sqrt(row @ row))
    return row / norm if norm > 0.0 else row
