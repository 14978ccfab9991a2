"""The vector indexes of one space where several processes search and change them: in Milvus.

The vectors lie in collections of Milvus named after catalog, space, fingerprint and modality, so
vectors of another version of a space are never met. The data folder has only a list of the names.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from models.checkpoint import read_json, write_json
from models.errors import ArtefactError
from models.types import Modality
from service.catalog.records import SpaceRef
from service.index.options import IndexOptions
from service.index.protocol import VectorIndex
from service.index.registry import open_milvus

BACKEND = "milvus"


class SharedIndexes:
    """What ``SpaceIndexes`` is for files, for collections of Milvus.

    Attributes:
        space: The space they belong to.
        indexes: One for each modality of the space.
    """

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
            modality: open_milvus(space.n_components, options, name)
            for modality, name in self._names.items()
        }
        self._note_names()

    def load(self, collection_id: str) -> None:
        """Do nothing: the vectors are where they are."""

    def save(self, collection_id: str, changed: set[Modality]) -> None:
        """Do nothing: Milvus keeps what it acknowledged."""

    def forget(self) -> None:
        """Remove the collections, also those of earlier versions of the space."""
        for name in self._listed():
            open_milvus(self.space.n_components, self._options, name).drop()
        self._list.unlink(missing_ok=True)

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

    def _listed(self) -> list[str]:
        return list(read_json(self._list)["collections"]) if self._list.exists() else []

    def _note_names(self) -> None:
        listed = self._listed()
        missing = [name for name in self._names.values() if name not in listed]
        if missing:
            self._list.parent.mkdir(parents=True, exist_ok=True)
            write_json(self._list, {"collections": listed + missing})


def _name(collection_id: str, space: SpaceRef, modality: Modality) -> str:
    """Name of a collection: Milvus takes letters, digits and ``_``."""
    identity = f"{collection_id}:{space.name}:{space.fingerprint}:{modality}"
    return f"kyomei_{hashlib.sha256(identity.encode()).hexdigest()[:24]}_{modality}"
