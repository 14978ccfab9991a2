"""Archives of public data sets: found unpacked, or unpacked once into a cache folder."""

import lzma
import os
import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tqdm import tqdm

from models.errors import DataError

DEFAULT_CACHE: Final = Path("data_local")


@dataclass(frozen=True, slots=True)
class Pack:
    """One archive.

    Attributes:
        name: Folder it is unpacked into.
        archive: File name of the archive, or of the single file itself.
        inside: Path that a complete pack holds, relative to that folder; None for a single file.
    """

    name: str
    archive: str
    inside: str | None


def find_pack(pack: Pack, root: Path | None, *, cache: Path | None = None) -> Path:
    """Return where the content of a pack lies, unpacking it first where needed.

    Looked for in this order: unpacked in ``root`` (``ROOT/NAME/INSIDE`` or ``ROOT/INSIDE``) or in
    the cache, then as archive in ``root`` or in the cache. Unpacking writes to the cache only,
    shows a bar with rate and time left, refuses members that point outside, and is atomic.

    Args:
        pack: What to find.
        root: Folder of packs; None looks into the cache only.
        cache: Folder for unpacked packs; ``data_local`` in the current folder by default.

    Returns:
        Folder ``INSIDE`` of the pack, or the file.

    Raises:
        DataError: If it is nowhere, or the archive is damaged.
    """
    cache = DEFAULT_CACHE if cache is None else cache
    folders = [folder for folder in (root, cache) if folder is not None]
    if pack.inside is not None:
        for folder in folders:
            for place in (folder / pack.name / pack.inside, folder / pack.inside):
                if place.exists():
                    return place
    for folder in folders:
        archive = folder / pack.archive
        if archive.is_file():
            return archive if pack.inside is None else _unpack(pack, pack.inside, archive, cache)
    wanted = pack.archive if pack.inside is None else f"{pack.name}/{pack.inside} or {pack.archive}"
    looked = " and ".join(str(folder) for folder in folders)
    raise DataError(
        f"{wanted}: not found in {looked}; the README.md beside the data packs says where to get "
        f"it, then name that folder with --root"
    )


def _unpack(pack: Pack, inside: str, archive: Path, cache: Path) -> Path:
    target = cache / pack.name
    partial = cache / f".{pack.name}.{os.getpid()}.partial"
    partial.mkdir(parents=True)
    try:
        _extract_all(archive, partial)
        if not (partial / inside).exists():
            raise DataError(f"{archive}: expected {inside} inside, found none")
        _put_in_place(partial, target, inside)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return target / inside


def _extract_all(archive: Path, folder: Path) -> None:
    bar = {"total": archive.stat().st_size, "desc": f"Unpacking {archive.name}", "disable": None}
    try:
        with (
            archive.open("rb") as file,
            tqdm.wrapattr(file, "read", **bar) as reader,
            tarfile.open(fileobj=reader, mode="r|*") as tar,
        ):
            tar.extractall(folder, filter="data")
    except (tarfile.TarError, lzma.LZMAError, EOFError, OSError) as error:
        raise DataError(f"{archive}: expected an undamaged tar archive, found: {error}") from error


def _put_in_place(partial: Path, target: Path, inside: str) -> None:
    try:
        partial.rename(target)
    except OSError as error:
        if not (target / inside).exists():  # not another process that was faster
            raise DataError(
                f"{target}: expected no folder or a complete pack, found one without {inside}; "
                "delete it"
            ) from error
