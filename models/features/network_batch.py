"""The pieces of many items through one network, each item as if it were alone."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from models.features.extractor import Pieces
from models.types import Float32Array

if TYPE_CHECKING:
    from torch import Tensor

GPU_PIECES = 64


def through_network(
    network: "Callable[[Tensor], Tensor]", batch: Sequence[Pieces], *, device: str = "cpu"
) -> list[Float32Array]:
    """Run a network over all pieces of a batch of items.

    On the CPU every piece passes alone on one torch thread, because a product of matrices rounds
    differently with the number of rows and threads: so an item gets the same bits alone and in a
    batch. On a GPU pieces of all items pass together, ``GPU_PIECES`` at a time, and bits may
    depend on the batch.

    Args:
        network: In evaluation mode, on ``device``; maps pieces (B, ...) to outputs (B, ...).
        batch: Pieces (P, ...) of each item, of the same shape and type in all items.
        device: ``cpu`` or ``cuda``.

    Returns:
        Outputs (P, ...) of each item.
    """
    pieces = np.concatenate(batch)
    size = 1 if device == "cpu" else GPU_PIECES
    outputs = np.concatenate(list(_outputs(network, pieces, size, device)))
    ends = np.cumsum([len(one) for one in batch])
    return np.split(outputs, ends[:-1])


def _outputs(
    network: "Callable[[Tensor], Tensor]", pieces: Pieces, size: int, device: str
) -> Iterator[Float32Array]:
    import torch  # seconds; the processes that only prepare do without

    from models.networks.inference import fixed_inference

    with fixed_inference():
        for start in range(0, len(pieces), size):
            chunk = torch.from_numpy(pieces[start : start + size]).to(device)
            yield network(chunk).float().cpu().numpy()
