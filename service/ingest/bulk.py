"""A folder or a manifest into the collection: a stream with bounded queues, which can be resumed.

    list -> known already? (ledger, hash, catalog) -> read in worker processes -> place -> commit

Each step takes a batch at a time from the one before it, so what is in memory does not depend on
how many files there are, and nothing is read far ahead of the commits.
"""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from models.errors import DataError, KyomeiError
from models.file_names import printable_name
from service.catalog.records import Item
from service.collection.collection import Collection
from service.collection.errors import StorageFullError
from service.collection.media_files import item_id
from service.collection.new_item import NewItem
from service.embedder import Embedder
from service.errors import ProblemError
from service.facts import sha256_of
from service.ingest.ledger import Ledger, Stamp
from service.ingest.manifest import is_manifest, list_manifest
from service.ingest.new_item import described
from service.ingest.report import IndexReport, SkippedFiles
from service.ingest.sources import Listing, Source, list_folder
from service.parallel import in_order
from service.reading import Reader, Reading

_BATCH = 256
_SECONDS_BETWEEN_COMMITS = 5.0


def index_folder(
    embedder: Embedder,
    collection: Collection,
    origin: Path,
    *,
    spaces: Sequence[str] | None = None,
    reader: Reader | None = None,
    report: Path | None = None,
    progress: bool = True,
) -> IndexReport:
    """Add a folder of media, or what a manifest lists; what is there already is passed over.

    What was read is stored in transactions of up to 256 items, every few seconds. An interrupted
    or killed run goes on where it stopped when it is started again.

    Args:
        embedder: Media to embeddings.
        collection: Where to.
        origin: A folder (see ``list_folder``) or a manifest (see ``list_manifest``).
        spaces: Names of the spaces to place the items in; None: all that cover each modality.
        reader: Who reads the files; None: the worker processes of the embedder.
        report: Where to write the files that were left out, a JSON object a line.
        progress: Whether to show a bar with rate and time left.

    Returns:
        Counts, and the files that were skipped with their reasons.

    Raises:
        DataError: When ``origin`` is neither, the manifest is wrong or the report not writable.
        ProblemError: ``decoders-down`` when no worker starts.
        StorageFullError: When the disk is full; what was stored so far stays.
    """
    start = time.perf_counter()
    listing = _listing(origin)
    with ExitStack() as stack:
        skipped = stack.enter_context(SkippedFiles(report))
        ledger = stack.enter_context(Ledger(collection.folder))
        shown = printable_name(listing.title)
        bar = tqdm(total=listing.count, desc=shown, unit="file", disable=not progress)
        work = _Indexing(embedder, collection, spaces, skipped, ledger, stack.enter_context(bar))
        work.run(listing, reader)
    collection.settle()
    seconds = time.perf_counter() - start
    return IndexReport(work.added, work.present, tuple(skipped.first), skipped.count, seconds)


def _listing(origin: Path) -> Listing:
    if origin.is_dir():
        return list_folder(origin)
    if origin.is_file() and is_manifest(origin):
        return list_manifest(origin)
    raise DataError(
        f"expected a folder of media or a manifest (.csv, .jsonl), there is none at {origin}"
    )


class _Fresh(NamedTuple):
    """A file that is not in the collection, as far as can be told without decoding it."""

    source: Source
    stamp: Stamp


class _Indexing:
    """One run: what was read waits here until it is stored."""

    def __init__(
        self,
        embedder: Embedder,
        collection: Collection,
        spaces: Sequence[str] | None,
        skipped: SkippedFiles,
        ledger: Ledger,
        bar: "tqdm[None]",
    ) -> None:
        self.added = 0
        self.present = 0
        self._embedder = embedder
        self._collection = collection
        self._spaces = spaces
        self._skipped = skipped
        self._ledger = ledger
        self._bar = bar
        self._waiting: list[tuple[_Fresh, Reading]] = []
        self._stored_at = time.monotonic()

    def run(self, listing: Listing, reader: Reader | None) -> None:
        """Index the files of a listing."""

        def read(file: _Fresh) -> Reading:
            path, modality = file.source.path, file.source.modality
            return self._embedder.read(path, modality, self._spaces, reader=reader)

        workers = self._embedder.workers if reader is None else reader.workers
        with ThreadPoolExecutor(workers) as hashing:
            files = self._fresh(listing.sources(), hashing)
            try:
                with closing(in_order(read, files, workers=workers, ahead=_BATCH)) as outcomes:
                    for file, future in outcomes:
                        self._take(file, future)
            finally:  # what was read is kept also when the user interrupts
                self._store()

    def _fresh(self, sources: Iterator[Source], hashing: ThreadPoolExecutor) -> Iterator[_Fresh]:
        """Leave out what cannot be read and what the collection has."""
        while some := list(islice(sources, _BATCH)):
            files = [file for source in some if (file := self._looked_at(source)) is not None]
            ids = self._ledger.known(files)
            unknown = [file.source for file, id_ in zip(files, ids, strict=True) if id_ is None]
            hashes = hashing.map(_item_of, unknown)
            named = [(file, id_ or next(hashes)) for file, id_ in zip(files, ids, strict=True)]
            there = self._collection.known([id_ for _, id_ in named if id_ is not None])
            self._ledger.note((*file, id_) for file, id_ in named if id_ in there)
            for file, id_ in named:
                if id_ in there:
                    self.present += 1
                    self._bar.update()
                else:
                    yield file

    def _looked_at(self, source: Source) -> _Fresh | None:
        if source.problem is not None:
            self._skip(source, source.problem)
            return None
        try:
            return _Fresh(source, Stamp.of(source.path))
        except OSError as error:
            self._skip(source, f"cannot be read: {error.strerror}")
            return None

    def _take(self, file: _Fresh, future: "Future[Reading]") -> None:
        """Keep what was read; one bad file is a line of the report, not the end of the run."""
        try:
            self._waiting.append((file, future.result()))
        except ProblemError as error:
            if error.name == "decoders-down":
                raise
            self._skip(file.source, str(error))
        except KyomeiError as error:
            self._skip(file.source, str(error))
        is_late = time.monotonic() - self._stored_at > _SECONDS_BETWEEN_COMMITS
        if len(self._waiting) >= _BATCH or (self._waiting and is_late):
            self._store()

    def _store(self) -> None:
        """Place and commit what waits."""
        waiting, self._waiting = self._waiting, []
        places = self._embedder.place([reading for _, reading in waiting], self._spaces)
        news = [
            described(file.source.path, file.source.caption, reading, embeddings)
            for (file, reading), embeddings in zip(waiting, places, strict=True)
        ]
        stored = zip(waiting, self._added(news), strict=True)
        self._ledger.note(
            (*file, item.id)
            for (file, reading), outcome in stored
            if (item := self._counted(file, reading, outcome)) is not None
        )
        self._stored_at = time.monotonic()

    def _added(self, news: list[NewItem]) -> "list[tuple[Item, bool] | Exception]":
        """Add all in one transaction; where one of them is at fault, one by one."""
        if not news:
            return []
        try:
            return list(self._collection.add_many(news))
        except StorageFullError:
            raise
        except (KyomeiError, OSError) as error:
            if len(news) == 1:
                return [error]
            return [outcome for new in news for outcome in self._added([new])]

    def _counted(
        self, file: _Fresh, reading: Reading, outcome: tuple[Item, bool] | Exception
    ) -> Item | None:
        """Count one file and return its item."""
        if isinstance(outcome, Exception):
            self._skip(file.source, str(outcome))
            return None
        item, created = outcome
        if item.sha256 != reading.facts.sha256:
            # Its vector is that of other bytes.
            if created:
                self._collection.delete(item.id)
            self._skip(file.source, "was changed while it was read")
            return None
        self.added += created
        self.present += not created
        self._bar.update()
        return item

    def _skip(self, source: Source, reason: str) -> None:
        self._skipped.add(source.name, reason)
        self._bar.update()


def _item_of(source: Source) -> str | None:
    """Return the id of the item that a file would be; None when only decoding can tell."""
    if source.modality is None:
        return None
    try:
        return item_id(source.modality, sha256_of(source.path)[0])
    except OSError:
        return None  # reading it will say why
