"""Queries on the host and, where they come as a CUDA tensor, on the device as well."""

from typing import Any

import numpy as np

from models.types import Float32Array, Int64Array


class Queries:
    """A batch of queries (B, K).

    Attributes:
        host: C-contiguous float32, in main memory: what exact scores are computed from.
        device: The same as a torch tensor on the GPU, or None.
    """

    def __init__(self, host: Float32Array, device: Any = None) -> None:
        self.host = host
        self.device = device

    def __len__(self) -> int:
        """B."""
        return len(self.host)

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
