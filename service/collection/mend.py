"""What ``kyomei check --repair`` does with files and items: set aside, never thrown away."""

import base64
import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from models.checkpoint import write_json
from service.catalog.catalog import Catalog
from service.catalog.records import Embedding, Item
from service.collection.check import Finding
from service.collection.collection import Collection
from service.collection.media_files import sync_folder

QUARANTINE = "quarantine"
LOST_AND_FOUND = "lost+found"


def set_aside(collection: Collection, item: Item, reason: str) -> Path:
    """Take an item out of the collection and keep all that is known of it.

    Args:
        collection: Where it is.
        item: What to take out.
        reason: Why, for whoever reads the note.

    Returns:
        The note, a JSON file; the media, if there are any, lie beside it. Adding the right media
        again makes the item anew, under the same id.
    """
    folder = collection.folder / QUARANTINE
    folder.mkdir(exist_ok=True)
    note = folder / f"{item.id}.json"
    write_json(note, {"reason": reason, **_facts(collection, item)})
    media = collection.media_path(item)
    if media.exists():
        media.replace(folder / media.name)
    sync_folder(folder)
    collection.delete(item.id)
    return note


def drop_damaged(catalog: Catalog, findings: Iterable[Finding]) -> None:
    """Forget embeddings that are no vectors, so that the collection can be opened."""
    for finding in findings:
        item = catalog.get(finding.subject)
        if item is not None and finding.space is not None:
            catalog.embeddings.drop(finding.space, [item.number])


def move_to_lost_and_found(folder: Path, file: str) -> Path:
    """Move a file that belongs to no item out of the way.

    Args:
        folder: Data directory.
        file: Where the file lies below it.

    Returns:
        Where it lies now.
    """
    source = folder / file
    target = folder / LOST_AND_FOUND / source.name
    target.parent.mkdir(exist_ok=True)
    count = 1
    while target.exists():
        target = target.with_name(f"{source.name}.{count}")
        count += 1
    source.replace(target)
    sync_folder(target.parent)
    sync_folder(source.parent)
    return target


def _told(embedding: Embedding) -> dict[str, Any]:
    vector = np.asarray(embedding.vector, "<f4").tobytes()
    excerpt = embedding.excerpt
    return {
        "vector_float32_base64": base64.b64encode(vector).decode(),
        "typicality": embedding.typicality,
        "excerpt": None if excerpt is None else dataclasses.asdict(excerpt),
    }


def _facts(collection: Collection, item: Item) -> dict[str, Any]:
    embeddings = {}
    for name in collection.spaces:
        placed = collection.embeddings_of(item, name)
        if placed:
            embeddings[name] = [_told(embedding) for embedding in placed]
    facts = {
        **dataclasses.asdict(item),
        "modality": item.modality.value,
        "created_at": item.created_at.isoformat(),
        "tags": list(item.tags),
    }
    return {"item": facts, "embeddings": embeddings}
