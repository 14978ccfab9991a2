"""Looking for damage inside a catalog: pages of the database, rows that disagree, bad vectors."""

from collections.abc import Iterator, Sequence

import numpy as np
from sqlalchemy import Engine, delete, exists, func, or_, select
from sqlalchemy.orm import Session

from models.types import Float32Array
from service.catalog import sequence as counter
from service.catalog.bulk import insert_rows
from service.catalog.database import transaction
from service.catalog.queries import CHUNK, chunks, integers, raw_cursor
from service.catalog.records import Item, SpaceRef
from service.catalog.rows import Values, fact_values, tag_values, to_item
from service.catalog.spaces import SpaceTable
from service.catalog.tables import EmbeddingRow, FactRow, ItemRow, TagRow

_BLOCK_ROWS = 8192


class Inspection:
    """Reads a catalog for ``kyomei check``; only ``rewrite`` changes anything."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def database_problems(self) -> list[str]:
        """Return what the database itself finds wrong, in its words; nothing where it cannot."""
        if self._engine.dialect.name != "sqlite":
            return []
        with self._engine.connect() as connection:
            found = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check")]
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        pages = [] if found == ["ok"] else found
        return pages + [f"a row of table {row[0]} belongs to no row of {row[2]}" for row in broken]

    def items(self) -> Iterator[list[Item]]:
        """Yield all items in the order of adding, some hundreds at a time."""
        last = 0
        while True:
            query = select(ItemRow).where(ItemRow.number > last).order_by(ItemRow.number)
            with Session(self._engine) as session:
                page = [to_item(row) for row in session.scalars(query.limit(CHUNK))]
            if not page:
                return
            yield page
            last = page[-1].number

    def suffixes(self, ids: Sequence[str]) -> dict[str, str]:
        """Return the file name endings of the items that exist among ``ids``."""
        found: dict[str, str] = {}
        with self._engine.connect() as connection:
            for part in chunks(ids):
                query = select(ItemRow.id, ItemRow.suffix).where(ItemRow.id.in_(part))
                found.update(raw_cursor(connection, query).fetchall())
        return found

    def misfiled(self, items: Sequence[Item]) -> list[Item]:
        """Return the items whose metadata or tags are filed otherwise than they are written."""
        numbers = [item.number for item in items]
        filed: dict[int, set[tuple[str, str | None]]] = {number: set() for number in numbers}
        facts = select(FactRow.item_number, FactRow.key, FactRow.value)
        tags = select(TagRow.item_number, TagRow.tag)
        with self._engine.connect() as connection:
            for part in chunks(numbers):
                for number, key, value in raw_cursor(
                    connection, facts.where(FactRow.item_number.in_(part))
                ):
                    filed[number].add((key, value))
                for number, tag in raw_cursor(connection, tags.where(TagRow.item_number.in_(part))):
                    filed[number].add((tag, None))
        return [item for item in items if filed[item.number] != _expected(item)]

    def rewrite(self, items: Sequence[Item]) -> None:
        """File the metadata and tags of items as they are written."""
        numbers = [item.number for item in items]
        facts: list[Values] = [values for item in items for values in fact_values(item)]
        tags: list[Values] = [values for item in items for values in tag_values(item)]
        with transaction(self._engine) as session:
            connection = session.connection()
            counter.advance(connection)
            for part in chunks(numbers):
                connection.execute(delete(FactRow).where(FactRow.item_number.in_(part)))
                connection.execute(delete(TagRow).where(TagRow.item_number.in_(part)))
            insert_rows(connection, FactRow, facts)
            insert_rows(connection, TagRow, tags)

    def without_embedding(self) -> list[int]:
        """Return the numbers of the items that lie in no space."""
        placed = exists().where(EmbeddingRow.item_number == ItemRow.number)
        query = select(ItemRow.number).where(~placed).order_by(ItemRow.number)
        return integers(self._engine, query).tolist()

    def torn_excerpts(self, space: SpaceRef) -> list[tuple[int, str]]:
        """Return (item number, what is wrong) of items whose excerpts are not 1, 2, ... n."""
        position = EmbeddingRow.position
        query = (
            select(EmbeddingRow.item_number, func.count(), func.max(position), func.count(position))
            .where(EmbeddingRow.space_id == SpaceTable(self._engine).id_of(space.name))
            .group_by(EmbeddingRow.item_number)
            .having(or_(func.count() > 1, func.max(position).is_not(None)))
            .having(or_(func.count() != func.max(position), func.count() != func.count(position)))
        )
        with self._engine.connect() as connection:
            rows = raw_cursor(connection, query).fetchall()
        return [
            (number, f"expected excerpts 1 to {last}, got {cut} of them and {count - cut} whole")
            for number, count, last, cut in rows
        ]

    def embedding_problems(self, space: SpaceRef) -> Iterator[tuple[int, list[tuple[int, str]]]]:
        """Yield, thousands of embeddings at a time, how many were read and which are damaged.

        Returns:
            Number of embeddings, and (item number, what is wrong) of each damaged one.
        """
        space_id = SpaceTable(self._engine).id_of(space.name)
        query = (
            select(
                EmbeddingRow.number,
                EmbeddingRow.item_number,
                EmbeddingRow.vector,
                EmbeddingRow.typicality,
            )
            .where(EmbeddingRow.space_id == space_id)
            .order_by(EmbeddingRow.number)
            .limit(_BLOCK_ROWS)
        )
        last = 0
        with self._engine.connect() as connection:
            while rows := raw_cursor(
                connection, query.where(EmbeddingRow.number > last)
            ).fetchall():
                last = rows[-1][0]
                damaged = dict(_damaged([row[1:] for row in rows], space.n_components))
                yield len(rows), list(damaged.items())  # of many excerpts, an item comes once


def _expected(item: Item) -> set[tuple[str, str | None]]:
    facts = {(values["key"], values["value"]) for values in fact_values(item)}
    return facts | {(tag, None) for tag in item.tags}


def _damaged(
    rows: Sequence[tuple[int, bytes, float]], n_components: int
) -> Iterator[tuple[int, str]]:
    for number, vector, typicality in rows:
        if len(vector) != 4 * n_components:
            yield number, f"expected {4 * n_components} bytes of vector, got {len(vector)}"
            continue
        values: Float32Array = np.frombuffer(vector, "<f4")
        if not np.isfinite(values).all():
            yield number, "expected a finite vector, got NaN or infinity"
        elif not 0.0 <= typicality <= 1.0:
            yield number, f"expected a typicality in [0, 1], got {typicality}"
