"""An encoder rebuilt around saved numbers, which bound what its specification may ask for."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from models.encoders.registry import build_encoder
from models.encoders.specification import Specification
from models.errors import ShapeError

DEEPEST = 16  # levels of a specification; a chain within a chain with perceptrons has six


def rebuild_encoder(specification: Specification, numbers: Mapping[str, NDArray[Any]]) -> nn.Module:
    """Build an encoder that holds the given numbers; no weights are drawn.

    A size in the specification cannot be larger than the longest axis, or the count, of the
    tensors, and shapes are compared before anything is allocated: a damaged specification costs
    no more memory than the file it came with.

    Args:
        specification: As read from JSON; nothing about it is trusted.
        numbers: State of the encoder, name of the tensor -> array.

    Raises:
        ShapeError: If the specification is wrong or the numbers do not fit it.
    """
    axes = [length for array in numbers.values() for length in array.shape]
    limit = max([1, len(numbers), *axes])
    if not _within(specification, limit, DEEPEST):
        raise ShapeError(
            f"expected an architecture of sizes up to {limit} and {DEEPEST} levels, as its "
            "tensors have, got a larger or deeper one"
        )
    with torch.device("meta"):  # shapes without memory
        encoder = build_encoder(specification)
    dtypes = {key: tensor.dtype for key, tensor in encoder.state_dict().items()}
    state = {
        key: torch.from_numpy(np.array(array)).to(dtypes.get(key, torch.float32))
        for key, array in numbers.items()
    }
    try:
        encoder.load_state_dict(state, assign=True)
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise ShapeError(f"the weights do not fit their architecture: {reason}") from error
    return encoder


def _within(entry: Any, limit: int, levels: int) -> bool:
    """True where no number and no list is larger, and nothing lies deeper, than allowed."""
    if isinstance(entry, list) and len(entry) > limit:
        return False
    if isinstance(entry, Mapping | list):
        inner = entry.values() if isinstance(entry, Mapping) else entry
        return levels > 0 and all(_within(one, limit, levels - 1) for one in inner)
    return not isinstance(entry, int) or entry <= limit
