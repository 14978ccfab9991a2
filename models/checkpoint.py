"""Reading and writing of artefact files: tensors without pickle, JSON, both atomically."""

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from models.errors import ArtefactError


def write_bytes_atomically(path: Path, data: bytes) -> None:
    """Write a whole file or nothing: temporary neighbour, fsync, rename.

    Args:
        path: Target; an existing file is replaced.
        data: New content.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_json(path: Path, value: Any) -> None:
    """Write JSON atomically, indented, keys in the given order."""
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    write_bytes_atomically(path, text.encode())


def read_json(path: Path) -> Any:
    """Read JSON, or say which file is missing or broken.

    Raises:
        ArtefactError: If the file is not there or is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ArtefactError(f"expected an artefact file {path}, got {error.strerror}") from error
    except ValueError as error:
        raise ArtefactError(f"expected JSON in {path}, got: {error}") from error


def save_tensors(path: Path, tensors: Mapping[str, NDArray[Any]]) -> str:
    """Write named arrays as safetensors and return the SHA-256 of the file, 64 hex digits."""
    contiguous = {name: np.require(array, requirements="C") for name, array in tensors.items()}
    data = save(dict(sorted(contiguous.items())))
    write_bytes_atomically(path, data)
    return hashlib.sha256(data).hexdigest()


def load_tensors(
    path: Path,
    *,
    sha256: str | None = None,
    repair: str = "train the space again or restore the file",
) -> dict[str, NDArray[Any]]:
    """Read named arrays from safetensors; nothing in the file can run code.

    Args:
        path: File written by ``save_tensors``.
        sha256: Expected hash of the file; None skips the check.
        repair: What to do about a changed file, for the message.

    Raises:
        ArtefactError: If the file is missing, changed (both hashes in the message) or damaged.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ArtefactError(f"expected weights in {path}, got {error.strerror}") from error
    found = hashlib.sha256(data).hexdigest()
    if sha256 is not None and found != sha256:
        raise ArtefactError(
            f"{path} was changed after it was written: the manifest says sha256 {sha256}, "
            f"the file has {found}; {repair}"
        )
    try:
        return dict(load(data))
    except SafetensorError as error:
        raise ArtefactError(f"{path} is not a safetensors file: {error}") from error
