"""Published weight files, rewritten as the safetensors file of an extractor."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from models.checkpoint import load_tensors
from models.errors import DataError
from models.features.weights import WeightSet, check_shapes, file_sha256, write_weights
from models.networks.load import empty_network, named_shapes
from training.weights.published import PUBLISHED, PublishedNetwork
from training.weights.tflite import read_tflite
from training.weights.torch_archive import read_torch_archive

Arrays = dict[str, NDArray[Any]]
UNKNOWN_LICENCE = "not stated; ask whoever published the file"
_COUNTER = "num_batches_tracked"


def convert_weights(
    name: str,
    files: Sequence[Path],
    folder: Path,
    *,
    source: str | None = None,
    licence: str | None = None,
) -> WeightSet:
    """Read published files of a network and write its safetensors file with a manifest.

    Args:
        name: Key of ``PUBLISHED``.
        files: ``.tflite``, ``.pth``, ``.pt`` or ``.bin`` (PyTorch), ``.safetensors`` or ``.npz``;
            arrays of several files are put together.
        folder: Where to write.
        source: Where the files come from; default what is known of them by their hash.
        licence: Terms of the weights; default what is known of the files by their hash.

    Raises:
        DataError: If the name is unknown, a file cannot be read, or its arrays are not those of
            the network.
        ArtefactError: If a safetensors file is damaged.
    """
    if name not in PUBLISHED:
        raise DataError(f"expected a network of {', '.join(PUBLISHED)}, got {name!r}")
    network, found = PUBLISHED[name], Arrays()
    for file in files:
        found |= _read(file, network)
    tensors = _fitting(found, network, what=", ".join(map(str, files)))
    hashes = {file.name: file_sha256(file) for file in files}
    known = _known(hashes, network)
    return write_weights(
        folder,
        name,
        tensors,
        source=source or ", ".join(known or hashes),
        licence=licence or (network.licence if known else UNKNOWN_LICENCE),
        details={"reference": network.reference, "converted_from": hashes},
    )


def _known(hashes: Mapping[str, str], network: PublishedNetwork) -> list[str]:
    """Addresses of the pinned files that these are; empty when one of them is none."""
    found = [
        next((one.url for one in network.files if digest.startswith(one.sha256)), None)
        for digest in hashes.values()
    ]
    return [] if None in found else [url for url in found if url is not None]


def _read(file: Path, network: PublishedNetwork) -> Arrays:
    """Arrays of one file, by the names of the network."""
    kind = file.suffix.lower()
    if not file.is_file():
        raise DataError(f"expected a weight file, there is no file {file}")
    if kind == ".tflite":
        return _of_tflite(file, network)
    if kind in (".pth", ".pt", ".bin"):
        return _renamed(read_torch_archive(file), network)
    if kind == ".safetensors":
        return _renamed(load_tensors(file), network)
    if kind == ".npz":
        return _renamed(_of_npz(file), network)
    raise DataError(
        f"{file}: expected .tflite, .pth, .pt, .bin, .safetensors or .npz, got {kind or 'none'}"
    )


def _of_tflite(file: Path, network: PublishedNetwork) -> Arrays:
    """Weights and biases of the layers in their order, which is that of the network."""
    layers, first = read_tflite(file).layers(), network.front_end_layers
    layers = layers[first:] + layers[:first]
    shapes = named_shapes(empty_network(network.builds[0]))
    arrays = [array for layer in layers for array in layer if array is not None]
    if len(arrays) != len(shapes) or any(
        array.size != int(np.prod(shape))
        for array, shape in zip(arrays, shapes.values(), strict=True)
    ):
        raise DataError(
            f"{file}: expected the {len(shapes)} weights and biases of the network in its order, "
            f"found {len(arrays)} of other sizes"
        )
    pairs = zip(shapes.items(), arrays, strict=True)
    return {name: array.reshape(shape) for (name, shape), array in pairs}


def _of_npz(file: Path) -> Arrays:
    try:
        with file.open("rb") as opened, np.load(opened, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, BadZipFile) as error:
        raise DataError(f"{file}: expected arrays in .npz, got: {error}") from error


def _renamed(arrays: Mapping[str, NDArray[Any]], network: PublishedNetwork) -> Arrays:
    """Arrays under the names of the network, in its layout, without what it does not use."""
    renames = dict(network.renames)
    kept = {
        name.removesuffix(":0"): array
        for name, array in arrays.items()
        if not name.startswith(network.unused) and not name.endswith(_COUNTER)
    }
    return {renames.get(name, name): _as_pytorch(name, array) for name, array in kept.items()}


def _as_pytorch(name: str, array: NDArray[Any]) -> NDArray[Any]:
    """Turn what TensorFlow publishes: (rows, columns, channels, filters), (inputs, outputs)."""
    if name == "pca_means":
        return array.reshape(-1, 1)
    if "/" not in name:
        return array
    return array.transpose((3, 2, 0, 1)) if array.ndim == 4 else array.T


def _fitting(found: Arrays, network: PublishedNetwork, *, what: str) -> Arrays:
    """Refuse arrays that are not those of one of the networks; float32, contiguous."""
    expected = [named_shapes(empty_network(build)) for build in network.builds]
    shapes = next((one for one in expected if one.keys() <= found.keys()), expected[-1])
    check_shapes(found, shapes, what=what)
    return {name: np.ascontiguousarray(found[name], dtype=np.float32) for name in shapes}
