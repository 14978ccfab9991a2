"""The networks of published checkpoints, built by Hugging Face transformers, offline."""

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.errors import ArtefactError, DataError
from models.features.foundation.checkpoints import INSTALL, WEIGHTS, CheckpointFolder

if TYPE_CHECKING:
    from torch import nn

_lock = threading.Lock()
_loaded: dict[tuple[Path, str, str, str], "nn.Module"] = {}


def load_network(found: CheckpointFolder, architecture: str, device: str = "cpu") -> "nn.Module":
    """Build a network and read its weights; a process reads the same weights once.

    Args:
        found: The checkpoint; every file must have the hash of its manifest.
        architecture: Class of transformers; weights that it does not use are left out.
        device: ``cpu`` or ``cuda``.

    Returns:
        In evaluation mode, float32, without gradients.

    Raises:
        DataError: If transformers is not installed.
        ArtefactError: If a file is missing or changed (both hashes), or does not fit.
    """
    key = (found.folder, found.weights.sha256, architecture, device)
    with _lock:
        if key not in _loaded:
            _loaded[key] = _load(found, architecture).to(device)
        return _loaded[key]


def _load(found: CheckpointFolder, architecture: str) -> "nn.Module":
    found.weights.verify()
    network_class = _quiet_transformers(architecture)
    try:
        network, notes = network_class.from_pretrained(
            found.folder,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            dtype="float32",
            ignore_mismatched_sizes=True,  # they are refused below, by name
            output_loading_info=True,
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise ArtefactError(
            f"{found.folder} is no checkpoint of {architecture}: {error}"
        ) from error
    wrong = sorted({*notes["missing_keys"], *(key for key, *_ in notes["mismatched_keys"])})
    if wrong:
        raise ArtefactError(
            f"{found.folder / WEIGHTS}: expected the weights of {architecture}, "
            f"{len(wrong)} are missing or of another shape, such as {wrong[0]}"
        )
    network.eval().requires_grad_(False)
    return network


def _quiet_transformers(architecture: str) -> Any:
    """The class, imported now (seconds), with progress bars and notes about unused weights off."""
    try:
        import transformers
    except ImportError as error:
        raise DataError(
            f"expected transformers for {architecture}, found none; {INSTALL}"
        ) from error
    transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    return getattr(transformers, architecture)
