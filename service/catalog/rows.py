"""Between records and table rows.

Rows are written thousands at a time, as plain mappings whose values any driver takes as they are:
JSON and moments are text already.
"""

import json
import math
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import numpy as np

from models.types import Float32Array, Modality, Place
from service.catalog.moments import parse_moment
from service.catalog.records import (
    Draft,
    Embedding,
    Excerpt,
    Item,
    MetadataValue,
    SpaceRef,
    metadata_text,
)
from service.catalog.tables import ItemRow, SpaceRow, fold

Values = dict[str, Any]


def new_item(draft: Draft, number: int, created_at: datetime) -> Item:
    """Return the record of a draft that is stored under a number."""
    return Item(
        number=number,
        id=draft.id,
        modality=draft.modality,
        sha256=draft.sha256,
        media_type=draft.media_type,
        suffix=draft.suffix,
        bytes=draft.bytes,
        title=draft.title,
        label=draft.label,
        work_id=draft.work_id,
        metadata=dict(draft.metadata),
        created_at=created_at,
        tags=tuple(sorted(set(draft.tags))),
    )


def item_values(item: Item) -> Values:
    """Return the row of an item."""
    return {
        "number": item.number,
        "id": item.id,
        "modality": item.modality.value,
        "sha256": item.sha256,
        "media_type": item.media_type,
        "suffix": item.suffix,
        "bytes": item.bytes,
        "title": item.title,
        "title_folded": fold(item.title),
        "label": item.label,
        "work_id": item.work_id,
        "metadata": json.dumps(item.metadata),
        "tags": json.dumps(item.tags),
        "created_at": item.created_at.strftime("%Y-%m-%d %H:%M:%S.%f"),
    }


def fact_values(item: Item) -> Iterator[Values]:
    """Yield the rows of the metadata of an item."""
    return fact_values_of(item.number, item.metadata)


def fact_values_of(number: int, metadata: Mapping[str, MetadataValue]) -> Iterator[Values]:
    """Yield the rows of the metadata of the item of a number."""
    for key, value in metadata.items():
        yield {
            "item_number": number,
            "key": key,
            "value": metadata_text(value),
            "number": _number(value),
            "moment": _moment(value),
        }


def tag_values(item: Item) -> Iterator[Values]:
    """Yield the rows of the tags of an item."""
    for tag in item.tags:
        yield {"item_number": item.number, "tag": tag}


def embedding_values(
    space_id: int, modality: str, item_number: int, number: int, sequence: int, embedding: Embedding
) -> Values:
    """Return the row of an embedding."""
    excerpt = embedding.excerpt
    return {
        "number": number,
        "item_number": item_number,
        "position": None if excerpt is None else excerpt.position,
        "place": None if excerpt is None else json.dumps(excerpt.place.entries),
        "space_id": space_id,
        "modality": modality,
        "sequence": sequence,
        "vector": np.ascontiguousarray(embedding.vector, "<f4").tobytes(),
        "typicality": float(embedding.typicality),
    }


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
        tags=tuple(row.tags),
    )


def space_values(space: SpaceRef) -> Values:
    """Return the row of a space, without its id."""
    return {
        "name": space.name,
        "fingerprint": space.fingerprint,
        "modalities": ",".join(space.modalities),
        "n_components": space.n_components,
    }


def to_space(row: SpaceRow) -> SpaceRef:
    """Return the record of a row."""
    names = row.modalities.split(",") if row.modalities else []
    modalities = tuple(Modality(name) for name in names)
    return SpaceRef(row.name, row.fingerprint, modalities, row.n_components)


def to_excerpt(position: int | None, place: str | None) -> Excerpt | None:
    """Return the excerpt that a row is of, None for a whole item."""
    if position is None:
        return None
    return Excerpt(position, Place(**json.loads(place or "{}")))


def to_vector(stored: bytes) -> Float32Array:
    """Return the vector (K,) that a row holds."""
    return np.frombuffer(stored, "<f4").astype(np.float32)


def _number(value: MetadataValue) -> float | None:
    if isinstance(value, bool | str):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _moment(value: MetadataValue) -> float | None:
    moment = parse_moment(value) if isinstance(value, str) else None
    return None if moment is None else moment.timestamp()
