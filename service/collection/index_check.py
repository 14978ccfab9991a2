"""Whether the index files of a space say what the catalog says; nothing is changed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from models.errors import ArtefactError
from models.types import Float32Array, Int64Array, Modality
from service.catalog.catalog import Catalog
from service.catalog.records import SpaceRef
from service.collection.shared_indexes import BACKEND, SharedIndexes
from service.collection.space_indexes import FORMAT_VERSION, SpaceIndexes
from service.index.options import IndexOptions
from service.index.registry import load_index
from service.index.snapshot_file import read_rows


def verify(data: Path, space: SpaceRef, catalog: Catalog, options: IndexOptions) -> list[str]:
    """Return what is wrong with the index files of a space, in plain words.

    Every byte of them is read. What the catalog did after they were written is no fault: it is
    replayed at the next opening.

    Args:
        data: Folder of the collection.
        space: The space as it is served.
        catalog: What the files must agree with.
        options: How indexes are opened.
    """
    if options.backend == BACKEND:
        return SharedIndexes(data, space, options, catalog.collection_id).problems(catalog)
    indexes = SpaceIndexes(data, space, options)
    try:
        manifest = indexes.read_manifest()
        if manifest is None:
            return []
        indexes.refuse_misfits(manifest)
    except ArtefactError as error:
        return [str(error)]
    for key, value in (
        ("format_version", FORMAT_VERSION),
        ("collection_id", catalog.collection_id),
    ):
        if manifest.get(key) != value:
            return [f"index of {space.name}: {key}: expected {value}, got {manifest.get(key)}"]
    problems = []
    for modality in space.modalities:
        entry = manifest["files"].get(modality.value)
        if entry is not None:
            found = _problems(indexes, modality, entry, catalog, options)
            problems += [f"index of {space.name}, {modality}: {text}" for text in found]
    return problems


def _problems(
    indexes: SpaceIndexes,
    modality: Modality,
    entry: Mapping[str, Any],
    catalog: Catalog,
    options: IndexOptions,
) -> list[str]:
    try:
        indexes.check_files(entry)
        changes = None if entry.get("changes") is None else indexes.path(entry["changes"])
        load_index(
            indexes.path(entry), options, dimension=indexes.space.n_components, changes=changes
        )
        ids, vectors = read_rows(indexes.path(entry), changes)
        sequence = int(entry["sequence"])
    except (ArtefactError, KeyError, TypeError, ValueError) as error:
        return [str(error)]
    if sequence > catalog.sequence():
        return [f"it has change {sequence}, the catalog only {catalog.sequence()}"]
    return _differences(indexes.space.name, modality, (ids, vectors), sequence, catalog)


def _differences(
    space: str,
    modality: Modality,
    rows: tuple[Int64Array, Float32Array],
    sequence: int,
    catalog: Catalog,
) -> list[str]:
    ids, vectors = rows
    later = catalog.embeddings.changed_since(space, modality, sequence)
    stored = catalog.embeddings.numbers(space, modality)
    strange = np.setdiff1d(np.setdiff1d(ids, stored), later.removed)
    missing = np.setdiff1d(np.setdiff1d(stored, ids), later.placed)
    n_other = 0
    for numbers, expected in catalog.embeddings.blocks(space, modality):
        known = np.isin(numbers, ids) & ~np.isin(numbers, later.placed)
        found = vectors[np.searchsorted(ids, numbers[known])]
        n_other += int((found != expected[known]).any(axis=1).sum())
    counts = {
        "has {} vectors of items that the catalog does not have": len(strange),
        "lacks {} vectors that the catalog has": len(missing),
        "has {} vectors that differ from those of the catalog": n_other,
    }
    return [text.format(count) for text, count in counts.items() if count]
