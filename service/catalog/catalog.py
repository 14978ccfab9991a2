"""The catalog: which items there are. It is the truth; index files and media follow it."""

import uuid
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime

import numpy as np
from sqlalchemy import Connection, delete, distinct, func, select, update
from sqlalchemy.orm import Session

from models.errors import DataError
from models.types import Int64Array, Modality
from service.catalog import sequence as counter
from service.catalog.answers import RecentAnswers
from service.catalog.bulk import insert_rows
from service.catalog.database import held_alone, open_database, transaction
from service.catalog.embeddings import (
    EmbeddingTable,
    counts,
    excerpt_numbers,
    forget_item,
    item_counts,
    numbers_for,
)
from service.catalog.inspection import Inspection
from service.catalog.queries import chunks, conditions, integers
from service.catalog.records import Draft, Filter, Item, Statistics
from service.catalog.rows import (
    Values,
    embedding_values,
    fact_values,
    item_values,
    new_item,
    tag_values,
    to_item,
)
from service.catalog.spaces import SpaceTable
from service.catalog.tables import Base, EmbeddingRow, FactRow, InfoRow, ItemRow, TagRow


class Catalog:
    """Items in a database. Safe to call from any thread; one process writes at a time.

    Attributes:
        collection_id: Made with the tables, 32 hex digits; the indexes must name the same.
        embeddings: The vectors of the items.
        inspection: Looks for damage.
    """

    def __init__(self, url: str) -> None:
        """Open or create the catalog at an SQLAlchemy URL.

        Raises:
            ArtefactError: When it cannot be reached, is damaged or of another schema version.
        """
        self._engine, self.collection_id = open_database(url)
        self.embeddings = EmbeddingTable(self._engine)
        self.inspection = Inspection(self._engine)
        self._spaces = SpaceTable(self._engine)
        self._answers = RecentAnswers()

    def exclusive(self) -> AbstractContextManager[None]:
        """Hold off every other process that changes the collection, on a database server."""
        return held_alone(self._engine, self.collection_id)

    def sequence(self) -> int:
        """Return the number of the last change that was committed; 0 for a new catalog."""
        return counter.current(self._engine)

    def insert(self, drafts: Sequence[Draft]) -> list[Item]:
        """Store new items with metadata and embeddings in one transaction.

        When this returns, they are on the disk.

        Raises:
            DataError: When one is there already, or the embeddings of a space come from another
                fingerprint of it; nothing is stored then.
            OSError: With ``ENOSPC`` when the disk or database is full; nothing is stored then.
        """
        return [item for item, _ in self._insert(drafts, refuse_known=True)]

    def insert_missing(self, drafts: Sequence[Draft]) -> list[tuple[Item, bool]]:
        """Store those items that are not there yet; the others stay as they are.

        Returns:
            For each draft the item, and whether it is new. Another process may have added it a
            moment ago.

        Raises:
            DataError, OSError: As in ``insert``.
        """
        return self._insert(drafts, refuse_known=False)

    def _insert(self, drafts: Sequence[Draft], *, refuse_known: bool) -> list[tuple[Item, bool]]:
        created_at = datetime.now(UTC)
        with transaction(self._engine) as session:
            first = counter.advance(session.connection(), len(drafts)) - len(drafts) + 1
            # From here to the commit no other writer gets a number, so none adds the same item.
            known = _by_ids(session, [draft.id for draft in drafts])
            if refuse_known and known:
                raise DataError(f"expected new items, got one that is there: {min(known)}")
            items = [
                known.get(draft.id) or new_item(draft, number, created_at)
                for number, draft in enumerate(drafts, first)
            ]
            fresh = [pair for pair in zip(items, drafts, strict=True) if pair[0].number >= first]
            self._write(session.connection(), fresh)
        return [(item, item.number >= first) for item in items]

    def _write(self, connection: Connection, fresh: Sequence[tuple[Item, Draft]]) -> None:
        items = [item for item, _ in fresh]
        refs = {space.name: space for _, draft in fresh for space, _ in draft.embeddings}
        keys = {name: self._spaces.require(connection, space) for name, space in refs.items()}
        placed = [
            (item.number, embedding) for item, draft in fresh for _, embedding in draft.embeddings
        ]
        numbers = numbers_for(connection, placed)
        together: list[tuple[type[Base], list[Values]]] = [
            (ItemRow, [item_values(item) for item in items]),
            (FactRow, [values for item in items for values in fact_values(item)]),
            (TagRow, [values for item in items for values in tag_values(item)]),
            (
                EmbeddingRow,
                [
                    embedding_values(
                        keys[space.name],
                        item.modality.value,
                        item.number,
                        next(numbers),
                        item.number,
                        embedding,
                    )
                    for item, draft in fresh
                    for space, embedding in draft.embeddings
                ],
            ),
        ]
        for table, rows in together:
            insert_rows(connection, table, rows)

    def delete(self, item_id: str) -> bool:
        """Forget an item with its metadata and embeddings; False when there is none."""
        with transaction(self._engine) as session:
            connection = session.connection()
            sequence = counter.advance(connection)
            number = connection.scalar(select(ItemRow.number).where(ItemRow.id == item_id))
            if number is None:
                session.rollback()
                return False
            forget_item(connection, number, sequence)
            connection.execute(delete(ItemRow).where(ItemRow.number == number))
        return True

    def get(self, item_id: str) -> Item | None:
        """Return the item of this id."""
        return self.by_ids([item_id]).get(item_id)

    def by_ids(self, ids: Sequence[str]) -> dict[str, Item]:
        """Return the items that exist among ``ids``."""
        with Session(self._engine) as session:
            return _by_ids(session, ids)

    def by_numbers(self, numbers: Sequence[int]) -> dict[int, Item]:
        """Return the items that exist among ``numbers``."""
        found: dict[int, Item] = {}
        with Session(self._engine) as session:
            for part in chunks(numbers):
                rows = session.scalars(select(ItemRow).where(ItemRow.number.in_(part)))
                found.update((row.number, to_item(row)) for row in rows)
        return found

    def page(
        self, chosen: Filter, offset: int, limit: int, *, after: int = 0
    ) -> tuple[list[Item], int]:
        """Return up to ``limit`` items in the order of adding, and how many there are in all.

        Args:
            chosen: Which items.
            offset: How many to leave out from the start.
            limit: Length of the page.
            after: Start behind the item of this number; the total is not touched by it.
        """
        wanted = conditions(chosen)
        with Session(self._engine) as session:
            total = session.scalar(select(func.count()).select_from(ItemRow).where(*wanted))
            rows = session.scalars(
                select(ItemRow)
                .where(*wanted, ItemRow.number > after)
                .order_by(ItemRow.number)
                .offset(offset)
                .limit(limit)
            )
            return [to_item(row) for row in rows], total or 0

    def numbers(self, chosen: Filter) -> Int64Array:
        """Return the numbers that an index knows of the items that fit: theirs and their excerpts'.

        Ascending, shape (N,), not to be written to.

        The answers to the last few filters are kept until the catalog changes.
        """
        return self._answers.get(chosen, self.sequence(), self._read_numbers)

    def _read_numbers(self, chosen: Filter) -> Int64Array:
        items = select(ItemRow.number).where(*conditions(chosen))
        own = integers(self._engine, items)
        return np.sort(np.concatenate([own, excerpt_numbers(self._engine, items)]))

    def embedding_counts(self) -> Mapping[str, Mapping[Modality, int]]:
        """Count the embeddings of each modality, for each space that has any."""
        return counts(self._engine)

    def item_counts(self) -> Mapping[str, Mapping[Modality, int]]:
        """Count the items of each modality that lie in a space, for each space that has any."""
        return item_counts(self._engine)

    def statistics(self) -> Statistics:
        """Count items, works, embeddings and bytes."""
        by_modality = select(ItemRow.modality, func.count()).group_by(ItemRow.modality)
        sums = select(
            func.count(distinct(ItemRow.work_id)), func.coalesce(func.sum(ItemRow.bytes), 0)
        )
        with Session(self._engine) as session:
            items = {Modality(name): count for name, count in session.execute(by_modality)}
            works, media_bytes = session.execute(sums).one()
        return Statistics(items, self.embedding_counts(), works, int(media_bytes))

    def become_another(self) -> None:
        """Take a new collection id: what was made for the old one does not fit any more."""
        with transaction(self._engine) as session:
            self.collection_id = uuid.uuid4().hex
            session.execute(update(InfoRow).values(collection_id=self.collection_id))

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()


def _by_ids(session: Session, ids: Sequence[str]) -> dict[str, Item]:
    found: dict[str, Item] = {}
    for part in chunks(ids):
        rows = session.scalars(select(ItemRow).where(ItemRow.id.in_(part)))
        found.update((row.id, to_item(row)) for row in rows)
    return found
