"""The vectors of the catalog: every index can be rebuilt from them, or follow them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

import numpy as np
from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Insert,
    Select,
    Table,
    and_,
    delete,
    func,
    insert,
    select,
    tuple_,
)
from sqlalchemy import literal as constant
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models.errors import ArtefactError, DataError
from models.types import Float32Array, Int64Array, Modality
from service.catalog import sequence as counter
from service.catalog.bulk import insert_rows
from service.catalog.database import transaction
from service.catalog.queries import CHUNK, chunks, integers, raw_cursor
from service.catalog.records import (
    Changes,
    Embedding,
    Excerpt,
    NumberedEmbedding,
    SpaceRef,
)
from service.catalog.rows import embedding_values, to_excerpt, to_vector
from service.catalog.spaces import SpaceTable
from service.catalog.tables import EmbeddingRow, ItemRow, RemovalRow, SpaceRow

_BLOCK_ROWS = 8192
_BEHIND_ALL = 2**63 - 1
EMBEDDINGS: Table = EmbeddingRow.__table__  # type: ignore[assignment]
REMOVALS: Table = RemovalRow.__table__  # type: ignore[assignment]

Block = tuple[Int64Array, Float32Array]


class EmbeddingTable:
    """Reads and replaces the embeddings of a catalog; new ones come with ``Catalog.insert``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._spaces = SpaceTable(engine)

    def spaces(self) -> dict[str, SpaceRef]:
        """Return every space that embeddings lie in or once lay in, by name."""
        return self._spaces.all()

    def get(self, number: int, space: str) -> Embedding | None:
        """Return where the item of this number lies in a space, or its first excerpt."""
        found = [one.embedding for one in self.of_items([number], space)]
        return found[0] if found else None

    def of_items(
        self, item_numbers: Sequence[int], space: str | None = None
    ) -> list[NumberedEmbedding]:
        """Return the embeddings of some items: whole ones, or those of the excerpts in order.

        Args:
            item_numbers: Which items.
            space: Name of a space; None for all.
        """
        query = select(EmbeddingRow, SpaceRow.name).join(
            SpaceRow, SpaceRow.id == EmbeddingRow.space_id
        )
        if space is not None:
            query = query.where(SpaceRow.name == space)
        place = (EmbeddingRow.item_number, EmbeddingRow.space_id, EmbeddingRow.position)
        found: list[NumberedEmbedding] = []
        with Session(self._engine) as session:
            for part in chunks(item_numbers):
                wanted = query.where(EmbeddingRow.item_number.in_(part)).order_by(*place)
                found += [_numbered(row, name) for row, name in session.execute(wanted)]
        return found

    def excerpts(self, numbers: Sequence[int]) -> dict[int, tuple[int, Excerpt]]:
        """Return item number and excerpt of those of the numbers that are of excerpts."""
        columns = ("number", "item_number", "position", "place")
        query = select(*(getattr(EmbeddingRow, name) for name in columns))
        found: dict[int, tuple[int, Excerpt]] = {}
        with self._engine.connect() as connection:
            for part in chunks(numbers):
                rows = connection.execute(query.where(EmbeddingRow.number.in_(part)))
                for number, item_number, position, place in rows:
                    excerpt = to_excerpt(position, place)
                    if excerpt is not None:
                        found[number] = (item_number, excerpt)
        return found

    def excerpt(self, item_number: int, position: int) -> Excerpt | None:
        """Return an excerpt of an item by its position, None when there is none."""
        query = select(EmbeddingRow.position, EmbeddingRow.place).where(
            EmbeddingRow.item_number == item_number, EmbeddingRow.position == position
        )
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
        return None if row is None else to_excerpt(row.position, row.place)

    def numbers(self, space: str, modality: Modality) -> Int64Array:
        """Return the numbers of all embeddings of a modality, ascending, shape (N,)."""
        return np.sort(integers(self._engine, self._placed(space, modality)))

    def count(self, space: str, modality: Modality) -> int:
        """Return how many embeddings of a modality a space has."""
        placed = self._placed(space, modality).subquery()
        with self._engine.connect() as connection:
            return connection.scalar(select(func.count()).select_from(placed)) or 0

    def vectors(self, space: str, numbers: Sequence[int]) -> Iterator[Block]:
        """Yield numbers (n,) and vectors (n, K) of those that exist, some hundreds at a time."""
        space_id = self._spaces.id_of(space)
        with self._engine.connect() as connection:
            for part in chunks(numbers):
                query = select(EmbeddingRow.number, EmbeddingRow.vector).where(
                    EmbeddingRow.space_id == space_id, EmbeddingRow.number.in_(part)
                )
                rows = raw_cursor(connection, query).fetchall()
                if rows:
                    yield _block(space, rows)

    def blocks(self, space: str, modality: Modality, since: int = 0) -> Iterator[Block]:
        """Yield numbers (n,) and vectors (n, K) of all embeddings, thousands at a time.

        Args:
            space: Name of the space.
            modality: Of the items.
            since: Leave out what was written by this change or an earlier one.
        """
        place = (EmbeddingRow.sequence, EmbeddingRow.number)
        query = (
            select(*place, EmbeddingRow.vector)
            .where(
                EmbeddingRow.space_id == self._spaces.id_of(space),
                EmbeddingRow.modality == modality.value,
            )
            .order_by(*place)
            .limit(_BLOCK_ROWS)
        )
        last = (since, _BEHIND_ALL)
        # Each block is a question of its own: nothing is held open while the caller works.
        with self._engine.connect() as connection:
            while True:
                behind = query.where(tuple_(*place) > tuple_(*map(constant, last)))
                rows = raw_cursor(connection, behind).fetchall()
                if not rows:
                    return
                last = rows[-1][:2]
                yield _block(space, [row[1:] for row in rows])

    def changed_since(self, space: str, modality: Modality, sequence: int) -> Changes:
        """Return which embeddings came and went after a change of the catalog.

        Args:
            space: Name of the space.
            modality: Of the items.
            sequence: Number of the last change that is known.
        """
        now = counter.current(self._engine)
        removed = select(RemovalRow.item_number).where(
            RemovalRow.space_id == self._spaces.id_of(space),
            RemovalRow.modality == modality.value,
            RemovalRow.sequence > sequence,
            RemovalRow.sequence <= now,
        )
        placed = self._placed(space, modality).where(
            EmbeddingRow.sequence > sequence, EmbeddingRow.sequence <= now
        )
        return Changes(
            now,
            np.unique(integers(self._engine, removed)),
            np.sort(integers(self._engine, placed)),
        )

    def fingerprints(self, space: str) -> dict[str, int]:
        """Return how many embeddings of a space come from which fingerprint of it."""
        ref = self.spaces().get(space)
        if ref is None:
            return {}
        count = sum(self.count(space, modality) for modality in Modality)
        return {ref.fingerprint: count} if count else {}

    def replace(self, space: SpaceRef, rows: Iterable[tuple[int, Embedding]]) -> int:
        """Replace all embeddings of a space by (item number, embedding) in one transaction.

        Returns:
            How many there are now.

        Raises:
            DataError: When a number is no item, or comes twice; the old embeddings stay then.
            OSError: With ``ENOSPC`` when the disk or database is full; the old ones stay then.
        """
        with transaction(self._engine) as session:
            connection = session.connection()
            sequence = counter.advance(connection)
            space_id = self._spaces.put(connection, space)
            connection.execute(_log_removals(sequence, EmbeddingRow.space_id == space_id))
            connection.execute(delete(EMBEDDINGS).where(EmbeddingRow.space_id == space_id))
            count = _insert(connection, space, space_id, sequence, rows)
            _forget_removals(connection, space_id, sequence)
        return count

    def put(self, space: SpaceRef, rows: Sequence[tuple[int, Embedding]]) -> None:
        """Give some items an embedding in a space, or another one, in one transaction.

        Raises:
            DataError: When a number is no item or comes twice, or the others come from another
                fingerprint of the space; nothing is changed then.
        """
        with transaction(self._engine) as session:
            connection = session.connection()
            sequence = counter.advance(connection)
            space_id = self._spaces.require(connection, space)
            for part in chunks(list(dict.fromkeys(number for number, _ in rows))):
                gone = and_(EmbeddingRow.space_id == space_id, EmbeddingRow.item_number.in_(part))
                connection.execute(_log_removals(sequence, gone))
                connection.execute(delete(EMBEDDINGS).where(gone))
            _insert(connection, space, space_id, sequence, rows)
            _forget_removals(connection, space_id, sequence)

    def drop(self, space: str, numbers: Sequence[int]) -> None:
        """Forget where some items lie in a space."""
        space_id = self._spaces.id_of(space)
        with transaction(self._engine) as session:
            connection = session.connection()
            sequence = counter.advance(connection)
            for part in chunks(numbers):
                gone = and_(EmbeddingRow.space_id == space_id, EmbeddingRow.item_number.in_(part))
                connection.execute(_log_removals(sequence, gone))
                connection.execute(delete(EMBEDDINGS).where(gone))

    def _placed(self, space: str, modality: Modality) -> Select[int]:
        return select(EmbeddingRow.number).where(
            EmbeddingRow.space_id == self._spaces.id_of(space),
            EmbeddingRow.modality == modality.value,
        )


def counts(engine: Engine) -> Mapping[str, Mapping[Modality, int]]:
    """Count the embeddings of each modality, for each space that has any."""
    query = (
        select(SpaceRow.name, EmbeddingRow.modality, func.count())
        .join(SpaceRow, SpaceRow.id == EmbeddingRow.space_id)
        .group_by(SpaceRow.name, EmbeddingRow.space_id, EmbeddingRow.modality)
        .order_by(SpaceRow.name)
    )
    found: dict[str, dict[Modality, int]] = {}
    with engine.connect() as connection:
        for space, modality, count in connection.execute(query):
            found.setdefault(space, {})[Modality(modality)] = count
    return found


def excerpt_numbers(engine: Engine, items: Select[int]) -> Int64Array:
    """Return the numbers of all excerpts of the items that a query selects, shape (N,)."""
    some = select(EmbeddingRow.number).where(EmbeddingRow.position > 1).limit(1)
    if not len(integers(engine, some)):
        return np.empty(0, np.int64)
    query = select(EmbeddingRow.number).where(
        EmbeddingRow.position.is_not(None), EmbeddingRow.item_number.in_(items)
    )
    return integers(engine, query)


def item_counts(engine: Engine) -> Mapping[str, Mapping[Modality, int]]:
    """Count the items of each modality, for each space that has any: excerpts count once."""
    query = (
        select(SpaceRow.name, EmbeddingRow.modality, func.count())
        .join(SpaceRow, SpaceRow.id == EmbeddingRow.space_id)
        .where(EmbeddingRow.position > 1)
        .group_by(SpaceRow.name, EmbeddingRow.modality)
    )
    found = {space: dict(by_modality) for space, by_modality in counts(engine).items()}
    with engine.connect() as connection:
        for space, modality, count in connection.execute(query):
            found[space][Modality(modality)] -= count
    return found


def forget_item(connection: Connection, number: int, sequence: int) -> None:
    """Note that the embeddings of an item go with the change of this number."""
    connection.execute(_log_removals(sequence, EmbeddingRow.item_number == number))


def _log_removals(sequence: int, gone: ColumnElement[bool]) -> Insert:
    columns = ["space_id", "modality", "sequence", "item_number"]
    rows = select(
        EmbeddingRow.space_id, EmbeddingRow.modality, constant(sequence), EmbeddingRow.number
    ).where(gone)
    return insert(REMOVALS).from_select(columns, rows)


def _forget_removals(connection: Connection, space_id: int, sequence: int) -> None:
    """What left and came back under the same number in one change did not leave."""
    placed = select(EmbeddingRow.number).where(
        EmbeddingRow.space_id == space_id, EmbeddingRow.sequence == sequence
    )
    connection.execute(
        delete(REMOVALS).where(
            RemovalRow.space_id == space_id,
            RemovalRow.sequence == sequence,
            RemovalRow.item_number.in_(placed),
        )
    )


def _numbered(row: EmbeddingRow, space: str) -> NumberedEmbedding:
    excerpt = to_excerpt(row.position, row.place)
    embedding = Embedding(to_vector(row.vector), row.typicality, excerpt)
    return NumberedEmbedding(row.number, row.item_number, space, Modality(row.modality), embedding)


def _insert(
    connection: Connection,
    space: SpaceRef,
    space_id: int,
    sequence: int,
    rows: Iterable[tuple[int, Embedding]],
) -> int:
    remaining, count = iter(rows), 0
    while part := list(islice(remaining, CHUNK)):
        wanted = list(dict.fromkeys(number for number, _ in part))
        query = select(ItemRow.number, ItemRow.modality).where(ItemRow.number.in_(wanted))
        modality = {row.number: row.modality for row in connection.execute(query)}
        unknown = next((number for number in wanted if number not in modality), None)
        if unknown is not None:
            raise _unfitting(space, f"number {unknown}, which no item has")
        numbers = numbers_for(connection, part)
        values = [
            embedding_values(space_id, modality[item], item, next(numbers), sequence, embedding)
            for item, embedding in part
        ]
        try:
            insert_rows(connection, EmbeddingRow, values)
        except IntegrityError as error:
            raise _unfitting(space, str(error.orig)) from error
        count += len(part)
    return count


def numbers_for(connection: Connection, rows: Sequence[tuple[int, Embedding]]) -> Iterator[int]:
    """Yield a number for each (item number, embedding): the item's, or a new one for an excerpt.

    The new ones come from the counter of changes, so that no item ever gets them.
    """
    n_excerpts = sum(embedding.excerpt is not None for _, embedding in rows)
    last = counter.advance(connection, n_excerpts) if n_excerpts else 0
    fresh = iter(range(last - n_excerpts + 1, last + 1))
    for item_number, embedding in rows:
        yield item_number if embedding.excerpt is None else next(fresh)


def _unfitting(space: SpaceRef, found: str) -> DataError:
    return DataError(
        f"space {space.name!r}: expected one embedding per existing item, got: {found}; "
        "the old embeddings are kept"
    )


def _block(space: str, rows: Sequence[tuple[int, bytes]]) -> Block:
    numbers = np.fromiter((row[0] for row in rows), np.int64, len(rows))
    joined = np.frombuffer(b"".join(row[1] for row in rows), "<f4").astype(np.float32)
    if len({len(row[1]) for row in rows}) > 1 or not np.isfinite(joined).all():
        raise ArtefactError(
            f"space {space!r}: expected finite vectors of one length in the catalog, got damaged "
            "ones; run kyomei check --repair"
        )
    return numbers, joined.reshape(len(rows), -1)
