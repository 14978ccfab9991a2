"""A copy of a collection that is whole, made while it is served."""

import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from tqdm import tqdm

from models.checkpoint import write_json
from models.errors import ArtefactError, DataError
from service.catalog.catalog import Catalog
from service.catalog.copying import copy_database
from service.catalog.database import SCHEMA_VERSION, sqlite_url
from service.catalog.records import Item
from service.collection.errors import full_disk_reported
from service.collection.media_files import MediaFiles, sha256_of_file, sync_folder

FORMAT_VERSION = 1
NOTE = "backup.json"
CATALOG = "catalog.sqlite3"


@dataclass(frozen=True, slots=True)
class BackupNote:
    """What a backup says of itself; written last, so that half a backup has none.

    Attributes:
        format_version: Of the layout of the folder.
        schema_version: Of the catalog.
        collection_id: Of the collection that was copied.
        sequence: The last change of the catalog that is in it.
        items: How many it holds.
        media_bytes: Their summed size.
        catalog_sha256: Of the catalog file.
        made_at: When, in UTC.
    """

    format_version: int
    schema_version: int
    collection_id: str
    sequence: int
    items: int
    media_bytes: int
    catalog_sha256: str
    made_at: str


def back_up(folder: Path, target: Path, *, progress: bool = True) -> BackupNote:
    """Copy catalog and media of a data folder, which may be served meanwhile.

    The catalog is copied as it is at one moment; what comes later is not in the backup. An item
    that is deleted before its media are copied is taken out of the copy, so that each item is
    wholly in or wholly out. Media are linked where the file system can (they never change), and
    copied otherwise. Indexes are left out: they are built anew from the catalog.

    Args:
        folder: Data directory with its catalog in SQLite.
        target: A folder that is not there yet, or is empty.
        progress: Whether to show a bar.

    Raises:
        ArtefactError: When there is no such collection, or media of its items are missing.
        DataError: When the target is in use or lies inside the data folder.
        StorageFullError: When the disk of the target is full.
    """
    if not (folder / CATALOG).is_file():
        raise ArtefactError(f"expected a collection with its catalog in {folder / CATALOG}")
    if target.resolve().is_relative_to(folder.resolve()):
        raise DataError(f"expected a backup outside {folder}, got {target}")
    refuse_used(target)
    with full_disk_reported(target):
        target.mkdir(parents=True, exist_ok=True)
        try:
            return _copy(folder, target, progress=progress)
        except BaseException:
            empty(target)
            raise


def refuse_used(target: Path) -> None:
    """Refuse a target that holds anything.

    Raises:
        DataError: When it is a file or a folder with something in it.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise DataError(f"expected a new or empty folder, got {target}, which is in use")


def empty(target: Path) -> None:
    """Remove what was written to a folder that was empty before."""
    for path in target.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _copy(folder: Path, target: Path, *, progress: bool) -> BackupNote:
    copy_database(folder / CATALOG, target / CATALOG)
    with closing(Catalog(sqlite_url(target / CATALOG))) as catalog:
        sequence = catalog.sequence()
        missing = _copy_media(folder, target, catalog, progress=progress)
        if missing:
            _take_out_deleted(folder, catalog, missing)
        statistics = catalog.statistics()
        identity = catalog.collection_id
    _as_one_file(target / CATALOG)
    note = BackupNote(
        format_version=FORMAT_VERSION,
        schema_version=SCHEMA_VERSION,
        collection_id=identity,
        sequence=sequence,
        items=sum(statistics.items.values()),
        media_bytes=statistics.media_bytes,
        catalog_sha256=sha256_of_file(target / CATALOG),
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    write_json(target / NOTE, asdict(note))
    sync_folder(target)
    return note


def _copy_media(folder: Path, target: Path, catalog: Catalog, *, progress: bool) -> list[Item]:
    """Link or copy the files of all items; return the items that have none any more."""
    source, copies, missing = MediaFiles(folder), MediaFiles(target), []
    total = sum(catalog.statistics().items.values())
    with tqdm(total=total, desc="media", unit="file", disable=not progress) as bar:
        for item in _items(catalog):
            copy = copies.path(item.id, item.suffix)
            copy.parent.mkdir(exist_ok=True)
            try:
                link_or_copy(source.path(item.id, item.suffix), copy)
            except FileNotFoundError:
                missing.append(item)
            bar.update()
    for subfolder in (target / "media").iterdir():
        sync_folder(subfolder)
    return missing


def _items(catalog: Catalog) -> Iterator[Item]:
    for page in catalog.inspection.items():
        yield from page


def _take_out_deleted(folder: Path, catalog: Catalog, missing: list[Item]) -> None:
    """Take out of the copy what was deleted meanwhile; what was not is damage.

    Raises:
        ArtefactError: When an item is still there but its file is not.
    """
    with closing(Catalog(sqlite_url(folder / CATALOG))) as served:
        still_there = served.by_numbers([item.number for item in missing])
    if still_there:
        example = next(iter(still_there.values())).id
        raise ArtefactError(
            f"{len(still_there)} items have no media file, {example} for one; run kyomei check "
            f"--data {folder} --repair first"
        )
    for item in missing:
        catalog.delete(item.id)


def link_or_copy(source: Path, target: Path) -> None:
    """Give a file a second name, or copy it where the file system cannot.

    Raises:
        FileNotFoundError: When there is no source.
        OSError: When the disk is full.
    """
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(source, target)
        with target.open("rb") as copied:
            os.fsync(copied.fileno())


def _as_one_file(path: Path) -> None:
    """Write what lies in the write-ahead log into the database itself."""
    unfinished = path.with_suffix(".part")
    copy_database(path, unfinished)
    for leftover in path.parent.glob(f"{path.name}-*"):
        leftover.unlink()
    unfinished.replace(path)
