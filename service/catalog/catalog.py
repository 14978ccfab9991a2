"""The catalog: which items there are. It is the truth; index files and media follow it."""

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from sqlalchemy import delete, distinct, func, select
from sqlalchemy.orm import Session

from models.types import Int64Array, Modality
from service.catalog.database import open_database, transaction
from service.catalog.embeddings import EmbeddingTable
from service.catalog.queries import chunks, conditions, to_item, to_row
from service.catalog.records import Draft, Filter, Item, Statistics
from service.catalog.tables import EmbeddingRow, ItemRow


class Catalog:
    """Items in a database. Safe to call from any thread; one process writes at a time.

    Attributes:
        collection_id: Made with the tables, 32 hex digits; the indexes must name the same.
        embeddings: The vectors of the items.
    """

    def __init__(self, url: str) -> None:
        """Open or create the catalog at an SQLAlchemy URL.

        Raises:
            ArtefactError: When it cannot be reached, is damaged or of another schema version.
        """
        self._engine, self.collection_id = open_database(url)
        self.embeddings = EmbeddingTable(self._engine)

    def insert(self, drafts: Sequence[Draft]) -> list[Item]:
        """Store new items with metadata and embeddings in one transaction.

        When this returns, they are on the disk.

        Raises:
            OSError: With ``ENOSPC`` when the disk or database is full; nothing is stored then.
        """
        created_at = datetime.now(UTC)
        with transaction(self._engine) as session:
            rows = [to_row(draft, created_at) for draft in drafts]
            session.add_all(rows)
            session.flush()
            return [to_item(row) for row in rows]

    def delete(self, item_id: str) -> bool:
        """Forget an item with its metadata and embeddings; False when there is none."""
        with transaction(self._engine) as session:
            gone = session.execute(
                delete(ItemRow).where(ItemRow.id == item_id).returning(ItemRow.number)
            )
            return gone.first() is not None

    def get(self, item_id: str) -> Item | None:
        """Return the item of this id."""
        return self.by_ids([item_id]).get(item_id)

    def by_ids(self, ids: Sequence[str]) -> dict[str, Item]:
        """Return the items that exist among ``ids``."""
        found: dict[str, Item] = {}
        with Session(self._engine) as session:
            for part in chunks(ids):
                rows = session.scalars(select(ItemRow).where(ItemRow.id.in_(part)))
                found.update((row.id, to_item(row)) for row in rows)
        return found

    def by_numbers(self, numbers: Sequence[int]) -> dict[int, Item]:
        """Return the items that exist among ``numbers``."""
        found: dict[int, Item] = {}
        with Session(self._engine) as session:
            for part in chunks(numbers):
                rows = session.scalars(select(ItemRow).where(ItemRow.number.in_(part)))
                found.update((row.number, to_item(row)) for row in rows)
        return found

    def page(self, chosen: Filter, offset: int, limit: int) -> tuple[list[Item], int]:
        """Return up to ``limit`` items in the order of adding, and how many there are in all."""
        wanted = conditions(chosen)
        with Session(self._engine) as session:
            total = session.scalar(select(func.count()).select_from(ItemRow).where(*wanted))
            rows = session.scalars(
                select(ItemRow).where(*wanted).order_by(ItemRow.number).offset(offset).limit(limit)
            )
            return [to_item(row) for row in rows], total or 0

    def numbers(self, chosen: Filter) -> Int64Array:
        """Return the numbers of the items that fit, ascending, shape (N,)."""
        query = select(ItemRow.number).where(*conditions(chosen)).order_by(ItemRow.number)
        with Session(self._engine) as session:
            return np.fromiter(session.scalars(query), np.int64)

    def statistics(self) -> Statistics:
        """Count items, works, embeddings and bytes."""
        by_modality = select(ItemRow.modality, func.count()).group_by(ItemRow.modality)
        by_space = (
            select(EmbeddingRow.space, ItemRow.modality, func.count())
            .join(ItemRow, ItemRow.number == EmbeddingRow.item_number)
            .group_by(EmbeddingRow.space, ItemRow.modality)
            .order_by(EmbeddingRow.space)
        )
        sums = select(
            func.count(distinct(ItemRow.work_id)), func.coalesce(func.sum(ItemRow.bytes), 0)
        )
        with Session(self._engine) as session:
            counts = {Modality(name): count for name, count in session.execute(by_modality)}
            embeddings: dict[str, dict[Modality, int]] = {}
            for space, modality, count in session.execute(by_space):
                embeddings.setdefault(space, {})[Modality(modality)] = count
            works, media_bytes = session.execute(sums).one()
        return Statistics(counts, embeddings, works, int(media_bytes))

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()
