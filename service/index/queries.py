"""Queries on the host and, where they come as a CUDA tensor, on the device as well."""

import math
from typing import Any

import numpy as np

from models.errors import ShapeError
from models.types import Float32Array, Float64Array, Int64Array


class Queries:
    """A batch of queries (B, K).

    Attributes:
        host: C-contiguous float32, in main memory.
        wide: The same in float64: what exact scores are computed from.
        device: The same as a torch tensor on the GPU, or None.
    """

    __slots__ = ("device", "host", "wide")

    def __init__(self, host: Float32Array, device: Any = None) -> None:
        self.host = host
        self.wide: Float64Array = host.astype(np.float64)
        self.device = device

    @classmethod
    def checked(cls, values: Any, k: int, dimension: int) -> "Queries":
        """Take over what a caller of a search gave.

        Raises:
            ShapeError: When they are not (B, ``dimension``) and finite, or k < 1.
        """
        if k < 1:
            raise ShapeError(f"expected k >= 1, got {k}")
        host = np.ascontiguousarray(to_host(values), dtype=np.float32)
        if host.ndim != 2 or host.shape[1] != dimension:
            raise ShapeError(f"expected queries of shape (B, {dimension}), got {host.shape}")
        queries = cls(host, on_device(values))
        if not queries.are_finite:
            raise ShapeError("expected finite queries, got NaN or infinity")
        return queries

    def __len__(self) -> int:
        """B."""
        return len(self.host)

    @property
    def lengths(self) -> Float64Array:
        """Their Euclidean lengths, shape (B,)."""
        lengths: Float64Array = np.sqrt((self.wide * self.wide).sum(axis=1))
        return lengths

    @property
    def are_finite(self) -> bool:
        """Whether there is no NaN or infinity: the squares of float32 values fit float64."""
        flat = self.wide.reshape(-1)
        return math.isfinite(np.dot(flat, flat))

    @property
    def dimension(self) -> int:
        """K."""
        return self.host.shape[1]

    def take(self, numbers: Int64Array) -> "Queries":
        """Return the queries of these numbers."""
        if len(numbers) == len(self.host):
            return self
        device = None if self.device is None else self.device[numbers.tolist()]
        return Queries(np.ascontiguousarray(self.host[numbers]), device)


def to_host(values: Any) -> Any:
    """Return a torch tensor as a NumPy array, anything else as it is."""
    return values.detach().cpu().numpy() if hasattr(values, "detach") else values


def on_device(values: Any) -> Any:
    """Return a torch tensor that lies on a GPU, contiguous float32; None for anything else."""
    if getattr(values, "is_cuda", False):
        return values.detach().contiguous().float()
    return None
