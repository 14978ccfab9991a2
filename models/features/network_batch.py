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
    network: "Callable[[Tensor], Tensor]",
    batch: Sequence[Pieces],
    *,
    device: str = "cpu",
    cpu_pieces: int = 1,
) -> list[Float32Array]:
    """Run a network over all pieces of a batch of items.

    A product of matrices rounds differently with the number of rows and threads. On the CPU the
    pieces therefore pass in chunks of one fixed shape on one torch thread, an item's own pieces
    only, filled up with zeros: so an item gets the same bits alone and in a batch. On a GPU pieces
    of all items pass together, ``GPU_PIECES`` at a time, and bits may depend on the batch.

    Args:
        network: In evaluation mode, on ``device``; maps pieces (B, ...) to outputs (B, ...).
        batch: Pieces (P, ...) of each item, of the same shape and type in all items.
        device: ``cpu`` or ``cuda``.
        cpu_pieces: Pieces of a chunk on the CPU. More than 1 is faster for items of many pieces
            and slower for items of one.

    Returns:
        Outputs (P, ...) of each item.
    """
    if device == "cpu":
        return [_joined(network, _chunks(one, cpu_pieces), device)[: len(one)] for one in batch]
    pieces = np.concatenate(batch)
    chunks = (pieces[k : k + GPU_PIECES] for k in range(0, len(pieces), GPU_PIECES))
    ends = np.cumsum([len(one) for one in batch])
    return np.split(_joined(network, chunks, device), ends[:-1])


def _chunks(pieces: Pieces, size: int) -> Iterator[Pieces]:
    """Chunks of exactly ``size`` pieces; zeros fill the last one."""
    missing = -len(pieces) % size
    filled = np.concatenate([pieces, np.zeros((missing, *pieces.shape[1:]), pieces.dtype)])
    return (filled[start : start + size] for start in range(0, len(filled), size))


def _joined(
    network: "Callable[[Tensor], Tensor]", chunks: Iterator[Pieces], device: str
) -> Float32Array:
    import torch  # seconds; the processes that only prepare do without

    from models.networks.inference import fixed_inference

    with fixed_inference():
        outputs = [network(torch.from_numpy(c).to(device)).float().cpu().numpy() for c in chunks]
    return np.concatenate(outputs)
