"""Fetching published files from pinned addresses; only ``kyomei fetch-weights`` does that."""

import hashlib
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import BinaryIO
from urllib.request import urlopen

from tqdm import tqdm

from models.errors import DataError

_BLOCK_BYTES = 2**20
_TIMEOUT_SECONDS = 60.0
Opener = Callable[..., AbstractContextManager[BinaryIO]]


@dataclass(frozen=True, slots=True)
class PinnedFile:
    """A file at a public address.

    Attributes:
        url: Starts with ``https://``.
        sha256: 64 hex digits; or the first 8, where the publisher states no more (in the name of
            the file, as is usual for PyTorch) - enough against damage, not against an attack.
        bytes: Length of the file; None where it is not known.
    """

    url: str
    sha256: str
    bytes: int | None = None

    @property
    def name(self) -> str:
        """Last part of the address."""
        return self.url.rsplit("/", 1)[-1]


def download(
    pinned: PinnedFile, folder: Path, *, progress: bool = True, opener: Opener = urlopen
) -> Path:
    """Fetch a file and check it; nothing is left in the folder when it is not the right one.

    Args:
        pinned: What to fetch.
        folder: Where to put it, under its own name.
        progress: Show a bar, on a terminal.
        opener: Opens an address for reading.

    Raises:
        DataError: If the address is not https, cannot be read, or gives another file (both hashes).
    """
    if not pinned.url.startswith("https://"):
        raise DataError(f"expected an https address, got {pinned.url}")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetch.", dir=folder) as scratch:
        fetched = Path(scratch) / pinned.name
        try:
            with opener(pinned.url, timeout=_TIMEOUT_SECONDS) as answer:
                found, length = _store(answer, fetched, pinned, progress=progress)
        except (OSError, HTTPException) as error:  # URLError is an OSError
            raise DataError(
                f"expected to read {pinned.url}, got: {error}; "
                "fetch it by other means and run kyomei convert-weights on the file"
            ) from error
        if not found.startswith(pinned.sha256) or pinned.bytes not in (None, length):
            raise DataError(
                f"{pinned.url}: expected sha256 {pinned.sha256} and {pinned.bytes or 'any'} bytes, "
                f"got {length} bytes with sha256 {found}; nothing was kept"
            )
        return fetched.replace(folder / pinned.name)


def _store(
    answer: BinaryIO, target: Path, pinned: PinnedFile, *, progress: bool
) -> tuple[str, int]:
    """Write what comes, block by block; return its SHA-256 and length."""
    total = hashlib.sha256()
    with (
        target.open("wb") as file,
        tqdm(
            total=pinned.bytes,
            desc=pinned.name,
            unit="B",
            unit_scale=True,
            disable=not progress or None,
        ) as bar,
    ):
        while block := answer.read(_BLOCK_BYTES):
            total.update(block)
            file.write(block)
            bar.update(len(block))
        return total.hexdigest(), file.tell()
