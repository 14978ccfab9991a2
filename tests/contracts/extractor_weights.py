"""Random weights in the real format for extractors that ship none, and small inputs for them."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from models.features import sampled_frames
from models.features.published.pictures import (
    InceptionV3Frames,
    InceptionV3Pictures,
    MobileNetV2Frames,
    MobileNetV2Pictures,
)
from models.features.weights import WEIGHTS_DIR_VARIABLE, write_weights
from models.networks import vggish
from models.networks.inception_v3 import InceptionV3
from models.networks.load import empty_network, named_shapes
from models.networks.mobilenet_v2 import MobileNetV2
from models.networks.vggish import VGGishPca
from models.networks.yamnet_int8 import YAMNetInt8
from tests.contracts.foundation_checkpoints import write_checkpoints

_SMALL: tuple[tuple[Any, str, int], ...] = (  # the same layers on less: contracts run them often
    (vggish, "HIDDEN", 32),
    (sampled_frames, "MAX_FRAMES", 3),
    (MobileNetV2Pictures, "size", 64),
    (MobileNetV2Frames, "size", 64),
    (InceptionV3Pictures, "size", 75),
    (InceptionV3Frames, "size", 75),
)
_NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "yamnet": YAMNetInt8,
    "mobilenet-v2": MobileNetV2,
    "vggish": VGGishPca,
    "inception-v3": InceptionV3,
}


def random_tensors(build: Callable[[], nn.Module]) -> dict[str, NDArray[np.float32]]:
    """Weights that keep the spread of what passes, statistics near 0 and 1; the same every time."""
    rng = np.random.default_rng(0)
    shapes = named_shapes(empty_network(build))
    return {name: _random(rng, name, shape) for name, shape in shapes.items()}


def _random(rng: np.random.Generator, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    values = rng.standard_normal(shape, dtype=np.float32)
    if name in ("front_end.bands", "front_end.offset"):  # of a logarithm
        return np.float32(1e-3) + np.abs(values)
    if len(shape) > 1:
        return values * np.float32(np.sqrt(2.0 / np.prod(shape[1:])))
    if name.endswith(("running_var", "bn.weight")):
        return 1.0 + np.float32(0.1) * np.abs(values)
    return np.float32(0.1) * values


def write_random_weights(folder: Path) -> None:
    """Write a set for every network; inside `small_networks`, for the small ones."""
    for name, build in _NETWORKS.items():
        write_weights(
            folder,
            name,
            random_tensors(build),
            source="random numbers of a test",
            licence="CC0-1.0",
        )
    write_checkpoints(folder)


@contextmanager
def small_networks() -> Iterator[None]:
    """Run networks on small pictures, and VGGish with narrow full layers."""
    before = [(owner, name, getattr(owner, name)) for owner, name, _ in _SMALL]
    try:
        for owner, name, value in _SMALL:
            setattr(owner, name, value)
        yield
    finally:
        for owner, name, value in before:
            setattr(owner, name, value)


@contextmanager
def weights_in(folder: Path) -> Iterator[None]:
    """Let extractors find their weights in a folder."""
    before = os.environ.get(WEIGHTS_DIR_VARIABLE)
    os.environ[WEIGHTS_DIR_VARIABLE] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ[WEIGHTS_DIR_VARIABLE]
        else:
            os.environ[WEIGHTS_DIR_VARIABLE] = before
