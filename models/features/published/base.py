"""What extractors around a published network share: weights read once, pieces, pooling."""

import threading
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, TypeVar, cast

from models.errors import DataError
from models.features.extractor import ExtractorSpec, MediaT
from models.features.network_batch import through_network
from models.features.piecewise import PiecewiseExtractor
from models.features.weights import WeightSet, check_shapes, find_weights
from models.types import Float32Array, Modality

if TYPE_CHECKING:
    from torch import Tensor, nn

NetworkT = TypeVar("NetworkT", bound="nn.Module")

_lock = threading.Lock()
_loaded: dict[tuple[str, str, str], "nn.Module"] = {}


class PublishedExtractor(PiecewiseExtractor[MediaT]):
    """Base: a subclass names weights and sizes and writes ``prepare`` and ``network``."""

    name: ClassVar[str]
    weights_name: ClassVar[str]
    modality: ClassVar[Modality]
    dimension: ClassVar[int]
    step_dimension: ClassVar[int | None] = None  # of a step of the sequence, where it differs
    parameters: ClassVar[dict[str, int | float | str]]

    @cached_property
    def weights(self) -> WeightSet:
        """The weights on disk; only their manifest is read.

        Raises:
            DataError: If there are none; the message says which command makes them.
        """
        return find_weights(self.weights_name)

    @property
    def spec(self) -> ExtractorSpec:
        """Name, dimensions and parameters, among them the hash of the weights."""
        return ExtractorSpec(
            name=self.name,
            modality=self.modality,
            dimension=self.dimension,
            sequence_dimension=self.step_dimension or self.dimension,
            parameters={**self.parameters, "weights_sha256": self.weights.sha256},
        )

    def module(self) -> "nn.Module":
        """Return the network with its weights, on the device."""
        raise NotImplementedError

    def network(self, *, sequence: bool) -> "Callable[[Tensor], Tensor]":  # noqa: ARG002
        """Return the map from pieces (B, ...) to rows (B, D), or to steps (B, T, D)."""
        return self.module()

    def class_scores(self, rows: Float32Array) -> Float32Array:
        """Return what the network was trained to say, shape (N, C).

        Args:
            rows: Embeddings of patches, pictures or frames, shape (N, D), not projected.

        Raises:
            DataError: If the published network has no classifier (VGGish), or no weights.
        """
        scores: Callable[[Tensor], Tensor] | None = getattr(self.module(), "scores", None)
        if scores is None:
            raise DataError(f"expected a network with classes, {self.weights_name} has none")
        return through_network(scores, [rows], device=self.device, cpu_pieces=self.cpu_pieces)[0]

    def loaded(self, build: "Callable[[], NetworkT]") -> "NetworkT":
        """Return a network with the weights of this extractor; a process reads them once.

        Raises:
            ArtefactError: If the file is missing or changed, with both hashes.
            DataError: If there are no weights, or not those of the network.
        """
        key = (f"{build.__module__}.{build.__qualname__}", self.weights.sha256, self.device)
        with _lock:
            if key not in _loaded:
                _loaded[key] = build_network(build, self.weights).to(self.device)
            return cast("NetworkT", _loaded[key])


def build_network(build: "Callable[[], NetworkT]", weights: WeightSet) -> "NetworkT":
    """Build a network and give it the weights of its names; others in the file are left out.

    Args:
        build: The class of the network.
        weights: One safetensors file, hash checked.

    Returns:
        In evaluation mode, without gradients, memory laid out for convolutions on a CPU.

    Raises:
        ArtefactError: If the file is missing or changed, with both hashes.
        DataError: If an array is missing or of another shape.
    """
    from models.networks.load import empty_network, give_weights, named_shapes

    network = empty_network(build)
    expected = named_shapes(network)
    found = {name: array for name, array in weights.tensors().items() if name in expected}
    check_shapes(found, expected, what=str(weights.manifest))
    return give_weights(network, found)
