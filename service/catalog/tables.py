"""The tables of the catalog, for any database that SQLAlchemy speaks to."""

import unicodedata
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Text,
    TypeDecorator,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from service.catalog.records import MetadataValue

# SQLite numbers rows by itself only when the column is an INTEGER, which is 64 bits wide there.
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
    """One row: which version of these tables it is, and of which collection."""

    __tablename__ = "catalog_info"

    row: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    version: Mapped[int]
    collection_id: Mapped[str] = mapped_column(String(32))


class ItemRow(Base):
    """One item; see ``records.Item``."""

    __tablename__ = "items"
    __table_args__ = ({"sqlite_autoincrement": True},)  # a number is never used twice

    number: Mapped[int] = mapped_column(_Number, primary_key=True)
    id: Mapped[str] = mapped_column(String(20), unique=True)
    modality: Mapped[str] = mapped_column(String(16), index=True)
    sha256: Mapped[str] = mapped_column(String(64))
    media_type: Mapped[str]
    suffix: Mapped[str] = mapped_column(String(16))
    bytes: Mapped[int] = mapped_column(BigInteger)
    title: Mapped[str] = mapped_column(Text)
    title_folded: Mapped[str] = mapped_column(Text)
    label: Mapped[str | None] = mapped_column(index=True)
    work_id: Mapped[str | None] = mapped_column(index=True)
    facts: Mapped[dict[str, MetadataValue]] = mapped_column("metadata", JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    facts_by_text: Mapped[list["FactRow"]] = relationship(passive_deletes=True)
    embeddings: Mapped[list["EmbeddingRow"]] = relationship(passive_deletes=True)


class FactRow(Base):
    """One metadata value of an item in text form: what filters compare."""

    __tablename__ = "item_metadata"

    item_number: Mapped[int] = mapped_column(
        _Number, ForeignKey("items.number", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(primary_key=True, index=True)
    value: Mapped[str] = mapped_column(Text)


class EmbeddingRow(Base):
    """Where an item lies in a space."""

    __tablename__ = "embeddings"

    item_number: Mapped[int] = mapped_column(
        _Number, ForeignKey("items.number", ondelete="CASCADE"), primary_key=True
    )
    space: Mapped[str] = mapped_column(primary_key=True, index=True)
    fingerprint: Mapped[str]
    vector: Mapped[bytes] = mapped_column(LargeBinary)  # little-endian float32, K values
    typicality: Mapped[float]


def fold(text: str) -> str:
    """Text form in which case and Unicode composition make no difference.

    Example:
        >>> fold("STRASSE") == fold("straße")
        True
    """
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
