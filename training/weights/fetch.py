"""Published checkpoints from the Hugging Face hub: pinned, checked, afterwards without pickle."""

import hashlib
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from models.checkpoint import save_tensors
from models.errors import DataError
from models.features.foundation.checkpoints import (
    CHECKPOINTS,
    INSTALL,
    TORCH_ARCHIVE,
    WEIGHTS,
    Checkpoint,
)
from models.features.weights import WeightSet, file_sha256, write_manifest
from training.weights.torch_archive import read_torch_archive


@dataclass(frozen=True, slots=True)
class _Published:
    """What the hub says a file of a commit is: SHA-256 of a large one, SHA-1 of a small one."""

    sha256: str | None
    git_sha1: str

    def fits(self, data: Path) -> bool:
        """Tell whether a file is that one."""
        if self.sha256 is not None:
            return file_sha256(data) == self.sha256
        content = data.read_bytes()
        header = f"blob {len(content)}\0".encode()
        return hashlib.sha1(header + content, usedforsecurity=False).hexdigest() == self.git_sha1


def fetch_checkpoint(
    name: str, folder: Path, *, progress: bool = True, endpoint: str | None = None
) -> WeightSet:
    """Download a checkpoint, check every file, and keep it where extractors find it.

    Args:
        name: Key in ``CHECKPOINTS``.
        folder: Where weights are kept, such as ``cache_folder()``.
        progress: Show bars of the downloads.
        endpoint: Address of a mirror; default ``HF_ENDPOINT`` or the hub itself.

    Returns:
        What was written: ``NAME.json`` and the files below ``NAME/``.

    Raises:
        DataError: If the name is unknown, the hub client is not installed, a file cannot be
            fetched, or one is not the pinned one (both hashes).
    """
    if name not in CHECKPOINTS:
        raise DataError(f"expected a checkpoint of {', '.join(CHECKPOINTS)}, got {name!r}")
    pinned = CHECKPOINTS[name]
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=f".{name}.") as scratch:
        files = _download(pinned, Path(scratch), progress=progress, endpoint=endpoint)
        for file, path in files.items():
            _check(file, path, pinned.files[file])
        return keep_checkpoint(name, files, folder, source=pinned.source, licence=pinned.licence)


def keep_checkpoint(
    name: str, files: Mapping[str, Path], folder: Path, *, source: str, licence: str
) -> WeightSet:
    """Put the files of a checkpoint, published or your own, where extractors find them.

    Args:
        name: Name of the checkpoint that it takes the place of.
        files: Name in the checkpoint -> file; ``pytorch_model.bin`` becomes ``model.safetensors``.
        folder: Where weights are kept.
        source: Where the numbers come from.
        licence: Terms of the numbers.

    Raises:
        DataError: If a ``pytorch_model.bin`` holds more than tensors.
    """
    with tempfile.TemporaryDirectory(dir=folder, prefix=f".{name}.") as scratch:
        made = Path(scratch) / name
        made.mkdir()
        for file, path in files.items():
            if file == TORCH_ARCHIVE:
                save_tensors(made / WEIGHTS, read_torch_archive(path))
            else:
                shutil.copyfile(path, made / file)
        hashes = {f"{name}/{path.name}": file_sha256(path) for path in sorted(made.iterdir())}
        shutil.rmtree(folder / name, ignore_errors=True)
        made.rename(folder / name)
    weights = WeightSet(name, folder, hashes, source, licence)
    write_manifest(weights)
    return weights


def _check(file: str, path: Path, pinned: str | None) -> None:
    found = file_sha256(path)
    if pinned is not None and found != pinned:
        raise DataError(f"{file}: expected the pinned sha256 {pinned}, the hub gave {found}")


def _download(
    pinned: Checkpoint, scratch: Path, *, progress: bool, endpoint: str | None
) -> dict[str, Path]:
    """Fetch all files of a commit; those without a pinned hash must be what the commit says."""
    try:
        import huggingface_hub as hub
        from httpx import HTTPError
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
        from huggingface_hub.utils.tqdm import disable_progress_bars
    except ImportError as error:
        raise DataError(f"expected huggingface_hub to fetch with, found none; {INSTALL}") from error
    if not progress:
        disable_progress_bars()
    unpinned = [file for file, digest in pinned.files.items() if digest is None]
    fetch = partial(
        hub.hf_hub_download,
        pinned.repository,
        revision=pinned.revision,
        local_dir=scratch,
        endpoint=endpoint,
    )
    try:
        files = {file: Path(fetch(file)) for file in pinned.files}
        said = hub.HfApi(endpoint).model_info(
            pinned.repository, revision=pinned.revision, files_metadata=True
        )
    except (HfHubHTTPError, LocalEntryNotFoundError, HTTPError, OSError) as error:
        raise DataError(
            f"expected to fetch {pinned.source}, got: {str(error).splitlines()[0]}; fetch it where "
            "there is a network and copy its folder and its .json file into a folder named in "
            "KYOMEI_WEIGHTS_DIR"
        ) from error
    published = _published(said)
    for file in unpinned:
        if file not in published or not published[file].fits(files[file]):
            raise DataError(f"{file}: expected the file of commit {pinned.revision}, got another")
    return files


def _published(said: Any) -> dict[str, _Published]:
    siblings = getattr(said, "siblings", None) or []
    return {
        one.rfilename: _Published(one.lfs.sha256 if one.lfs else None, one.blob_id)
        for one in siblings
    }
