"""One process at a time, or several that share: a lock that dies with its holder."""

import fcntl
import os
import weakref
from pathlib import Path

from models.errors import ArtefactError


class FolderLock:
    """Hold on a folder, from the constructor to ``release`` or the end of the process."""

    def __init__(self, folder: Path, *, shared: bool = False) -> None:
        """Take the lock.

        Args:
            folder: What to hold.
            shared: Beside others that share it; otherwise alone.

        Raises:
            ArtefactError: When another process, or another collection of this one, holds it and
                one of both does not share.
        """
        self._descriptor: int | None = os.open(
            folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644
        )
        try:
            kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
            fcntl.flock(self._descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(self._descriptor, 32, 0).decode(errors="replace").strip()
            self.release()
            raise ArtefactError(
                f"the collection {folder} is open in another process (number "
                f"{holder or 'unknown'}): stop it first, or, when it is a server, upload through "
                "it instead: POST /items"
            ) from error
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)
        _HELD.add(self)

    def release(self) -> None:
        """Let others open the folder; a second call does nothing."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


_HELD: "weakref.WeakSet[FolderLock]" = weakref.WeakSet()


def _release_in_child() -> None:
    """Close the copies that a forked worker got: it would hold the lock beyond our own death."""
    for lock in list(_HELD):
        lock.release()


os.register_at_fork(after_in_child=_release_in_child)
