"""``kyomei check``: whether catalog, media and indexes of a data folder are whole and agree."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from models.errors import ArtefactError
from models.types import Modality
from service.catalog.catalog import Catalog
from service.catalog.database import sqlite_url
from service.catalog.records import Item, SpaceRef
from service.collection.index_check import verify
from service.collection.lock import FolderLock
from service.collection.media_files import MediaFiles, item_id, sha256_of_file
from service.index.options import IndexOptions
from service.parallel import in_order

_READERS = 4
_ID_DIGITS = 20

KINDS = {
    "catalog-damaged": "restore a backup: kyomei restore",
    "media-missing": "the item is set aside in quarantine/",
    "media-damaged": "the item and its file are set aside in quarantine/",
    "media-orphan": "the file is moved to lost+found/",
    "wrong-id": "the item is set aside in quarantine/",
    "metadata-misfiled": "metadata and tags are filed anew",
    "embedding-damaged": "the item is placed anew, from its media",
    "embedding-missing": "the item is placed in every space that covers it, from its media",
    "other-fingerprint": "kyomei reindex places every item anew",
    "index-damaged": "the indexes of the space are built anew from the catalog",
}
"""What can be found, and what ``--repair`` does about it or which command helps."""

NOT_MENDED = frozenset({"catalog-damaged", "other-fingerprint"})


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        kind: A key of ``KINDS``.
        subject: An item id, a file below the data folder or a space.
        detail: What was expected and what was found.
        space: The space, for those of an embedding.
    """

    kind: str
    subject: str
    detail: str
    space: str | None = None


@dataclass(slots=True)
class Report:
    """What a check looked at and found.

    Attributes:
        findings: In the order they were found.
        checked: How many items, media bytes, embeddings, spaces and files were looked at.
        unfinished: Changes that a killed process left; the next opening ends them.
        collection_id: Of the catalog.
        sequence: The last change of the catalog.
        spaces: What the catalog keeps embeddings of.
        embeddings: How many there are of each modality, for each space that has any.
    """

    findings: list[Finding] = field(default_factory=list)
    checked: Counter[str] = field(default_factory=Counter)
    unfinished: int = 0
    collection_id: str = ""
    sequence: int = 0
    spaces: Mapping[str, SpaceRef] = field(default_factory=dict)
    embeddings: Mapping[str, Mapping[Modality, int]] = field(default_factory=dict)


def check_folder(
    folder: Path,
    spaces: Sequence[SpaceRef],
    options: IndexOptions,
    *,
    database_url: str | None = None,
    progress: bool = True,
) -> Report:
    """Look at every item, file, row, vector and index; nothing is changed.

    Args:
        folder: Data directory; nobody else may have it open.
        spaces: The spaces that would be served, to compare their fingerprints.
        options: How indexes are opened.
        database_url: SQLAlchemy URL of the catalog; None for SQLite inside the folder.
        progress: Whether to show bars.

    Raises:
        ArtefactError: When there is no collection, it is open elsewhere or of another version.
    """
    with open_catalog(folder, database_url) as catalog:
        check = _Check(folder, catalog, progress=progress)
        check.run(spaces, options)
        return check.report


@contextmanager
def open_catalog(folder: Path, database_url: str | None) -> Iterator[Catalog]:
    """Open the catalog of a data folder that nobody else has open, and nothing else.

    Raises:
        ArtefactError: When there is none, it is open elsewhere or of another version.
    """
    path = folder / "catalog.sqlite3"
    if not folder.is_dir() or (database_url is None and not path.is_file()):
        raise ArtefactError(f"expected a collection in {folder}, there is no {path.name}")
    with ExitStack() as stack:
        stack.callback(FolderLock(folder).release)
        catalog = Catalog(database_url or sqlite_url(path))
        stack.callback(catalog.close)
        yield catalog


class _Check:
    """One run over a data folder."""

    def __init__(self, folder: Path, catalog: Catalog, *, progress: bool) -> None:
        self.report = Report()
        self._folder = folder
        self._catalog = catalog
        self._media = MediaFiles(folder)
        self._progress = progress

    def run(self, spaces: Sequence[SpaceRef], options: IndexOptions) -> None:
        """Look at everything; a damaged database hides the rest."""
        for problem in self._catalog.inspection.database_problems():
            self._find("catalog-damaged", "catalog", problem)
        if self.report.findings:
            return
        self._items()
        self._files()
        self.report.collection_id = self._catalog.collection_id
        self.report.sequence = self._catalog.sequence()
        self.report.spaces = stored = self._catalog.embeddings.spaces()
        self.report.embeddings = self._catalog.embedding_counts()
        for space in stored.values():
            self._embeddings(space)
            self._indexes(space, options)
        self._fingerprints(stored, spaces)

    def _items(self) -> None:
        inspection = self._catalog.inspection
        total = self._catalog.statistics()
        with self._bar("media", total.media_bytes, "B") as bar:
            for items in inspection.items():
                for item, future in in_order(self._media_problem, items, workers=_READERS):
                    self._note(item, *future.result())
                    bar.update(item.bytes)
                for item in inspection.misfiled(items):
                    self._find("metadata-misfiled", item.id, "metadata or tags and their index")
                self.report.checked["items"] += len(items)
        numbers = inspection.without_embedding()
        for number, item in self._catalog.by_numbers(numbers).items():
            self._find("embedding-missing", item.id, f"item {number} lies in no space")

    def _media_problem(self, item: Item) -> tuple[str, str]:
        """Return kind and detail of what is wrong with the file of an item, or empty texts."""
        if item.id != item_id(item.modality, item.sha256):
            return "wrong-id", "the id does not follow from modality and sha256"
        path = self._media.path(item.id, item.suffix)
        try:
            found = sha256_of_file(path)
        except FileNotFoundError:
            return "media-missing", f"expected {path.relative_to(self._folder)}, it is not there"
        except OSError as error:
            return "media-damaged", f"cannot be read: {error.strerror}"
        if found != item.sha256:
            return "media-damaged", f"sha256: expected {item.sha256}, got {found}"
        return "", ""

    def _note(self, item: Item, kind: str, detail: str) -> None:
        self.report.checked["media_bytes"] += item.bytes
        if kind:
            self._find(kind, item.id, detail)

    def _files(self) -> None:
        pending = self._media.pending()
        self.report.unfinished = len(pending)
        for paths in self._media.files():
            self.report.checked["files"] += len(paths)
            suffixes = self._catalog.inspection.suffixes([p.name[:_ID_DIGITS] for p in paths])
            for path in paths:
                name = path.name[:_ID_DIGITS]
                belongs = name in suffixes and self._media.path(name, suffixes[name]) == path
                if not belongs and path.name not in pending:
                    where = path.relative_to(self._folder).as_posix()
                    self._find("media-orphan", where, "no item of the catalog has this file")

    def _embeddings(self, space: SpaceRef) -> None:
        counts = self._catalog.embedding_counts().get(space.name, {})
        with self._bar(f"{space.name} vectors", sum(counts.values()), "") as bar:
            for count, problems in self._catalog.inspection.embedding_problems(space):
                bar.update(count)
                self.report.checked["embeddings"] += count
                self._damaged(space, problems)
        self._damaged(space, self._catalog.inspection.torn_excerpts(space))

    def _damaged(self, space: SpaceRef, problems: Sequence[tuple[int, str]]) -> None:
        items = self._catalog.by_numbers([number for number, _ in problems])
        for number, detail in problems:
            self._find("embedding-damaged", items[number].id, detail, space.name)

    def _indexes(self, space: SpaceRef, options: IndexOptions) -> None:
        self.report.checked["spaces"] += 1
        if any(finding.kind.startswith("embedding-") for finding in self.report.findings):
            return  # nothing to compare an index with: it is built anew once they are mended
        for problem in verify(self._folder, space, self._catalog, options):
            self._find("index-damaged", space.name, problem, space.name)

    def _fingerprints(self, stored: dict[str, SpaceRef], served: Sequence[SpaceRef]) -> None:
        counts = self._catalog.embedding_counts()
        for space in served:
            ref = stored.get(space.name)
            if ref and counts.get(space.name) and ref.fingerprint != space.fingerprint:
                detail = f"the space is {space.fingerprint}, its embeddings {ref.fingerprint}"
                self._find("other-fingerprint", space.name, detail, space.name)

    def _find(self, kind: str, subject: str, detail: str, space: str | None = None) -> None:
        self.report.findings.append(Finding(kind, subject, detail, space))

    def _bar(self, what: str, total: int, unit: str) -> "tqdm[None]":
        return tqdm(total=total, desc=what, unit=unit, unit_scale=True, disable=not self._progress)


def of_kind(report: Report, *kinds: str) -> Iterator[Finding]:
    """Yield the findings of some kinds."""
    return (finding for finding in report.findings if finding.kind in kinds)
