"""Conditions and rows: from a ``Filter`` to SQL, between table rows and records."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TypeVar

import numpy as np
from sqlalchemy import ColumnElement, select

from models.types import Float32Array, Modality
from service.catalog.records import Draft, Embedding, Filter, Item, SpaceRef, metadata_text
from service.catalog.tables import EmbeddingRow, FactRow, ItemRow, fold

# Old SQLite libraries take 999 values in one statement.
CHUNK = 900

T = TypeVar("T")


def chunks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Cut values into runs that fit one SQL statement."""
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]


def conditions(chosen: Filter) -> list[ColumnElement[bool]]:
    """Return what rows of ``items`` must fulfil."""
    wanted: list[ColumnElement[bool]] = []
    if chosen.modality is not None:
        wanted.append(ItemRow.modality == chosen.modality.value)
    if chosen.work_id is not None:
        wanted.append(ItemRow.work_id == chosen.work_id)
    if chosen.label is not None:
        wanted.append(ItemRow.label == chosen.label)
    if chosen.title is not None:
        wanted.append(ItemRow.title_folded.contains(fold(chosen.title), autoescape=True))
    for key, value in chosen.metadata.items():
        having = select(FactRow.item_number).where(
            FactRow.key == key, FactRow.value == metadata_text(value)
        )
        wanted.append(ItemRow.number.in_(having))
    return wanted


def to_row(draft: Draft, created_at: datetime) -> ItemRow:
    """Return the rows of a new item, linked."""
    return ItemRow(
        id=draft.id,
        modality=draft.modality.value,
        sha256=draft.sha256,
        media_type=draft.media_type,
        suffix=draft.suffix,
        bytes=draft.bytes,
        title=draft.title,
        title_folded=fold(draft.title),
        label=draft.label,
        work_id=draft.work_id,
        facts=dict(draft.metadata),
        created_at=created_at,
        facts_by_text=[
            FactRow(key=key, value=metadata_text(value)) for key, value in draft.metadata.items()
        ],
        embeddings=[embedding_row(space, None, embedding) for space, embedding in draft.embeddings],
    )


def to_item(row: ItemRow) -> Item:
    """Return the record of a row."""
    return Item(
        number=row.number,
        id=row.id,
        modality=Modality(row.modality),
        sha256=row.sha256,
        media_type=row.media_type,
        suffix=row.suffix,
        bytes=row.bytes,
        title=row.title,
        label=row.label,
        work_id=row.work_id,
        metadata=row.facts,
        created_at=row.created_at,
    )


def embedding_row(space: SpaceRef, number: int | None, embedding: Embedding) -> EmbeddingRow:
    """Return the row of an embedding; None leaves the number to the item it is linked to."""
    return EmbeddingRow(
        item_number=number,
        space=space.name,
        fingerprint=space.fingerprint,
        vector=np.ascontiguousarray(embedding.vector, "<f4").tobytes(),
        typicality=float(embedding.typicality),
    )


def to_vector(stored: bytes) -> Float32Array:
    """Return the vector (K,) that a row holds."""
    return np.frombuffer(stored, "<f4").astype(np.float32)
