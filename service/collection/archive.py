"""A backup as one file: an uncompressed tar, since media are compressed already."""

import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.errors import ArtefactError, DataError
from service.collection.backup import BackupNote, back_up
from service.collection.errors import full_disk_reported
from service.collection.restore import restore

_SUFFIX = ".tar"


def save(folder: Path, target: Path, *, progress: bool = True) -> BackupNote:
    """Back a data folder up to a folder, or to a file whose name ends in ``.tar``.

    Raises:
        ArtefactError, DataError, StorageFullError: As ``back_up``.
    """
    if target.suffix != _SUFFIX:
        return back_up(folder, target, progress=progress)
    if target.exists():
        raise DataError(f"expected a new file, got {target}, which is there already")
    target.parent.mkdir(parents=True, exist_ok=True)
    with _beside(target) as unpacked, full_disk_reported(target.parent):
        note = back_up(folder, unpacked / "backup", progress=progress)
        packed = unpacked / target.name
        with tarfile.open(packed, "x") as archive:
            archive.add(unpacked / "backup", arcname=".")
        packed.replace(target)
    return note


def load(backup: Path, folder: Path, *, progress: bool = True) -> BackupNote:
    """Restore a data folder from what ``save`` wrote.

    Raises:
        ArtefactError, DataError, StorageFullError: As ``restore``.
    """
    if not backup.is_file():
        return restore(backup, folder, progress=progress)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _beside(folder) as unpacked:
        try:
            with full_disk_reported(folder.parent), tarfile.open(backup) as archive:
                archive.extractall(unpacked, filter="data")
        except tarfile.TarError as error:
            raise ArtefactError(f"expected a backup in {backup}, got: {error}") from error
        return restore(unpacked, folder, progress=progress)


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """A passing folder on the same file system, so that files are linked and not copied twice."""
    passing = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        yield passing
    finally:
        shutil.rmtree(passing)
