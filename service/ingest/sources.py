"""The files of a folder as a stream: however many there are, few are in memory."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from models.types import Modality
from service.captions import Caption, caption_of_path

# Names are sorted within runs of this many, so that the order is the same in every run.
_SORTED_TOGETHER = 10_000


@dataclass(frozen=True, slots=True)
class Source:
    """A file to index.

    Attributes:
        path: Where it lies.
        name: What it is called in reports: its path below the folder or beside the manifest.
        modality: What to take it as; None: judged by its content.
        caption: Title, label and so on.
        problem: Why it is left out without being read, if it is.
    """

    path: Path
    name: str
    modality: Modality | None
    caption: Caption
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """A stream of files.

    Attributes:
        title: Short name for a progress bar.
        count: How many there are.
        sources: Starts the stream.
    """

    title: str
    count: int
    sources: Callable[[], Iterator[Source]]


def list_folder(folder: Path) -> Listing:
    """List a folder of media; hidden files and folders are left out, links to folders too.

    Layouts: ``MODALITY/CLASS/file``, ``MODALITY/file``, ``CLASS/file`` or plain files. Where there
    are folders named after modalities, files outside them (a manifest, a licence) are a problem.
    """
    count, is_sorted = 0, False
    for path, _ in _walk(folder):
        count += 1
        is_sorted = is_sorted or caption_of_path(folder, path)[0] is not None

    def sources() -> Iterator[Source]:
        for path, problem in _walk(folder):
            modality, caption = caption_of_path(folder, path)
            if is_sorted and modality is None:
                problem = problem or "lies outside the folders named after modalities"
            yield Source(path, path.relative_to(folder).as_posix(), modality, caption, problem)

    return Listing(folder.name, count, sources)


def _walk(folder: Path) -> Iterator[tuple[Path, str | None]]:
    """Yield every file, and every folder that cannot be listed with the reason."""
    try:
        entries = os.scandir(folder)
    except OSError as error:
        yield folder, f"cannot be listed: {error.strerror}"
        return
    with entries:
        while some := sorted(islice(entries, _SORTED_TOGETHER), key=lambda entry: entry.name):
            for entry in some:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    yield from _walk(Path(entry.path))
                elif entry.is_file():
                    yield Path(entry.path), None
