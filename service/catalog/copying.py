"""A consistent copy of an SQLite database, also of one that others read and write meanwhile."""

import contextlib
import os
import sqlite3
from pathlib import Path

from models.errors import ArtefactError


def copy_database(source: Path, target: Path) -> None:
    """Copy a database as it is at one moment; the copy has no files beside it.

    Writers are not kept waiting: in write-ahead mode the copy reads one state of the database.

    Args:
        source: The database; it may be in use by other processes.
        target: A file that is not there yet.

    Raises:
        ArtefactError: When the source is no database or is damaged.
        OSError: When the disk is full; the target is gone then.
    """
    try:
        with (
            contextlib.closing(sqlite3.connect(f"file:{source}?mode=rw", uri=True)) as original,
            contextlib.closing(sqlite3.connect(target)) as copy,
        ):
            original.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
        _sync(target)
    except sqlite3.DatabaseError as error:
        target.unlink(missing_ok=True)
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
            raise OSError(28, f"no space left for {target}") from error
        raise ArtefactError(f"expected a Kyomei catalog at {source}, got: {error}") from error
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
