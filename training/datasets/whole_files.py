"""Files of a data set that are there whole or not at all, though a build may be stopped."""

import os
from pathlib import Path


def write_whole(path: Path, data: bytes) -> None:
    """Write a file beside its place and move it there; folders are made.

    Unlike ``models.checkpoint.write_bytes_atomically`` it does not wait for the disk: a build
    writes tens of thousands of files and can make each of them again.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_bytes(data)
    unfinished.replace(path)
