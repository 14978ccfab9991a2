"""Whether the index files of a space say what the catalog says."""

from pathlib import Path

import numpy as np

from models.errors import ArtefactError
from service.catalog.catalog import Catalog
from service.catalog.records import SpaceRef
from service.collection.space_indexes import IndexOptions, SpaceIndexes


def verify(data: Path, space: SpaceRef, catalog: Catalog, options: IndexOptions) -> list[str]:
    """Return what is wrong with the index files of a space, in plain words; changes nothing."""
    indexes = SpaceIndexes(data, space, options)
    try:
        indexes.load(catalog.collection_id)
    except ArtefactError as error:
        return [str(error)]
    for modality, index in indexes.indexes.items():
        np.setdiff1d(index.ids(), catalog.embeddings.numbers(space.name, modality))
    return []
