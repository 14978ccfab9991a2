"""From arrays to a network that is ready for inference."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

NetworkT = TypeVar("NetworkT", bound=nn.Module)

_COUNTER = "num_batches_tracked"  # of batch normalisation; no feature depends on it


def empty_network(build: Callable[[], NetworkT]) -> NetworkT:
    """Build a network without memory for its weights and without drawing random ones."""
    with torch.device("meta"):
        return build()


def named_shapes(network: nn.Module) -> dict[str, tuple[int, ...]]:
    """Return name -> shape of every weight and statistic, in the order of the layers."""
    return {
        name: tuple(value.shape)
        for name, value in network.state_dict().items()
        if not name.endswith(_COUNTER)
    }


def give_weights(network: NetworkT, tensors: Mapping[str, NDArray[Any]]) -> NetworkT:
    """Put arrays into an empty network and make it ready for inference.

    Args:
        network: From `empty_network`; changed.
        tensors: An array for each of `named_shapes`.

    Returns:
        The network in evaluation mode, without gradients, batch normalisation folded into the
        convolutions before it, memory laid out for convolutions on a CPU.
    """
    # Files may hold half precision; a CPU computes in single precision.
    state = {name: torch.from_numpy(_single(array)) for name, array in tensors.items()}
    counters = {name: torch.tensor(0) for name in network.state_dict() if name.endswith(_COUNTER)}
    network.load_state_dict(state | counters, assign=True)
    network.eval().requires_grad_(False)
    _fold_normalisation(network)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


def _single(array: NDArray[Any]) -> NDArray[Any]:
    return array.astype(np.float32) if array.dtype == np.float16 else array.copy()


def _fold_normalisation(network: nn.Module) -> None:
    for block in network.modules():
        conv, bn = getattr(block, "conv", None), getattr(block, "bn", None)
        if isinstance(conv, nn.Conv2d) and isinstance(bn, nn.BatchNorm2d):
            block.conv, block.bn = fuse_conv_bn_eval(conv, bn), nn.Identity()
