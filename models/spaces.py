"""Shared spaces: what every method gives to the service, and the folder it is kept in.

An artefact folder holds ``manifest.json`` (who made it, from what, for which views),
``weights.safetensors``, ``metrics.json`` and a model card ``README.md``.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.cca.kernel_space import KernelSpace
from models.cca.linear_space import LinearSpace
from models.cca.semantic_matching import PosteriorSpace
from models.checkpoint import load_tensors, read_json, save_tensors, write_json
from models.errors import ArtefactError, ShapeError
from models.types import Float32Array, View

FORMAT_VERSION = 1
MANIFEST = "manifest.json"
WEIGHTS = "weights.safetensors"


class SharedSpace(Protocol):
    """A trained method: features of several views in one subspace."""

    @property
    def method(self) -> str:
        """Key in ``SPACES``."""
        ...

    @property
    def n_components(self) -> int:
        """K of the subspace."""
        ...

    @property
    def views(self) -> Mapping[str, View]:
        """The views by name."""
        ...

    def project(self, view: str, features: Float32Array) -> Float32Array:
        """Map features (N, D) to unit rows (N, K), the same bits alone and in a batch."""
        ...

    def typicality(self, view: str, features: Float32Array) -> Float32Array:
        """How much rows (N, D) look like the training rows, shape (N,), in (0, 1]."""
        ...

    def tensors(self) -> dict[str, Float32Array]:
        """Every number of the space by name."""
        ...


def _network_space(
    method: str, views: Mapping[str, View], tensors: Mapping[str, Float32Array]
) -> SharedSpace:
    """Open a space of networks; torch is loaded here, so that closed-form spaces do without."""
    from models.network_space import NetworkSpace

    return NetworkSpace.from_tensors(method, views, tensors)


SPACES: dict[str, Callable[[str, Mapping[str, View], Mapping[str, Float32Array]], SharedSpace]] = {
    "cca": LinearSpace.from_tensors,
    "c-cca": LinearSpace.from_tensors,
    "mean-cca": LinearSpace.from_tensors,
    "kcca": KernelSpace.from_tensors,
    "c-kcca": KernelSpace.from_tensors,
    "sm": PosteriorSpace.from_tensors,
    "scm": PosteriorSpace.from_tensors,
    "dcca": _network_space,
    "dccae": _network_space,
    "c-dcca": _network_space,
    "tnn-c-cca": _network_space,
    "vae-cca": _network_space,
    "acmr": _network_space,
    "contrastive": _network_space,
    "adversarial-contrastive": _network_space,
    "corr-ae": _network_space,
    "ugaar": _network_space,
    "ugaar-info-nce": _network_space,
    "attention": _network_space,
    "transformer": _network_space,
}


@dataclass(frozen=True, slots=True)
class SpaceManifest:
    """What an artefact folder says of itself.

    Attributes:
        name: Name of the space in the service, by default the folder's name.
        method: Key in ``SPACES``.
        views: Name, D and extractor of each view.
        n_components: K of the subspace.
        dataset: Source of the training data.
        licence: Terms of that data.
        seed: Seed of the validation split.
        parameters: Choices made on validation data (ridge and so on).
        extractor_parameters: View -> parameters of its extractor, the hash of its weights among
            them; for people and messages, the fingerprint of the view decides.
        metrics: Figures of the test split, empty until evaluated.
        weights_sha256: Hash of the weights file, 64 hex digits.
        code_version: Version of Kyomei that wrote it.
        format_version: Layout of the folder.
    """

    name: str
    method: str
    views: tuple[View, ...]
    n_components: int
    dataset: str
    licence: str
    seed: int
    weights_sha256: str
    code_version: str
    parameters: Mapping[str, float | int | str] = field(default_factory=dict)
    extractor_parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    format_version: int = FORMAT_VERSION

    @property
    def fingerprint(self) -> str:
        """16 hex digits over method, views and weights: equal means equal embeddings."""
        identity = [self.method, [_identity(v) for v in self.views], self.weights_sha256]
        return hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:16]


def _identity(view: View) -> dict[str, Any]:
    """The entries of a view that are set; ``steps`` came later and counts where it is used."""
    entries = asdict(view)
    if entries["steps"] is None:
        del entries["steps"]
    return entries


def save_space(
    space: SharedSpace, folder: Path, manifest: SpaceManifest, *, half: bool = False
) -> SpaceManifest:
    """Write weights first, then the manifest with their hash.

    Args:
        space: What to save.
        folder: Created when missing.
        manifest: Its ``weights_sha256`` is filled in here.
        half: Keep matrices in half precision: half the size, and embeddings that differ from
            those of ``space`` in the fourth digit.

    Returns:
        The manifest as written.
    """
    tensors = dict(space.tensors())
    if half:
        tensors |= {name: matrix.astype(np.float16) for name, matrix in _matrices(tensors)}
    digest = save_tensors(folder / WEIGHTS, tensors)
    written = SpaceManifest(**{**_fields(manifest), "weights_sha256": digest})
    write_manifest(folder, written)
    return written


def write_manifest(folder: Path, manifest: SpaceManifest) -> None:
    """Write ``manifest.json``; the fingerprint is added for people, and derived when read."""
    value = {**asdict(manifest), "fingerprint": manifest.fingerprint}
    write_json(folder / MANIFEST, value)


def read_manifest(folder: Path) -> SpaceManifest:
    """Read and check ``manifest.json`` without touching the weights.

    Raises:
        ArtefactError: If it is missing, of another format version or incomplete.
    """
    value = read_json(folder / MANIFEST)
    found = value.get("format_version") if isinstance(value, dict) else None
    if found != FORMAT_VERSION:
        raise ArtefactError(
            f"{folder / MANIFEST}: expected format_version {FORMAT_VERSION}, got {found}; "
            "train the space again with this version of Kyomei (kyomei train)"
        )
    value.pop("fingerprint", None)
    try:
        views = tuple(View(**view) for view in value.pop("views"))
        manifest = SpaceManifest(views=views, **value)
    except (KeyError, TypeError) as error:
        raise ArtefactError(f"{folder / MANIFEST} is not a space manifest: {error}") from error
    if manifest.method not in SPACES:
        raise ArtefactError(
            f"{folder / MANIFEST}: expected a method of {sorted(SPACES)}, got {manifest.method!r}"
        )
    return manifest


def load_space(folder: Path) -> tuple[SpaceManifest, SharedSpace]:
    """Open an artefact folder; the weights must have the hash of the manifest.

    Raises:
        ArtefactError: If a part is missing, changed, or does not fit the manifest.
    """
    manifest = read_manifest(folder)
    stored = load_tensors(folder / WEIGHTS, sha256=manifest.weights_sha256)
    tensors = {name: _single(array) for name, array in stored.items()}
    views = {view.name: view for view in manifest.views}
    try:
        space = SPACES[manifest.method](manifest.method, views, tensors)
    except ShapeError as error:
        raise ArtefactError(f"{folder / WEIGHTS} does not fit its manifest: {error}") from error
    for view in manifest.views:
        probe = np.zeros((1, view.dimension), dtype=np.float32)
        found = space.project(view.name, probe).shape[1]
        if found != manifest.n_components:
            raise ArtefactError(
                f"{folder}: the manifest says n_components {manifest.n_components}, "
                f"the weights of {view.name} have {found}"
            )
    return manifest, space


def _matrices(tensors: Mapping[str, NDArray[Any]]) -> list[tuple[str, NDArray[Any]]]:
    return [(name, one) for name, one in tensors.items() if one.ndim > 1 and one.dtype.kind == "f"]


def _single(array: NDArray[Any]) -> NDArray[Any]:
    return array.astype(np.float32) if array.dtype == np.float16 else array


def _fields(manifest: SpaceManifest) -> dict[str, Any]:
    return {name: getattr(manifest, name) for name in SpaceManifest.__slots__}
