"""The bytes of the items: one file each, named by the item id, there before the catalog says so.

Whoever adds or deletes first leaves an empty marker in ``pending/`` with the file's name. A marker
that outlives its process is settled when the collection is opened: the file stays if the catalog
knows the item, and goes if not. So nothing has to search all media for strays, and a file without
a marker is never touched.
"""

import hashlib
import os
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from models.types import Modality

_BLOCK_BYTES = 1 << 20
_PART = ".part"
_ID_DIGITS = 20
_WRITERS = 8

# Returns those of the given item ids that the catalog has.
Known = Callable[[Sequence[str]], Iterable[str]]


@dataclass(frozen=True, slots=True)
class StagedMedia:
    """Bytes that are safe on the disk under a passing name.

    Attributes:
        id: Item id that they make.
        sha256: Of the bytes, 64 hex digits.
        bytes: How many.
        suffix: File name ending to keep them under.
        part: The passing file.
    """

    id: str
    sha256: str
    bytes: int
    suffix: str
    part: Path


def item_id(modality: Modality, sha256: str) -> str:
    """Return the id of the item that bytes of this hash make: 20 hex digits."""
    return hashlib.sha256(f"{modality}:{sha256}".encode()).hexdigest()[:_ID_DIGITS]


class MediaFiles:
    """Files under ``media/``; ``stage`` may run in any thread, the rest one call at a time."""

    def __init__(self, folder: Path) -> None:
        self._media = folder / "media"
        self._pending = folder / "pending"
        self._media.mkdir(exist_ok=True)
        self._pending.mkdir(exist_ok=True)

    def path(self, item_id: str, suffix: str) -> Path:
        """Where the bytes of an item lie."""
        return self._media / item_id[:2] / f"{item_id}{suffix}"

    def pending(self) -> set[str]:
        """Names of files whose item is being added or deleted, and of unfinished copies."""
        return {entry.name for entry in self._pending.iterdir()}

    def files(self) -> Iterator[list[Path]]:
        """Yield every file under ``media/``, a folder at a time."""
        for folder, _, names in sorted(os.walk(self._media)):
            if names:
                yield [Path(folder) / name for name in sorted(names)]

    def stage(self, modality: Modality, source: bytes | Path, suffix: str) -> StagedMedia:
        """Copy the bytes to the disk and hash them on the way.

        Raises:
            OSError: When the source cannot be read or the disk is full; nothing is left then.
        """
        part = self._pending / f"{uuid.uuid4().hex}{_PART}"
        try:
            with part.open("xb") as target:
                digest, size = _copy(source, target)
                target.flush()
                os.fsync(target.fileno())
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        return StagedMedia(item_id(modality, digest), digest, size, suffix, part)

    def stage_all(self, sources: Sequence[tuple[Modality, bytes | Path, str]]) -> list[StagedMedia]:
        """Stage several at once: waiting for the disk takes most of the time.

        Args:
            sources: Arguments of ``stage`` for each.

        Raises:
            OSError: As in ``stage``; nothing is left then.
        """
        if len(sources) < 2:
            return [self.stage(*source) for source in sources]
        with ThreadPoolExecutor(min(_WRITERS, len(sources))) as pool:
            jobs = [pool.submit(self.stage, *source) for source in sources]
        try:
            return [job.result() for job in jobs]
        except BaseException:
            self.discard(job.result() for job in jobs if job.exception() is None)
            raise

    def publish(self, staged: Iterable[StagedMedia]) -> None:
        """Give staged files their lasting names; on return they survive a power cut."""
        folders = set()
        for media in staged:
            path = self.path(media.id, media.suffix)
            self._marker(media.id, media.suffix).touch()
            if not path.parent.exists():
                path.parent.mkdir()
                folders.add(self._media)
            media.part.replace(path)
            folders.add(path.parent)
        sync_folders(folders)

    def withdraw(self, staged: Iterable[StagedMedia], known: Known) -> None:
        """Take back the lasting names of media whose items did not get into the catalog."""
        published = list(staged)
        existing = set(known([media.id for media in published]))
        for media in published:
            path = self.path(media.id, media.suffix)
            if media.id not in existing and path.exists():
                path.replace(media.part)
            self._marker(media.id, media.suffix).unlink(missing_ok=True)

    def is_pending(self) -> bool:
        """Whether a change has begun and not ended."""
        return any(entry.suffix != _PART for entry in self._pending.iterdir())

    def mark(self, item_id: str, suffix: str) -> None:
        """Announce that an item is about to be deleted."""
        self._marker(item_id, suffix).touch()

    def settle(self, known: Known, ids: Iterable[str] | None = None) -> int:
        """End what is pending: remove the files whose item is not in the catalog.

        Args:
            known: Returns those of the given item ids that the catalog has.
            ids: Items whose change ended; None for all that are pending, at opening.

        Returns:
            How many files were removed.
        """
        if ids is None:
            markers = [entry for entry in self._pending.iterdir() if entry.suffix != _PART]
        else:
            markers = [path for item_id in ids for path in self._pending.glob(f"{item_id}.*")]
        existing = set(known([marker.name[:_ID_DIGITS] for marker in markers]))
        removed = 0
        for marker in markers:
            path = self._media / marker.name[:2] / marker.name
            if marker.name[:_ID_DIGITS] not in existing and path.exists():
                path.unlink()
                removed += 1
            marker.unlink()
        return removed

    def finish(self, staged: Iterable[StagedMedia]) -> None:
        """Take the markers of committed items away."""
        for media in staged:
            self._marker(media.id, media.suffix).unlink()

    def _marker(self, item_id: str, suffix: str) -> Path:
        return self._pending / f"{item_id}{suffix}"

    def discard(self, staged: Iterable[StagedMedia]) -> None:
        """Remove staged files that were not published."""
        for media in staged:
            media.part.unlink(missing_ok=True)

    def sweep(self, older_than_seconds: float = 0.0) -> int:
        """Remove staged files that a killed process left; return how many there were."""
        newest = time.time() - older_than_seconds
        found = self._pending.glob(f"*{_PART}")
        parts = [part for part in found if part.stat().st_mtime <= newest]
        for part in parts:
            part.unlink()
        return len(parts)


def _copy(source: bytes | Path, target: BinaryIO) -> tuple[str, int]:
    """Write the source to an open file; return the SHA-256 and the number of bytes."""
    if isinstance(source, bytes):
        target.write(source)
        return hashlib.sha256(source).hexdigest(), len(source)
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            target.write(block)
            digest.update(block)
            size += len(block)
    return digest.hexdigest(), size


def sha256_of_file(path: Path) -> str:
    """Return the SHA-256 of a file, 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folders(folders: Iterable[Path]) -> None:
    """Make the names in several folders survive; a journal writes those that wait at once."""
    waiting = list(folders)
    if len(waiting) < 2:
        for folder in waiting:
            sync_folder(folder)
        return
    with ThreadPoolExecutor(min(_WRITERS, len(waiting))) as pool:
        list(pool.map(sync_folder, waiting))
