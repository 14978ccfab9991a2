"""The vector indexes of one space where several processes search and change them: in Milvus.

The vectors lie in collections of Milvus named after catalog, space, fingerprint and modality, so
vectors of another version of a space are never met. The data folder has a list of these names, and
the last change of the catalog that all of them have.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from models.checkpoint import read_json, write_json
from models.errors import ArtefactError
from models.types import Modality
from service.catalog.catalog import Catalog
from service.catalog.records import SpaceRef
from service.index.options import IndexOptions
from service.index.protocol import VectorIndex
from service.index.registry import open_milvus

if TYPE_CHECKING:
    from service.index.milvus_backend import MilvusIndex

BACKEND = "milvus"


class SharedIndexes:
    """What ``SpaceIndexes`` is for files, for collections of Milvus.

    Attributes:
        space: The space they belong to.
        indexes: One for each modality of the space.
        sequences: For each modality, the last change of the catalog that its index surely has.
        are_ours: Whether nobody else changes them.
    """

    are_ours = False

    def __init__(
        self, data: Path, space: SpaceRef, options: IndexOptions, collection_id: str
    ) -> None:
        """Open the collections, and make those that are not there.

        Args:
            data: Folder of the collection of items.
            space: The space.
            options: Where Milvus is.
            collection_id: Of the catalog.

        Raises:
            IndexSettingError: When Milvus cannot be reached.
        """
        self.space = space
        self._options = options
        self._list = data / "indexes" / space.name / "milvus.json"
        self._names = {m: _name(collection_id, space, m) for m in space.modalities}
        self.indexes: dict[Modality, VectorIndex] = {
            modality: self._open(name) for modality, name in self._names.items()
        }
        self.sequences = dict.fromkeys(space.modalities, 0)

    def load(self, collection_id: str, *, is_new: bool) -> None:
        """Read which change of the catalog the collections have; the vectors are where they are."""
        del collection_id, is_new
        told = self._told()
        if set(self._names.values()) <= set(told["collections"]):
            self.sequences = dict.fromkeys(self.sequences, int(told["sequence"]))

    def save(self, collection_id: str, changed: set[Modality], sequence: int) -> None:
        """Note the last change of the catalog; Milvus keeps what it acknowledged."""
        del collection_id, changed
        names = {*self._told()["collections"], *self._names.values()}
        self._list.parent.mkdir(parents=True, exist_ok=True)
        write_json(self._list, {"collections": sorted(names), "sequence": sequence})
        self.sequences = dict.fromkeys(self.sequences, sequence)

    def unsaved(self) -> set[Modality]:
        """Return nothing: Milvus keeps what it acknowledged."""
        return set()

    def empty(self, modality: Modality) -> None:
        """Begin the index of a modality anew, with nothing in it."""
        self._open(self._names[modality]).drop()
        self.indexes[modality] = self._open(self._names[modality])
        self.sequences[modality] = 0

    def forget(self) -> None:
        """Remove the collections, also those of earlier versions of the space."""
        for name in {*self._told()["collections"], *self._names.values()}:
            self._open(name).drop()
        self._list.unlink(missing_ok=True)

    def problems(self, catalog: Catalog) -> list[str]:
        """Return what is wrong with the collections, in plain words; for ``kyomei check``."""
        found = []
        for modality, index in self.indexes.items():
            present, stored = index.ids(), catalog.embeddings.numbers(self.space.name, modality)
            strange, missing = np.setdiff1d(present, stored), np.setdiff1d(stored, present)
            if len(strange) or len(missing):
                found.append(
                    f"index of {self.space.name}, {modality}, in Milvus: {len(strange)} vectors "
                    f"that the catalog does not have, {len(missing)} missing"
                )
        return found

    def check_catalog(self, fingerprints: Mapping[str, int]) -> None:
        """Refuse a catalog whose embeddings come from another version of the space.

        Args:
            fingerprints: Number of embeddings by fingerprint.

        Raises:
            ArtefactError: With both fingerprints and the repair.
        """
        for fingerprint in fingerprints:
            if fingerprint != self.space.fingerprint:
                raise ArtefactError(
                    f"space {self.space.name!r} and the catalog disagree: expected embeddings of "
                    f"fingerprint {self.space.fingerprint}, got {fingerprint}; stop all replicas, "
                    "then repair with `kyomei reindex`"
                )

    def _told(self) -> dict[str, Any]:
        if not self._list.exists():
            return {"collections": [], "sequence": 0}
        told: dict[str, Any] = read_json(self._list)
        return told

    def _open(self, name: str) -> "MilvusIndex":
        return open_milvus(self.space.n_components, self._options, name)


def _name(collection_id: str, space: SpaceRef, modality: Modality) -> str:
    """Name of a collection: Milvus takes letters, digits and ``_``."""
    identity = f"{collection_id}:{space.name}:{space.fingerprint}:{modality}"
    return f"kyomei_{hashlib.sha256(identity.encode()).hexdigest()[:24]}_{modality}"
