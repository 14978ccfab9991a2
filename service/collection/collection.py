"""One data directory: catalog, media files and vector indexes, kept in step through any crash."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

from models.errors import ArtefactError
from models.types import Float32Array, Modality
from service.catalog.catalog import Catalog
from service.catalog.database import is_server, sqlite_url
from service.catalog.inspection import Inspection
from service.catalog.records import Embedding, Excerpt, Filter, Item, SpaceRef, Statistics
from service.collection.index_set import IndexSet
from service.collection.lock import FolderLock
from service.collection.media_files import MediaFiles, item_id, sync_folder
from service.collection.new_item import NewItem
from service.collection.paging import Hit, PageRequest, RankedPage, ranked_page
from service.collection.search import Page, nearest_to_any, search_items
from service.collection.shared_indexes import BACKEND as SHARED
from service.collection.writer import Writer
from service.index.options import DEFAULT_RECALL, IndexOptions, MilvusAddress


class Collection:
    """The items of a data directory. Safe to call from any thread; one process has it open.

    Attributes:
        folder: The data directory.
    """

    _refuses_misfits: ClassVar[bool] = True

    def __init__(
        self,
        folder: Path,
        spaces: Sequence[SpaceRef],
        *,
        backend: str = "auto",
        device: str = "auto",
        threads: int = 1,
        recall: float = DEFAULT_RECALL,
        memory_bytes: int | None = None,
        database_url: str | None = None,
        milvus: MilvusAddress | None = None,
    ) -> None:
        """Open the collection in a folder, or make a new one there.

        Args:
            folder: Data directory; made if it is not there.
            spaces: The spaces that are served, each name once.
            backend: Vector index, a key of ``service.index.registry.BACKENDS``.
            device: ``auto``, ``cpu`` or ``gpu``, for the index.
            threads: CPU threads that one search may use.
            recall: Share of the true nearest that an approximate index must find.
            memory_bytes: Main memory that one index may fill; None: half of this machine's.
            database_url: SQLAlchemy URL of the catalog; None for SQLite inside the folder.
            milvus: Where Milvus is, for the backend ``milvus``. With a database other than SQLite
                several processes may have the folder open then.

        Raises:
            ArtefactError: When another process has it open, or catalog, indexes and spaces do not
                fit each other; the message gives both values and the repair.
            IndexSettingError: When this machine lacks the backend or device asked for.
        """
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as undo:
            shares = is_server(database_url) and backend == SHARED and self._refuses_misfits
            undo.callback(FolderLock(folder, shared=shares).release)
            self._catalog = Catalog(database_url or sqlite_url(folder / "catalog.sqlite3"))
            undo.callback(self._catalog.close)
            sync_folder(folder)
            self._media = MediaFiles(folder)
            options = IndexOptions(backend, device, threads, recall, memory_bytes, milvus)
            self._indexes = IndexSet(folder, self._catalog, options)
            self._writer = Writer(folder, self._catalog, self._media, self._indexes)
            with self._catalog.exclusive():
                self._writer.tidy(alone=not shares)
                self._indexes.open(spaces, refuse_misfits=self._refuses_misfits)
            undo.callback(self._writer.save)
            undo.callback(self._indexes.close)
            self._ending = undo.pop_all()

    @classmethod
    def open_for_repair(
        cls,
        folder: Path,
        spaces: Sequence[SpaceRef],
        *,
        backend: str = "auto",
        device: str = "auto",
        threads: int = 1,
        recall: float = DEFAULT_RECALL,
        memory_bytes: int | None = None,
        database_url: str | None = None,
        milvus: MilvusAddress | None = None,
    ) -> "Collection":
        """Open a collection although indexes or embeddings do not fit their space.

        What does not fit is in ``misfits``; ``rebuild`` or ``replace_embeddings`` repairs it. The
        arguments are those of the constructor.
        """
        return _CollectionUnderRepair(
            folder,
            spaces,
            backend=backend,
            device=device,
            threads=threads,
            recall=recall,
            memory_bytes=memory_bytes,
            database_url=database_url,
            milvus=milvus,
        )

    @property
    def spaces(self) -> Mapping[str, SpaceRef]:
        """The open spaces by name."""
        return dict(self._indexes.spaces)

    @property
    def misfits(self) -> Mapping[str, ArtefactError]:
        """Spaces that cannot be searched before they are repaired, and why."""
        return dict(self._indexes.misfits)

    def add(self, new: NewItem) -> tuple[Item, bool]:
        """Store an item; when this returns, it survives a crash.

        Returns:
            The item, and whether it is new. False: the same bytes are there in that modality
            already, and nothing changed.

        Raises:
            DataError: When the item cannot be stored as it is.
            ShapeError: When a vector does not fit its space.
            StorageFullError: When the disk is full; nothing is stored then.
        """
        return self._writer.add_many([new])[0]

    def add_many(self, new: Iterable[NewItem]) -> list[tuple[Item, bool]]:
        """Store items in one transaction, all or none; see ``add``."""
        return self._writer.add_many(list(new))

    def contains(self, modality: Modality, sha256: str) -> Item | None:
        """Return the item that bytes of this SHA-256 (64 hex digits) are, in this modality."""
        return self._catalog.get(item_id(modality, sha256))

    def known(self, ids: Sequence[str]) -> set[str]:
        """Return those of the item ids that are there."""
        return set(self._catalog.by_ids(ids))

    def get(self, item_id: str) -> Item | None:
        """Return the item of this id."""
        return self._catalog.get(item_id)

    def items(
        self,
        filter: Filter | None = None,  # noqa: A002 - the word of the HTTP surface
        offset: int = 0,
        limit: int = 100,
        *,
        after: int = 0,
    ) -> tuple[list[Item], int]:
        """Return up to ``limit`` items in the order of adding, and how many fit in all.

        Args:
            filter: Which items; None for all.
            offset: How many to leave out.
            limit: Length of the page.
            after: Start behind the item of this number.
        """
        return self._catalog.page(filter or Filter(), offset, limit, after=after)

    def delete(self, item_id: str) -> bool:
        """Forget an item, its vectors and its media; False when there is none of this id."""
        return self._writer.delete(item_id)

    def media_path(self, item: Item) -> Path:
        """Where the bytes of an item lie, as they came."""
        return self._media.path(item.id, item.suffix)

    def search(
        self,
        space: str,
        modality: Modality,
        queries: Float32Array,
        k: int,
        *,
        offset: int = 0,
        filter: Filter | None = None,  # noqa: A002 - the word of the HTTP surface
    ) -> list[list[tuple[Item, float]]]:
        """Find the items of a modality that are nearest to points of a space.

        Args:
            space: Name of the space.
            modality: What is looked for.
            queries: Points of the space, shape (B, K).
            k: Length of each answer, >= 1; shorter when there are fewer items.
            offset: How many of the best to leave out.
            filter: Which items may be found; None for all.

        Returns:
            For each query (item, inner product), best first, older items first among equals; an
            item with several excerpts comes once for each. The answer for k is the start of that
            for k + m.

        Raises:
            ArtefactError: When the space waits for repair.
            DataError: When the space is not open or does not cover the modality.
            ShapeError: When the queries are not (B, K) and finite, k < 1 or offset < 0.
        """
        rankings = self._rankings(space, modality, queries, Page(k, offset, filter))
        return [[(hit.item, hit.score) for hit in ranking] for ranking in rankings]

    def ranking(
        self,
        space: str,
        modality: Modality,
        queries: Float32Array,
        request: PageRequest,
        filter: Filter | None = None,  # noqa: A002 - the word of the HTTP surface
    ) -> RankedPage:
        """Return a page of the ranking by the best of some points, with a cursor for the next.

        An item comes once, with the best of its excerpts.

        Args:
            space: Name of the space.
            modality: What is looked for.
            queries: Points of the space, shape (B, K); the nearest of them counts.
            request: Which part of the ranking.
            filter: Which items may be found; None for all.

        Raises:
            ArtefactError, DataError, ShapeError: As ``search``.
        """
        sequence = self._catalog.sequence()

        def search(depth: int) -> list[Hit]:
            page = Page(depth, 0, filter)
            return nearest_to_any(self._rankings(space, modality, queries, page), depth)

        return ranked_page(search, request, sequence)

    def _rankings(
        self, space: str, modality: Modality, queries: Float32Array, page: Page
    ) -> list[list[Hit]]:
        index = self._indexes.of(space, modality)
        chosen = page.chosen
        if chosen is not None and chosen != Filter():
            chosen = replace(chosen, modality=chosen.modality or modality)
        return search_items(self._catalog, index, queries, replace(page, chosen=chosen))

    def sequence(self) -> int:
        """Return the number of the last change; 0 for a new collection."""
        return self._catalog.sequence()

    @property
    def id(self) -> str:
        """Made with the catalog, 32 hex digits."""
        return self._catalog.collection_id

    def describe_indexes(self, space: str) -> Mapping[Modality, Mapping[str, Any]]:
        """Say of each index of a space what it is: type, number of vectors, measured recall."""
        return self._indexes.describe(space)

    def embedding_counts(self) -> Mapping[str, Mapping[Modality, int]]:
        """Count the embeddings of each modality, for each space that has any."""
        return self._catalog.embedding_counts()

    def embedding(self, item: Item, space: str) -> Embedding | None:
        """Return where an item, or its first excerpt, lies in a space; None if it does not."""
        return self._catalog.embeddings.get(item.number, space)

    def embeddings_of(self, item: Item, space: str) -> list[Embedding]:
        """Return where an item lies in a space: once as a whole, or each excerpt in order."""
        found = self._catalog.embeddings.of_items([item.number], space)
        return [one.embedding for one in found]

    def excerpt(self, item: Item, position: int) -> Excerpt | None:
        """Return an excerpt of an item by its position, from 1; None when there is none."""
        return self._catalog.embeddings.excerpt(item.number, position)

    def item_counts(self) -> Mapping[str, Mapping[Modality, int]]:
        """Count the items of each modality that lie in a space, for each space that has any."""
        return self._catalog.item_counts()

    def replace_embeddings(self, space: SpaceRef, rows: Iterable[tuple[int, Embedding]]) -> int:
        """Give all items of a space new embeddings, in one transaction, and build its indexes.

        Args:
            space: The space as it is from now on.
            rows: (item number, embedding); may be computed as it is read.

        Returns:
            How many embeddings the space has now.

        Raises:
            DataError: When a number is no item or comes twice; the old embeddings stay then.
            ShapeError: When a vector does not fit; the old embeddings stay then.
            StorageFullError: When the disk is full; the old embeddings stay then.
        """
        return self._writer.replace_embeddings(space, rows)

    def put_embeddings(self, space: SpaceRef, rows: Sequence[tuple[Item, Embedding]]) -> None:
        """Place some items in a space, or place them anew, in one transaction.

        Raises:
            DataError: When an item is gone, or the space is of another fingerprint than the
                embeddings that are there; nothing is changed then.
            ShapeError: When a vector does not fit; nothing is changed then.
            StorageFullError: When the disk is full; nothing is changed then.
        """
        self._writer.put_embeddings(space, rows)

    @property
    def inspection(self) -> Inspection:
        """Looks for damage in the catalog."""
        return self._catalog.inspection

    def rebuild(self, space: str) -> None:
        """Build the indexes of an open space anew from the embeddings in the catalog.

        Raises:
            ArtefactError: When those embeddings come from another version of the space.
            DataError: When the space is not open.
        """
        self._writer.rebuild(space)

    def statistics(self) -> Statistics:
        """Count items, works, embeddings and bytes."""
        return self._catalog.statistics()

    def save(self) -> None:
        """Write the indexes that changed, so that the next opening has nothing to catch up.

        Raises:
            StorageFullError: When the disk is full; items are safe in the catalog all the same.
        """
        self._writer.save()

    def settle(self) -> None:
        """Wait until every index that should be built is built, and save; after bulk ingestion."""
        self._indexes.settle()
        self._writer.save()

    def close(self) -> None:
        """Save and let others open the folder; a second call does nothing."""
        self._ending.close()

    def __enter__(self) -> Self:
        """Return the collection itself."""
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the collection."""
        self.close()


class _CollectionUnderRepair(Collection):
    """A collection that opens although something does not fit."""

    _refuses_misfits: ClassVar[bool] = False
