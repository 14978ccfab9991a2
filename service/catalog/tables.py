"""The tables of the catalog, for any database that SQLAlchemy speaks to."""

import unicodedata
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    TypeDecorator,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from service.catalog.records import MetadataValue

# In SQLite, the key of the table itself is an INTEGER, which is 64 bits wide there.
_Number = BigInteger().with_variant(Integer, "sqlite")


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, stored in UTC without a zone, because SQLite knows none."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn an aware moment into what is stored."""
        del dialect
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """Turn what is stored into an aware moment."""
        del dialect
        return None if value is None else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    """Holds the table definitions."""


class InfoRow(Base):
    """One row: which version of these tables it is, of which collection, and the last change."""

    __tablename__ = "catalog_info"

    row: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    version: Mapped[int]
    collection_id: Mapped[str] = mapped_column(String(32))
    sequence: Mapped[int] = mapped_column(BigInteger, default=0)


class SpaceRow(Base):
    """A space that embeddings lie in; see ``records.SpaceRef``."""

    __tablename__ = "spaces"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    fingerprint: Mapped[str]
    modalities: Mapped[str]  # separated by commas
    n_components: Mapped[int]


class ItemRow(Base):
    """One item; see ``records.Item``."""

    __tablename__ = "items"
    __table_args__ = (
        Index("ix_items_label", "label", "modality"),
        Index("ix_items_work_id", "work_id", "modality"),
    )

    number: Mapped[int] = mapped_column(_Number, primary_key=True, autoincrement=False)
    id: Mapped[str] = mapped_column(String(20), unique=True)
    modality: Mapped[str] = mapped_column(String(16), index=True)
    sha256: Mapped[str] = mapped_column(String(64))
    media_type: Mapped[str]
    suffix: Mapped[str] = mapped_column(String(16))
    bytes: Mapped[int] = mapped_column(BigInteger)
    title: Mapped[str] = mapped_column(Text)
    title_folded: Mapped[str] = mapped_column(Text)
    label: Mapped[str | None]
    work_id: Mapped[str | None]
    facts: Mapped[dict[str, MetadataValue]] = mapped_column("metadata", JSON)
    tags: Mapped[list[str]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class FactRow(Base):
    """One metadata value of an item, in the forms that filters compare."""

    __tablename__ = "item_metadata"
    __table_args__ = (
        Index("ix_item_metadata_value", "key", "value"),
        Index(
            "ix_item_metadata_number",
            *("key", "number"),
            sqlite_where=text("number IS NOT NULL"),
            postgresql_where=text("number IS NOT NULL"),
        ),
        Index(
            "ix_item_metadata_moment",
            *("key", "moment"),
            sqlite_where=text("moment IS NOT NULL"),
            postgresql_where=text("moment IS NOT NULL"),
        ),
        {"sqlite_with_rowid": False},
    )

    item_number: Mapped[int] = mapped_column(
        _Number, ForeignKey("items.number", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(Text)
    number: Mapped[float | None] = mapped_column(Double)  # of a number
    moment: Mapped[float | None] = mapped_column(Double)  # of a date: seconds since 1970 in UTC


class TagRow(Base):
    """One tag of an item."""

    __tablename__ = "item_tags"
    __table_args__ = ({"sqlite_with_rowid": False},)

    item_number: Mapped[int] = mapped_column(
        _Number, ForeignKey("items.number", ondelete="CASCADE"), primary_key=True
    )
    tag: Mapped[str] = mapped_column(primary_key=True, index=True)


class EmbeddingRow(Base):
    """Where an item, or an excerpt of it, lies in a space; the index answers all but the vectors.

    An item that lies there as a whole has one row, under its own number. One that was cut has a row
    for each excerpt, under a number that nothing else ever has.
    """

    __tablename__ = "embeddings"
    __table_args__ = (
        Index("ix_embeddings_sequence", "space_id", "modality", "sequence", "number"),
        Index("ix_embeddings_item", "item_number", "space_id", "position", unique=True),
        Index(
            "ix_embeddings_later",
            *("space_id", "modality"),
            sqlite_where=text("position > 1"),
            postgresql_where=text("position > 1"),
        ),
    )

    number: Mapped[int] = mapped_column(_Number, primary_key=True, autoincrement=False)
    space_id: Mapped[int] = mapped_column(ForeignKey("spaces.id"), primary_key=True)
    item_number: Mapped[int] = mapped_column(
        _Number, ForeignKey("items.number", ondelete="CASCADE")
    )
    position: Mapped[int | None]  # of the excerpt in the item, from 1; none for the whole item
    place: Mapped[str | None] = mapped_column(Text)  # where the excerpt lies, a JSON object
    modality: Mapped[str] = mapped_column(String(16))
    sequence: Mapped[int] = mapped_column(BigInteger)  # of the change that wrote it
    vector: Mapped[bytes] = mapped_column(LargeBinary)  # little-endian float32, K values
    typicality: Mapped[float] = mapped_column(Double)


class RemovalRow(Base):
    """An embedding that is gone, so that whoever kept a copy of it can follow.

    Its ``item_number`` is the number of the embedding: that of the item or of an excerpt.
    """

    __tablename__ = "removals"
    __table_args__ = ({"sqlite_with_rowid": False},)

    space_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    modality: Mapped[str] = mapped_column(String(16), primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    item_number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)


def fold(words: str) -> str:
    """Text form in which case and Unicode composition make no difference.

    Example:
        >>> fold("STRASSE") == fold("straße")
        True
    """
    if words.isascii():
        return words.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", words).casefold())
