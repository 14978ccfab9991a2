"""Every change of a collection, in the order that survives a crash at any point.

Adding: the media are on the disk, then the catalog commits (this is the acknowledgement), then the
indexes follow. Deleting: the catalog commits, then the indexes follow, then the media go. A marker
lies in ``pending/`` from before the first step until after the last one. Whatever is cut short is
finished or undone when the indexes are saved the next time, or at the next opening.
"""

import logging
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from service.catalog.catalog import Catalog
from service.catalog.records import Embedding, Item, NumberedEmbedding, SpaceRef
from service.collection.commits import CommitQueue
from service.collection.errors import StorageFullError, full_disk_reported
from service.collection.index_set import IndexSet
from service.collection.media_files import MediaFiles, StagedMedia
from service.collection.new_item import NewItem, check_new_item, check_vector, draft
from service.index.errors import IndexUnreachableError

_LOG = logging.getLogger(__name__)
SAVE_EVERY = 1_000
_ABANDONED_SECONDS = 24 * 3600.0


class Writer:
    """Adds, deletes and replaces; safe to call from any thread, one transaction at a time."""

    def __init__(
        self, folder: Path, catalog: Catalog, media: MediaFiles, indexes: IndexSet
    ) -> None:
        self._folder = folder
        self._catalog = catalog
        self._media = media
        self._indexes = indexes
        self._lock = threading.RLock()
        self._is_behind = False
        self._commits = CommitQueue(self._lock, self._store)

    def tidy(self, *, alone: bool) -> None:
        """Finish or undo what a killed process left; others may be staging when not alone."""
        n_parts = self._media.sweep(0 if alone else _ABANDONED_SECONDS)
        n_files = self._media.settle(self._catalog.by_ids)
        if n_parts or n_files:
            _LOG.info("removed %d unfinished uploads and %d unused files", n_parts, n_files)

    def add_many(self, arrivals: Sequence[NewItem]) -> list[tuple[Item, bool]]:
        """Store items in one transaction; see ``Collection.add_many``."""
        for arrival in arrivals:
            check_new_item(arrival, self._indexes.spaces)
        with full_disk_reported(self._folder):
            staged = self._media.stage_all(
                [(new.modality, new.media, new.suffix) for new in arrivals]
            )
            try:
                answer = self._commits.store(arrivals, staged)
            finally:
                self._media.discard(staged)
        self._save_now_and_then()
        return answer

    def delete(self, item_id: str) -> bool:
        """Forget an item, its vectors and its media; False when there is none of this id."""
        with self._alone():
            item = self._catalog.get(item_id)
            if item is None:
                return False
            placed = self._catalog.embeddings.of_items([item.number])
            self._media.mark(item.id, item.suffix)
            try:
                self._catalog.delete(item.id)
            except BaseException:
                self._media.settle(self._catalog.by_ids, [item.id])
                raise
            with self._followed():
                self._indexes.remove(placed)
            self._media.settle(self._catalog.by_ids, [item.id])
        self._save_now_and_then()
        return True

    def replace_embeddings(self, space: SpaceRef, rows: Iterable[tuple[int, Embedding]]) -> int:
        """Give a space new embeddings and indexes; see ``Collection.replace_embeddings``."""
        with self._alone():
            self._indexes.forget_files(space)
            count = self._catalog.embeddings.replace(space, _checked(space, rows))
            self._indexes.rebuild(space)
            return count

    def put_embeddings(self, space: SpaceRef, rows: Sequence[tuple[Item, Embedding]]) -> None:
        """Give some items an embedding; see ``Collection.put_embeddings``."""
        placed = list(_checked(space, ((item.number, embedding) for item, embedding in rows)))
        numbers = list(dict.fromkeys(number for number, _ in placed))
        with self._alone():
            before = self._catalog.embeddings.of_items(numbers, space.name)
            self._catalog.embeddings.put(space, placed)
            self._indexes.remove(before)
            self._indexes.add(self._catalog.embeddings.of_items(numbers, space.name))

    def rebuild(self, space: str) -> None:
        """Build the indexes of a space from the catalog; see ``Collection.rebuild``."""
        with self._alone():
            ref = self._indexes.space(space)
            self._indexes.forget_files(ref)
            self._indexes.rebuild(ref)

    def save(self) -> None:
        """Write the indexes that changed.

        Raises:
            StorageFullError: When the disk is full; items are safe in the catalog all the same.
        """
        with self._alone():
            if self._media.is_pending():  # nobody is at it now: a change was cut short
                self._media.settle(self._catalog.by_ids)
                self._indexes.catch_up()
            self._indexes.save()
            self._is_behind = False

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold off other threads, and other processes that share the folder."""
        with self._lock, full_disk_reported(self._folder), self._catalog.exclusive():
            yield

    @contextmanager
    def _followed(self) -> Iterator[None]:
        """Remember that the indexes may lack a change; its markers stay until it is repeated."""
        try:
            yield
        except BaseException:
            self._is_behind = True
            raise

    def _store(
        self, arrivals: Sequence[NewItem], staged: Sequence[StagedMedia]
    ) -> list[tuple[Item, bool]]:
        """Store items in one transaction; called with the lock held."""
        with self._catalog.exclusive():
            return self._store_alone(arrivals, staged)

    def _store_alone(
        self, arrivals: Sequence[NewItem], staged: Sequence[StagedMedia]
    ) -> list[tuple[Item, bool]]:
        known = self._catalog.by_ids([media.id for media in staged])
        fresh: dict[str, tuple[NewItem, StagedMedia]] = {}
        for new, media in zip(arrivals, staged, strict=True):
            if media.id not in known:
                fresh.setdefault(media.id, (new, media))
        stored = self._commit(fresh) if fresh else {}
        answer = []
        for media in staged:
            if media.id in stored:
                # The second of two equal items finds the first one there.
                known[media.id], is_new = stored.pop(media.id)
            else:
                is_new = False
            answer.append((known[media.id], is_new))
        return answer

    def _commit(
        self, fresh: Mapping[str, tuple[NewItem, StagedMedia]]
    ) -> dict[str, tuple[Item, bool]]:
        """Media first, then the catalog, then the indexes; on failure the media go again."""
        media = [staged for _, staged in fresh.values()]
        try:
            self._media.publish(media)
            stored = self._catalog.insert_missing(
                [draft(new, staged, self._indexes.spaces) for new, staged in fresh.values()]
            )
        except BaseException:
            self._media.withdraw(media, self._catalog.by_ids)
            raise
        with self._followed():
            self._indexes.add(self._numbered(stored, fresh))
        self._media.finish(media)
        return {item.id: (item, new) for item, new in stored}

    def _numbered(
        self,
        stored: Sequence[tuple[Item, bool]],
        fresh: Mapping[str, tuple[NewItem, StagedMedia]],
    ) -> Iterator[NumberedEmbedding]:
        """The embeddings of new items; the catalog knows the numbers of excerpts."""
        cut = []
        for item, is_new in stored:
            for space, placed in fresh[item.id][0].embeddings.items():
                if is_new and isinstance(placed, Embedding) and placed.excerpt is None:
                    number = item.number
                    yield NumberedEmbedding(number, number, space, item.modality, placed)
                elif is_new:
                    cut.append(item.number)
        for one in self._catalog.embeddings.of_items(list(dict.fromkeys(cut))):
            if one.embedding.excerpt is not None:
                yield one

    def _save_now_and_then(self) -> None:
        """Bound what a kill leaves to be caught up; a full disk is no reason to fail a change."""
        with self._lock:
            if not (self._is_behind or self._indexes.save_is_due(SAVE_EVERY)):
                return
            try:
                self.save()
            except (StorageFullError, IndexUnreachableError) as error:
                _LOG.warning("the indexes were not saved, the items are safe: %s", error)


def _checked(
    space: SpaceRef, rows: Iterable[tuple[int, Embedding]]
) -> Iterator[tuple[int, Embedding]]:
    for number, embedding in rows:
        check_vector(space, embedding)
        yield number, embedding
