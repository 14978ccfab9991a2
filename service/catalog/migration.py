"""Bringing the tables of an older Kyomei up to date, in one transaction."""

from collections.abc import Callable, Iterator

from sqlalchemy import (
    JSON,
    BigInteger,
    Connection,
    column,
    func,
    insert,
    literal,
    select,
    table,
    update,
)
from sqlalchemy import text as sql

from models.errors import ArtefactError
from service.catalog.bulk import insert_rows
from service.catalog.database import (
    SCHEMA_VERSION,
    begin,
    connect,
    other_version,
    plain_errors,
    stored_version,
)
from service.catalog.queries import CHUNK
from service.catalog.rows import Values, fact_values_of
from service.catalog.tables import Base, EmbeddingRow, FactRow, InfoRow, ItemRow, SpaceRow

MIXED = "mixed"
"""Fingerprint of a space whose old embeddings came from several: ``kyomei reindex`` settles it."""

_RENAMED = ("catalog_info", "items", "item_metadata", "embeddings")
_OLD_INDEXES = (
    "ix_items_label",
    "ix_items_work_id",
    "ix_items_modality",
    "ix_item_metadata_key",
    "ix_embeddings_space",
)
_KEPT_COLUMNS = (
    "number",
    "id",
    "modality",
    "sha256",
    "media_type",
    "suffix",
    "bytes",
    "title",
    "title_folded",
    "label",
    "work_id",
    "created_at",
)
_items = table(
    "items_1",
    *(column(name) for name in _KEPT_COLUMNS if name != "number"),
    column("number", BigInteger),
    column("metadata", JSON),
)
_embeddings = table(
    "embeddings_1",
    *map(column, ("item_number", "space", "fingerprint", "vector", "typicality")),
)


def catalog_version(url: str) -> int:
    """Return the schema version of the catalog at an SQLAlchemy URL.

    Raises:
        ArtefactError: When it cannot be reached, is damaged, or there is none.
    """
    engine = connect(url)
    with plain_errors(engine), engine.connect() as connection:
        found = stored_version(connection)
    engine.dispose()
    if found is None:
        raise ArtefactError(f"expected a Kyomei catalog at {engine.url}, got an empty database")
    return found


def migrate_catalog(url: str) -> None:
    """Bring a catalog up to date: all or nothing, and nothing when it is up to date.

    Args:
        url: SQLAlchemy URL; nobody else may have it open.

    Raises:
        ArtefactError: When its version is not one that this Kyomei knows how to bring up to date.
    """
    version = catalog_version(url)
    if version == SCHEMA_VERSION:
        return
    engine = connect(url)
    if version not in _STEPS:
        raise ArtefactError(other_version(str(engine.url), version))
    with plain_errors(engine), engine.begin() as connection:
        begin(connection)
        _STEPS[version](connection)
    engine.dispose()


def _from_2(connection: Connection) -> None:
    """Give each embedding a number of its own, so that an item may have several."""
    connection.execute(sql("DROP INDEX ix_embeddings_sequence"))
    connection.execute(sql("ALTER TABLE embeddings RENAME TO embeddings_2"))
    Base.metadata.create_all(connection)
    kept = ("item_number", "space_id", "modality", "sequence", "vector", "typicality")
    old = table("embeddings_2", *map(column, kept))
    connection.execute(
        insert(EmbeddingRow).from_select(
            ["number", *kept], select(old.c.item_number, *(old.c[name] for name in kept))
        )
    )
    connection.execute(sql("DROP TABLE embeddings_2"))
    connection.execute(update(InfoRow).values(version=SCHEMA_VERSION))


def _from_1(connection: Connection) -> None:
    for name in _OLD_INDEXES:
        connection.execute(sql(f"DROP INDEX {name}"))
    for name in _RENAMED:
        connection.execute(sql(f"ALTER TABLE {name} RENAME TO {name}_1"))
    Base.metadata.create_all(connection)
    _copy_info(connection)
    _copy_spaces(connection)
    kept = [_items.c[name] for name in _KEPT_COLUMNS]
    connection.execute(
        insert(ItemRow).from_select(
            [*_KEPT_COLUMNS, "metadata", "tags"],
            select(*kept, _items.c.metadata, literal([], JSON)),
        )
    )
    for rows in _facts(connection):
        insert_rows(connection, FactRow, rows)
    connection.execute(
        insert(EmbeddingRow).from_select(
            ["number", "item_number", "space_id", "modality", "sequence", "vector", "typicality"],
            select(
                _embeddings.c.item_number,
                _embeddings.c.item_number,
                SpaceRow.id,
                _items.c.modality,
                _embeddings.c.item_number,
                _embeddings.c.vector,
                _embeddings.c.typicality,
            )
            .join(SpaceRow, SpaceRow.name == _embeddings.c.space)
            .join(_items, _items.c.number == _embeddings.c.item_number),
        )
    )
    for name in reversed(_RENAMED):
        connection.execute(sql(f"DROP TABLE {name}_1"))


def _copy_info(connection: Connection) -> None:
    """The counter starts where no old item number, not even of a deleted item, comes again."""
    last_number = (
        "SELECT seq FROM sqlite_sequence WHERE name = 'items_1'"
        if connection.dialect.name == "sqlite"
        else "SELECT last_value FROM items_number_seq"
    )
    sequence = connection.scalar(sql(last_number)) or 0
    identity = connection.scalar(sql("SELECT collection_id FROM catalog_info_1"))
    connection.execute(
        insert(InfoRow).values(
            row=1, version=SCHEMA_VERSION, collection_id=identity, sequence=sequence
        )
    )


def _copy_spaces(connection: Connection) -> None:
    identity = select(
        _embeddings.c.space,
        func.min(_embeddings.c.fingerprint).label("least"),
        func.max(_embeddings.c.fingerprint).label("most"),
        (func.max(func.length(_embeddings.c.vector)) / 4).label("n_components"),
    ).group_by(_embeddings.c.space)
    for space, least, most, n_components in connection.execute(identity).all():
        modalities = connection.scalars(
            select(_items.c.modality)
            .join(_embeddings, _embeddings.c.item_number == _items.c.number)
            .where(_embeddings.c.space == space)
            .distinct()
            .order_by(_items.c.modality)
        )
        connection.execute(
            insert(SpaceRow).values(
                name=space,
                fingerprint=least if least == most else MIXED,
                modalities=",".join(modalities),
                n_components=int(n_components),
            )
        )


def _facts(connection: Connection) -> Iterator[list[Values]]:
    """The metadata of some items at a time, with the numbers and dates that version 1 lacks."""
    last = 0
    query = select(_items.c.number, _items.c.metadata).order_by(_items.c.number).limit(CHUNK)
    while rows := connection.execute(query.where(_items.c.number > last)).all():
        last = rows[-1].number
        facts = [values for row in rows for values in fact_values_of(row.number, row.metadata)]
        yield facts


_STEPS: dict[int, Callable[[Connection], None]] = {1: _from_1, 2: _from_2}
