"""Weight files of extractors: where they lie, what they must be, and how one is written.

A set of weights is a manifest ``NAME.json`` that lists files beside it with their SHA-256; mostly
one file, ``NAME.safetensors``. Nothing here uses a network: files come from the package, from
``kyomei convert-weights`` or from ``kyomei fetch-weights``.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.checkpoint import load_tensors, read_json, save_tensors, write_json
from models.errors import ArtefactError, DataError

WEIGHTS_DIR_VARIABLE = "KYOMEI_WEIGHTS_DIR"
FORMAT = 1
_BLOCK_BYTES = 2**20
_REPAIR = "restore the file or make it again (kyomei convert-weights or kyomei fetch-weights)"


@dataclass(frozen=True, slots=True)
class WeightSet:
    """Weights of one extractor on disk; only the manifest was read.

    Attributes:
        name: Name of the set, mostly the name of the extractor.
        folder: Where manifest and files lie.
        files: Path below ``folder``, with ``/`` -> SHA-256, 64 hex digits.
        source: Where the numbers come from: publication, address, hash of the published file.
        licence: Terms of the numbers.
        details: What else is worth keeping, JSON values only.
    """

    name: str
    folder: Path
    files: Mapping[str, str]
    source: str
    licence: str
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def manifest(self) -> Path:
        """The file that lists the others."""
        return self.folder / f"{self.name}.json"

    @property
    def sha256(self) -> str:
        """Hash of the file, or over names and hashes of several; belongs in the parameters."""
        if len(self.files) == 1:
            return next(iter(self.files.values()))
        lines = "".join(f"{digest}  {path}\n" for path, digest in sorted(self.files.items()))
        return hashlib.sha256(lines.encode()).hexdigest()

    def verify(self) -> None:
        """Hash every file.

        Raises:
            ArtefactError: If one is missing or changed, with both hashes.
        """
        for relative, expected in self.files.items():
            found = file_sha256(self.folder / relative)
            if found != expected:
                raise ArtefactError(
                    f"{self.folder / relative} was changed after it was written: {self.manifest} "
                    f"says sha256 {expected}, the file has {found}; {_REPAIR}"
                )

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Read the arrays of a set that is one safetensors file; the hash is checked.

        Raises:
            ArtefactError: If the file is missing, changed (both hashes) or no safetensors file.
        """
        relative, expected = next(iter(self.files.items()))
        return load_tensors(self.folder / relative, sha256=expected, repair=_REPAIR)


def weight_folders() -> tuple[Path, ...]:
    """Folders that are searched, first to last: the user's, the shipped ones, the cache."""
    named = os.environ.get(WEIGHTS_DIR_VARIABLE)
    shipped = Path(str(resources.files("models"))) / "pretrained" / "weights"
    return (*((Path(named),) if named else ()), shipped, cache_folder())


def cache_folder() -> Path:
    """Where commands put weights: ``$XDG_CACHE_HOME/kyomei/weights``, else below ``~/.cache``."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "kyomei" / "weights"


def find_weights(name: str, *, repair: str | None = None) -> WeightSet:
    """Find a set of weights by its manifest; files are hashed when they are read.

    Args:
        name: Name of the set.
        repair: What makes it, for the message; default the commands for published weights.

    Raises:
        DataError: If there is none; the message says what is expected where, and what makes it.
        ArtefactError: If the manifest is broken.
    """
    folders = weight_folders()
    for folder in folders:
        if (folder / f"{name}.json").is_file():
            return read_weight_set(folder, name)
    bare = [str(folder) for folder in folders if (folder / f"{name}.safetensors").is_file()]
    found = f"{name}.safetensors without its manifest in {bare[0]}" if bare else "none"
    raise DataError(
        f"extractor {name!r} has no weights yet: expected {name}.safetensors with {name}.json in "
        f"{', '.join(map(str, folders))} (or in a folder named in {WEIGHTS_DIR_VARIABLE}), found "
        f"{found}; "
        + (repair or f"run kyomei fetch-weights {name}, or kyomei convert-weights {name} FILE")
    )


def read_weight_set(folder: Path, name: str) -> WeightSet:
    """Read the manifest of a set.

    Raises:
        ArtefactError: If it is missing, broken, of another version, or names files elsewhere.
    """
    path = folder / f"{name}.json"
    value = read_json(path)
    try:
        if value["format"] != FORMAT:
            raise ArtefactError(f"{path}: expected format {FORMAT}, found {value['format']}")
        files = {str(relative): str(digest) for relative, digest in value["files"].items()}
        found = WeightSet(
            name, folder, files, value["source"], value["licence"], value.get("details", {})
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ArtefactError(f"{path}: expected a manifest of weights, got {error!r}") from error
    outside = [one for one in files if PurePosixPath(one).is_absolute() or ".." in Path(one).parts]
    if outside or not files:
        raise ArtefactError(f"{path}: expected files below {folder}, got {outside or 'none'}")
    return found


def write_weights(
    folder: Path,
    name: str,
    tensors: Mapping[str, NDArray[Any]],
    *,
    source: str,
    licence: str,
    details: Mapping[str, Any] | None = None,
) -> WeightSet:
    """Write ``NAME.safetensors`` and its manifest, each atomically, the manifest last.

    Args:
        folder: Made if needed.
        name: Name of the set.
        tensors: Arrays by name.
        source: See ``WeightSet``.
        licence: See ``WeightSet``.
        details: See ``WeightSet``.
    """
    file = f"{name}.safetensors"
    digest = save_tensors(folder / file, tensors)
    written = WeightSet(name, folder, {file: digest}, source, licence, details or {})
    write_manifest(written)
    return written


def write_manifest(weights: WeightSet) -> None:
    """Write the manifest of files that are already there, for sets of several files."""
    value = {
        "format": FORMAT,
        "name": weights.name,
        "files": dict(sorted(weights.files.items())),
        "source": weights.source,
        "licence": weights.licence,
        "details": dict(weights.details),
    }
    write_json(weights.manifest, value)


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, 64 hex digits, read in blocks.

    Raises:
        ArtefactError: If it cannot be read.
    """
    total = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                total.update(block)
    except OSError as error:
        raise ArtefactError(f"expected weights in {path}, got {error.strerror}") from error
    return total.hexdigest()


def check_shapes(
    found: Mapping[str, NDArray[Any]], expected: Mapping[str, tuple[int, ...]], *, what: str
) -> None:
    """Refuse arrays that are not exactly those of a network.

    Args:
        found: Arrays by name.
        expected: Shape of every array of the network.
        what: Where they come from, for the message.

    Raises:
        DataError: With the first names that are missing, unknown or of another shape.
    """
    shapes = {name: tuple(np.shape(array)) for name, array in found.items()}
    if shapes == dict(expected):
        return
    lacking = sorted(expected.keys() - shapes.keys())
    unknown = sorted(shapes.keys() - expected.keys())
    wrong = [
        f"{name} {shapes[name]} instead of {expected[name]}"
        for name in sorted(expected.keys() & shapes.keys())
        if shapes[name] != expected[name]
    ]
    parts = {"missing": lacking, "unknown": unknown, "of another shape": wrong}
    said = "; ".join(
        f"{len(names)} {kind}: {', '.join(names[:3])}" for kind, names in parts.items() if names
    )
    raise DataError(f"{what}: expected {len(expected)} arrays of the network; {said}")
