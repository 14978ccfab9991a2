"""The vectors of the catalog: every index can be rebuilt from them."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import numpy as np
from sqlalchemy import Engine, delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models.errors import DataError
from models.types import Float32Array, Int64Array, Modality
from service.catalog.database import transaction
from service.catalog.queries import CHUNK, chunks, embedding_row, to_vector
from service.catalog.records import Embedding, SpaceRef
from service.catalog.tables import EmbeddingRow, ItemRow


class EmbeddingTable:
    """Reads and replaces the embeddings of a catalog; new ones come with ``Catalog.insert``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def get(self, number: int, space: str) -> Embedding | None:
        """Return where the item of this number lies in a space."""
        with Session(self._engine) as session:
            row = session.get(EmbeddingRow, (number, space))
            return None if row is None else Embedding(to_vector(row.vector), row.typicality)

    def numbers(self, space: str, modality: Modality) -> Int64Array:
        """Return the items of a modality that lie in a space, ascending, shape (N,)."""
        query = (
            select(EmbeddingRow.item_number)
            .join(ItemRow, ItemRow.number == EmbeddingRow.item_number)
            .where(EmbeddingRow.space == space, ItemRow.modality == modality.value)
            .order_by(EmbeddingRow.item_number)
        )
        with Session(self._engine) as session:
            return np.fromiter(session.scalars(query), np.int64)

    def vectors(
        self, space: str, numbers: Sequence[int]
    ) -> Iterator[tuple[Int64Array, Float32Array]]:
        """Yield numbers (n,) and vectors (n, K) of the given items, some hundreds at a time."""
        with Session(self._engine) as session:
            for part in chunks(numbers):
                rows = session.execute(
                    select(EmbeddingRow.item_number, EmbeddingRow.vector).where(
                        EmbeddingRow.space == space, EmbeddingRow.item_number.in_(part)
                    )
                ).all()
                if rows:
                    yield (
                        np.array([row.item_number for row in rows], np.int64),
                        np.stack([to_vector(row.vector) for row in rows]),
                    )

    def fingerprints(self, space: str) -> dict[str, int]:
        """Return how many embeddings of a space carry which fingerprint."""
        query = (
            select(EmbeddingRow.fingerprint, func.count())
            .where(EmbeddingRow.space == space)
            .group_by(EmbeddingRow.fingerprint)
        )
        with Session(self._engine) as session:
            return {name: int(count) for name, count in session.execute(query)}

    def replace(self, space: SpaceRef, rows: Iterable[tuple[int, Embedding]]) -> int:
        """Replace all embeddings of a space by (item number, embedding) in one transaction.

        Returns:
            How many there are now.

        Raises:
            DataError: When a number is no item, or comes twice; the old embeddings stay then.
            OSError: With ``ENOSPC`` when the disk or database is full; the old ones stay then.
        """
        remaining, count = iter(rows), 0
        try:
            with transaction(self._engine) as session:
                session.execute(delete(EmbeddingRow).where(EmbeddingRow.space == space.name))
                while part := list(islice(remaining, CHUNK)):
                    session.add_all(embedding_row(space, *pair) for pair in part)
                    session.flush()
                    session.expunge_all()
                    count += len(part)
        except IntegrityError as error:
            raise DataError(
                f"space {space.name!r}: expected one embedding per existing item, "
                f"got: {error.orig}; the old embeddings are kept"
            ) from error
        return count
