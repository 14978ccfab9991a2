"""Bringing a data folder of an older Kyomei up to date."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from models.errors import ArtefactError
from service.catalog.copying import copy_database
from service.catalog.database import SCHEMA_VERSION, sqlite_url
from service.catalog.migration import catalog_version, migrate_catalog
from service.collection.errors import full_disk_reported
from service.collection.lock import FolderLock
from service.collection.media_files import sync_folder


@dataclass(frozen=True, slots=True)
class Migration:
    """What came of it.

    Attributes:
        found: Schema version before.
        now: Schema version after.
        copy: The catalog as it was; None when nothing was done, or the database is not a file.
    """

    found: int
    now: int
    copy: Path | None


def migrate_folder(folder: Path, database_url: str | None = None) -> Migration:
    """Bring the catalog of a data folder to the version that this Kyomei reads.

    All or nothing: it is one transaction, and the old catalog stays beside the new one. The
    indexes are a cache of the catalog; the next opening builds them anew.

    Args:
        folder: Data directory.
        database_url: SQLAlchemy URL of the catalog; None for SQLite inside the folder. Of another
            database, no copy is made.

    Raises:
        ArtefactError: When there is no catalog, another process has it open, or its version is
            not one that can be brought up to date.
        StorageFullError: When the disk is full; the catalog is as it was.
    """
    path = folder / "catalog.sqlite3"
    if not folder.is_dir() or (database_url is None and not path.is_file()):
        raise ArtefactError(f"expected a collection in {folder}, there is no {path.name}")
    lock = FolderLock(folder)
    try:
        with full_disk_reported(folder):
            return _migrate(folder, database_url or sqlite_url(path), path, database_url is None)
    finally:
        lock.release()


def _migrate(folder: Path, url: str, path: Path, is_file: bool) -> Migration:
    found = catalog_version(url)
    if found == SCHEMA_VERSION:
        return Migration(found, found, None)
    copy = folder / f"catalog.version-{found}.sqlite3" if is_file else None
    if copy is not None:
        unfinished = copy.with_suffix(".part")
        unfinished.unlink(missing_ok=True)
        copy_database(path, unfinished)
        unfinished.replace(copy)
        sync_folder(folder)
    migrate_catalog(url)
    shutil.rmtree(folder / "indexes", ignore_errors=True)
    return Migration(found, SCHEMA_VERSION, copy)
