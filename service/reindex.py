"""Placing stored items anew, after a space was trained again or another one was loaded."""

from collections.abc import Iterator
from dataclasses import dataclass

from tqdm import tqdm

from models.errors import KyomeiError
from service.artefacts import SpaceFolder, find_spaces
from service.catalog.records import Embedding, Filter, Item, Placed, each
from service.collection.collection import Collection
from service.embedder import Embedder
from service.index.options import MilvusAddress
from service.parallel import in_order
from service.settings import Settings

_PAGE = 500


@dataclass(frozen=True, slots=True)
class ReindexReport:
    """What came of it.

    Attributes:
        placed: Number of items of each space.
        skipped: Id and reason of each item that could not be placed.
    """

    placed: dict[str, int]
    skipped: tuple[tuple[str, str], ...]


def reindex_collection(settings: Settings, *, progress: bool = True) -> ReindexReport:
    """Decode every item again and give it new embeddings in the loaded spaces.

    An item stays in the spaces it lay in; one that lies in none of the loaded spaces, and every
    item when a space is empty, goes to all that cover its modality.

    Args:
        settings: Folders, spaces and limits.
        progress: Whether to show bars.

    Raises:
        ArtefactError: When a space is broken or another process has the collection open.
    """
    found = find_spaces(settings)
    collection = Collection.open_for_repair(
        settings.data,
        [space.ref for space in found],
        backend=settings.index_backend,
        device=settings.index_device,
        threads=settings.threads,
        recall=settings.index_recall,
        memory_bytes=settings.index_memory_bytes,
        database_url=settings.database_url,
        milvus=MilvusAddress.of(settings),
    )
    with collection:
        embedder = Embedder(found, settings)
        try:
            work = _Reindexing(collection, embedder, progress=progress)
            placed = {space.name: work.place(space) for space in found}
        finally:
            embedder.close()
    return ReindexReport(placed, tuple(work.skipped))


class _Reindexing:
    """One run over a collection."""

    def __init__(self, collection: Collection, embedder: Embedder, *, progress: bool) -> None:
        self.skipped: list[tuple[str, str]] = []
        self._collection = collection
        self._embedder = embedder
        self._progress = progress
        self._members = self._plan()

    def place(self, space: SpaceFolder) -> int:
        """Give the items of a space their new embeddings, in one transaction."""
        return self._collection.replace_embeddings(space.ref, self._rows(space))

    def _plan(self) -> dict[str, list[Item]]:
        """Decide what lies where before anything is changed."""
        names = list(self._embedder.spaces)
        counts = self._collection.statistics().embeddings
        empty = {name for name in names if not sum(counts.get(name, {}).values())}
        members: dict[str, list[Item]] = {name: [] for name in names}
        for item in _all_items(self._collection):
            homes = {n for n in names if self._collection.embedding(item, n) is not None}
            for name in self._embedder.space_names(item.modality):
                if name in homes or name in empty or not homes:
                    members[name].append(item)
        return members

    def _rows(self, space: SpaceFolder) -> Iterator[tuple[int, Embedding]]:
        def embed(item: Item) -> Placed:
            path, only = self._collection.media_path(item), [space.name]
            with self._embedder.slot():
                reading = self._embedder.read(path, item.modality, only)
                return self._embedder.place([reading], only)[0][space.name]

        items = self._members[space.name]
        bar = tqdm(total=len(items), desc=space.name, unit="item", disable=not self._progress)
        with bar:
            for item, future in in_order(embed, items, workers=self._embedder.workers):
                bar.update()
                try:
                    for embedding in each(future.result()):
                        yield item.number, embedding
                except KyomeiError as error:
                    self.skipped.append((item.id, str(error)))


def _all_items(collection: Collection) -> Iterator[Item]:
    offset, total = 0, 1
    while offset < total:
        page, total = collection.items(Filter(), offset, _PAGE)
        yield from page
        offset += _PAGE
