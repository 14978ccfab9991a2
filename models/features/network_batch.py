"""The pieces of many items through one network, each item as if it were alone."""

from collections.abc import Callable, Iterable, Iterator, Sequence
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

    On the CPU pieces pass in chunks of one fixed shape on one torch thread, because a product of
    matrices rounds differently with the number of rows and threads, and each chunk is copied,
    because it also rounds differently with where the first number lies: so an item gets the same
    bits alone and in a batch. On a GPU pieces of all items pass together, ``GPU_PIECES`` at a
    time, and bits may depend on the batch.

    Args:
        network: In evaluation mode, on ``device``; maps pieces (B, ...) to outputs (B, ...).
        batch: Pieces (P, ...) of each item, of the same shape and type in all items.
        device: ``cpu`` or ``cuda``.
        cpu_pieces: Pieces of a chunk on the CPU; the last chunk is filled with zeros. More than
            one only for networks whose outputs do not depend on their neighbours in the chunk.

    Returns:
        Outputs (P, ...) of each item.
    """
    pieces = np.concatenate(batch)
    size = cpu_pieces if device == "cpu" else GPU_PIECES
    chunks = (pieces[start : start + size] for start in range(0, len(pieces), size))
    if device == "cpu":
        chunks = (_filled(chunk, size) for chunk in chunks)
    outputs = np.concatenate(list(_outputs(network, chunks, device)))[: len(pieces)]
    ends = np.cumsum([len(one) for one in batch])
    return np.split(outputs, ends[:-1])


def _filled(chunk: Pieces, size: int) -> Pieces:
    """The chunk with zeros behind it, shape (size, ...)."""
    missing = [(0, size - len(chunk))] + [(0, 0)] * (chunk.ndim - 1)
    return chunk if len(chunk) == size else np.pad(chunk, missing)


def _outputs(
    network: "Callable[[Tensor], Tensor]", chunks: Iterable[Pieces], device: str
) -> Iterator[Float32Array]:
    import torch  # seconds; the processes that only prepare do without

    from models.networks.inference import fixed_inference

    with fixed_inference():
        for chunk in chunks:
            tensor = torch.from_numpy(chunk).to(device, copy=True)
            yield network(tensor).float().cpu().numpy()
