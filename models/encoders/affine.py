"""A fixed affine map: a closed-form CCA before or after a network."""

from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.encoders.specification import Specification, size


def affine_specification(dimension_in: int, dimension_out: int) -> Specification:
    """Describe a map from D to K numbers."""
    return {"kind": "affine", "in": int(dimension_in), "out": int(dimension_out)}


def affine_state(mean: NDArray[Any], weights: NDArray[Any]) -> dict[str, Tensor]:
    """The numbers of a map as ``load_state_dict`` takes them: mean (D,), weights (D, K)."""
    return {"mean": torch.from_numpy(mean), "weights": torch.from_numpy(weights)}


class Affine(nn.Module):
    """(x - mean) W with numbers that gradient steps do not change."""

    mean: Tensor
    weights: Tensor

    def __init__(self, specification: Specification) -> None:
        super().__init__()
        d, k = size(specification, "in"), size(specification, "out")
        self.register_buffer("mean", torch.zeros(d))
        self.register_buffer("weights", torch.zeros(d, k))

    def forward(self, rows: Tensor) -> Tensor:
        """Map rows (B, D) to (B, K); a sequence (B, T, D) step by step."""
        return (rows - self.mean) @ self.weights
