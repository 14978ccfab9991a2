"""What can go wrong in a collection beyond the errors of ``models.errors``."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.errors import KyomeiError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class StorageFullError(KyomeiError):
    """The disk, the quota or the database is full; the collection is as it was before."""


@contextmanager
def full_disk_reported(folder: Path) -> Iterator[None]:
    """Turn the system's "no space left" into a ``StorageFullError`` that names the folder."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise StorageFullError(
            f"no space left in {folder} ({error.strerror}): the collection is as it was before; "
            "free some space, then try again"
        ) from error
