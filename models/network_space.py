"""A shared space made of one network per view: what every gradient method gives."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from models.cca.typicality import TypicalityModel
from models.cca.view_space import ViewTensors
from models.encoders.rebuild import rebuild_encoder
from models.encoders.specification import Specification
from models.errors import ShapeError
from models.types import Float32Array, Float64Array, View

ARCHITECTURE = "architecture"  # tensor of the weights file: UTF-8 JSON, view -> specification
_TYPICALITY = ("basis", "variances", "residual_variance", "threshold")


@dataclass(frozen=True, slots=True, eq=False)
class NetworkView:
    """The map of one view.

    Attributes:
        mean: Shape (D,).
        scale: Shape (D,); features are (x - mean) / scale before anything else.
        specification: What the encoder is built from, JSON values only.
        encoder: Maps standardised rows (B, D), or sequences (B, T, D), to (B, K).
        typicality: Distance of standardised rows, averaged over time, to the training data.
    """

    mean: Float32Array
    scale: Float32Array
    specification: Specification
    encoder: nn.Module
    typicality: TypicalityModel


class NetworkSpace:
    """Embeds each row of a view by itself, on the CPU, as a unit row.

    Args:
        method: Key in ``SPACES``.
        views: The views by name.
        maps: The network of each view; all give K numbers.

    Raises:
        ShapeError: If an encoder does not take rows of its view, or K differs between views.
    """

    def __init__(
        self, method: str, views: Mapping[str, View], maps: Mapping[str, NetworkView]
    ) -> None:
        self.method = method
        self.views = dict(views)
        self._maps = dict(maps)
        for part in self._maps.values():
            part.encoder.eval().requires_grad_(False)
        widths = {name: _output_shape(name, part) for name, part in self._maps.items()}
        shape = next(iter(widths.values()))
        if len(shape) != 1 or set(widths.values()) != {shape}:
            raise ShapeError(f"expected the same (K,) from the encoder of every view, got {widths}")
        self.n_components = shape[0]

    def project(self, view: str, features: Float32Array) -> Float32Array:
        """Map features (N, D), or (N, T, D) for a view of sequences, to unit rows (N, K).

        Each row passes the network alone, so it gets the same bits alone and in a batch. A row
        without any signal becomes zeros.

        Raises:
            ShapeError: If the view is unknown or D differs.
        """
        part, rows = self._standardised(view, features)
        embedded = [self._embed(part, row) for row in rows]
        return np.array(embedded, dtype=np.float32).reshape(len(rows), self.n_components)

    def typicality(self, view: str, features: Float32Array) -> Float32Array:
        """How much rows look like the training rows, shape (N,), in (0, 1].

        Raises:
            ShapeError: If the view is unknown or D differs.
        """
        part, rows = self._standardised(view, features)
        return part.typicality.typicality(rows.mean(axis=1, dtype=np.float64))

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Every number of the space by name, and the architecture as UTF-8 JSON."""
        architecture = {name: part.specification for name, part in self._maps.items()}
        text = json.dumps(architecture, sort_keys=True).encode()
        tensors: dict[str, NDArray[Any]] = {ARCHITECTURE: np.frombuffer(text, dtype=np.uint8)}
        for name, part in self._maps.items():
            tensors[f"{name}.mean"], tensors[f"{name}.scale"] = part.mean, part.scale
            for key in _TYPICALITY:
                array = getattr(part.typicality, key).astype(np.float32)
                tensors[f"{name}.typicality.{key}"] = array
            for key, tensor in part.encoder.state_dict().items():
                tensors[f"{name}.encoder.{key}"] = tensor.cpu().numpy()
        return tensors

    @classmethod
    def from_tensors(
        cls, method: str, views: Mapping[str, View], tensors: Mapping[str, NDArray[Any]]
    ) -> "NetworkSpace":
        """Rebuild a space from its numbers.

        Raises:
            ShapeError: If a tensor is missing or does not fit the architecture or the views.
        """
        architecture = _architecture(tensors)
        maps = {
            name: _rebuilt(view, architecture.get(name), tensors) for name, view in views.items()
        }
        return cls(method, views, maps)

    def _standardised(self, view: str, features: Float32Array) -> tuple[NetworkView, Float32Array]:
        """The part of a view, and its rows (N, T, D) standardised, T = 1 for pooled rows."""
        if view not in self._maps:
            raise ShapeError(f"expected a view of {sorted(self._maps)}, got {view!r}")
        part = self._maps[view]
        rows = features[:, None, :] if features.ndim == 2 else features
        if rows.ndim != 3 or not rows.shape[1] or rows.shape[2] != len(part.mean):
            raise ShapeError(
                f"expected {view} features of shape (N, {len(part.mean)}) or "
                f"(N, T, {len(part.mean)}), got {features.shape}"
            )
        return part, ((rows - part.mean) / part.scale).astype(np.float32)

    @staticmethod
    def _embed(part: NetworkView, row: Float32Array) -> Float64Array:
        """Unit row (K,) of one standardised item (T, D)."""
        with torch.inference_mode():
            # A copy: products of matrices round differently with where the first number lies.
            output = part.encoder(torch.from_numpy(row[None]).clone())[0]
        embedded = output.numpy().astype(np.float64)
        norm = float(np.sqrt(embedded @ embedded))
        return embedded / norm if norm > 0.0 else embedded


def _architecture(tensors: Mapping[str, NDArray[Any]]) -> Mapping[str, Any]:
    """The specification of each view, as it was written."""
    if ARCHITECTURE not in tensors:
        raise ShapeError(f"expected a tensor {ARCHITECTURE!r} in a network space, got none")
    try:
        found = json.loads(tensors[ARCHITECTURE].tobytes())
    except (ValueError, RecursionError) as error:
        raise ShapeError(f"expected JSON in the tensor {ARCHITECTURE!r}: {error}") from error
    if not isinstance(found, dict):
        raise ShapeError(f"expected a JSON object in the tensor {ARCHITECTURE!r}, got {found!r}")
    return found


def _rebuilt(view: View, specification: Any, tensors: Mapping[str, NDArray[Any]]) -> NetworkView:
    own = ViewTensors(view, tensors)
    mean, scale = own.standardisation()
    prefix = f"{view.name}.encoder."
    numbers = {
        key.removeprefix(prefix): array for key, array in tensors.items() if key.startswith(prefix)
    }
    try:
        encoder = rebuild_encoder(specification, numbers)
    except ShapeError as error:
        raise ShapeError(f"the network of {view.name}: {error}") from error
    return NetworkView(
        mean.astype(np.float32),
        scale.astype(np.float32),
        specification,
        encoder,
        own.typicality(),
    )


def _output_shape(name: str, part: NetworkView) -> tuple[int, ...]:
    """Shape of what an encoder makes of one row of its view."""
    row = torch.zeros(1, 1, len(part.mean))
    try:
        with torch.inference_mode():
            return tuple(part.encoder(row)[0].shape)
    except RuntimeError as error:
        raise ShapeError(
            f"the encoder of {name} does not take rows of D = {len(part.mean)}: {error}"
        ) from error
