"""A collection from a backup: every file is checked before anybody can open it."""

from contextlib import closing
from pathlib import Path
from typing import Any

from tqdm import tqdm

from models.checkpoint import read_json
from models.errors import ArtefactError
from service.catalog.catalog import Catalog
from service.catalog.copying import copy_database
from service.catalog.database import SCHEMA_VERSION, sqlite_url
from service.collection.backup import (
    CATALOG,
    FORMAT_VERSION,
    NOTE,
    BackupNote,
    empty,
    link_or_copy,
    refuse_used,
)
from service.collection.errors import full_disk_reported
from service.collection.media_files import MediaFiles, sha256_of_file, sync_folder


def restore(backup: Path, folder: Path, *, progress: bool = True) -> BackupNote:
    """Make a data folder from a backup; it gets a collection id of its own.

    The catalog gets its name last, so that a folder where this was cut short is no collection.

    Args:
        backup: Folder that ``back_up`` wrote.
        folder: Data directory that is not there yet, or is empty.
        progress: Whether to show a bar.

    Raises:
        ArtefactError: When the backup is damaged, unfinished or of another version; the folder is
            as it was.
        DataError: When the folder is in use.
        StorageFullError: When the disk is full; the folder is as it was.
    """
    note = _read_note(backup)
    refuse_used(folder)
    with full_disk_reported(folder):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            _restore(backup, folder, note, progress=progress)
        except BaseException:
            empty(folder)
            raise
    return note


def _read_note(backup: Path) -> BackupNote:
    path = backup / NOTE
    if not path.is_file():
        raise ArtefactError(f"expected a backup in {backup}, there is no {NOTE}: it is unfinished")
    told: Any = read_json(path)
    versions = {"format_version": FORMAT_VERSION, "schema_version": SCHEMA_VERSION}
    for key, expected in versions.items():
        found = told.get(key) if isinstance(told, dict) else None
        if found != expected:
            raise ArtefactError(
                f"{path}: {key}: expected {expected}, got {found}; restore it with the Kyomei "
                "that made it, then run kyomei migrate"
            )
    try:
        return BackupNote(**told)
    except TypeError as error:
        raise ArtefactError(f"{path}: expected the note of a backup, got {error}") from error


def _restore(backup: Path, folder: Path, note: BackupNote, *, progress: bool) -> None:
    found = sha256_of_file(backup / CATALOG)
    if found != note.catalog_sha256:
        raise ArtefactError(
            f"{backup / CATALOG}: sha256: expected {note.catalog_sha256}, got {found}"
        )
    unfinished = folder / "catalog.part"
    copy_database(backup / CATALOG, unfinished)
    with closing(Catalog(sqlite_url(unfinished))) as catalog:
        _restore_media(backup, folder, catalog, note.items, progress=progress)
        catalog.become_another()
    copy_database(unfinished, folder / "catalog.whole")
    for leftover in folder.glob("catalog.part*"):
        leftover.unlink()
    (folder / "catalog.whole").replace(folder / CATALOG)
    sync_folder(folder)


def _restore_media(
    backup: Path, folder: Path, catalog: Catalog, total: int, *, progress: bool
) -> None:
    source, copies = MediaFiles(backup), MediaFiles(folder)
    with tqdm(total=total, desc="media", unit="file", disable=not progress) as bar:
        for items in catalog.inspection.items():
            for item in items:
                path = source.path(item.id, item.suffix)
                copy = copies.path(item.id, item.suffix)
                copy.parent.mkdir(exist_ok=True)
                try:
                    link_or_copy(path, copy)
                    found = sha256_of_file(copy)
                except FileNotFoundError:
                    found = "no such file"
                if found != item.sha256:
                    raise ArtefactError(
                        f"{path}: sha256: expected {item.sha256}, got {found}; the backup is "
                        "damaged, nothing was restored"
                    )
                bar.update()
    for subfolder in (folder / "media").iterdir():
        sync_folder(subfolder)
