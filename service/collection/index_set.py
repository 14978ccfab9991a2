"""The indexes of all spaces of a collection, brought into step with the catalog."""

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.errors import ArtefactError, DataError
from models.types import Modality
from service.catalog.catalog import Catalog
from service.catalog.records import NumberedEmbedding, SpaceRef
from service.collection.shared_indexes import BACKEND, SharedIndexes
from service.collection.space_indexes import SpaceIndexes
from service.index.options import IndexOptions
from service.index.protocol import MaintainedIndex, VectorIndex

_LOG = logging.getLogger(__name__)
_SAVED_SHARE = 0.02


class IndexSet:
    """One ``SpaceIndexes`` per space. Searching is safe from any thread; change one at a time.

    Attributes:
        spaces: The open spaces by name.
        misfits: Those that cannot be used before they are repaired, and why.
        n_changes: Vectors added or removed since the last save.
    """

    def __init__(self, data: Path, catalog: Catalog, options: IndexOptions) -> None:
        self.spaces: dict[str, SpaceRef] = {}
        self.misfits: dict[str, ArtefactError] = {}
        self.n_changes = 0
        self._data = data
        self._catalog = catalog
        self._options = options
        self._open: dict[str, SpaceIndexes | SharedIndexes] = {}
        self._changed: dict[str, set[Modality]] = {}

    def open(self, spaces: Sequence[SpaceRef], *, refuse_misfits: bool) -> None:
        """Load the indexes of the spaces and add or remove what the catalog says.

        Args:
            spaces: Each name once.
            refuse_misfits: Raise when an index or embeddings do not fit a space; otherwise note
                it in ``misfits``.

        Raises:
            ArtefactError: See ``refuse_misfits``.
            DataError: When a name comes twice or cannot be a folder.
            IndexSettingError: When the machine lacks the backend or device.
        """
        for space in spaces:
            if space.name in self.spaces:
                raise DataError(f"expected spaces of different names, got {space.name!r} twice")
            indexes = self._new(space)
            self.spaces[space.name] = space
            try:
                indexes.load(self._catalog.collection_id, is_new=self._catalog.sequence() == 0)
                indexes.check_catalog(self._catalog.embeddings.fingerprints(space.name))
            except ArtefactError as error:
                if refuse_misfits:
                    raise
                _LOG.warning("%s", error)
                self.misfits[space.name] = error
                continue
            self._adopt(indexes, self._catch_up(indexes))

    def of(self, space: str, modality: Modality) -> VectorIndex:
        """Return the index of a modality in a space.

        Raises:
            ArtefactError: When the space waits for repair.
            DataError: When the space is not open or does not cover the modality.
        """
        if space in self.misfits:
            raise self.misfits[space]
        ref = self.space(space)
        if modality not in ref.modalities:
            covered = ", ".join(ref.modalities)
            raise DataError(f"space {space!r} covers {covered}; got {modality}")
        return self._open[space].indexes[modality]

    def space(self, name: str) -> SpaceRef:
        """Return an open space.

        Raises:
            DataError: When there is none of this name.
        """
        if name not in self.spaces:
            raise DataError(f"expected one of the spaces {sorted(self.spaces)}, got {name!r}")
        return self.spaces[name]

    def add(self, arrivals: Iterable[NumberedEmbedding]) -> None:
        """Add committed embeddings."""
        together: dict[tuple[str, Modality], list[NumberedEmbedding]] = {}
        for arrival in arrivals:
            if arrival.space in self._open:
                together.setdefault((arrival.space, arrival.modality), []).append(arrival)
        for (space, modality), rows in together.items():
            ids = np.array([row.number for row in rows], np.int64)
            vectors = np.stack([row.embedding.vector for row in rows]).astype(np.float32)
            self._open[space].indexes[modality].add(ids, vectors)
            self._note(space, modality, len(rows))

    def remove(self, gone: Iterable[NumberedEmbedding]) -> None:
        """Forget embeddings."""
        together: dict[tuple[str, Modality], list[int]] = {}
        for one in gone:
            if one.space in self._open and one.modality in self._open[one.space].indexes:
                together.setdefault((one.space, one.modality), []).append(one.number)
        for (space, modality), numbers in together.items():
            removed = self._open[space].indexes[modality].remove(np.array(numbers, np.int64))
            self._note(space, modality, removed)

    def save_is_due(self, least: int) -> bool:
        """Whether enough has changed since the last save.

        Args:
            least: Fewer changes than this are never enough; of many vectors, two per cent are.
        """
        n_vectors = sum(
            len(index)
            for indexes in self._open.values()
            if indexes.are_ours
            for index in indexes.indexes.values()
        )
        return self.n_changes >= max(least, n_vectors * _SAVED_SHARE)

    def catch_up(self) -> None:
        """Do again what the catalog has done since the last save, where that was cut short."""
        for space, indexes in self._open.items():
            self._changed[space] |= self._catch_up(indexes)

    def save(self) -> None:
        """Write what changed since the last save; the indexes have every change of the catalog.

        Raises:
            OSError: When the disk is full; the previous files stay valid then.
        """
        sequence = self._catalog.sequence()
        for space, changed in self._changed.items():
            wanted = changed | self._open[space].unsaved()
            if wanted:
                self._open[space].save(self._catalog.collection_id, wanted, sequence)
                changed.clear()
        self.n_changes = 0

    def describe(self, space: str) -> dict[Modality, dict[str, Any]]:
        """Say of each index of an open space what it is: type, number, measured recall.

        A space that waits for repair has none.
        """
        if space not in self._open:
            return {}
        return {
            modality: index.describe()
            if isinstance(index, MaintainedIndex)
            else {"type": self._options.backend, "vectors": len(index), "recall": 1.0}
            for modality, index in self._open[space].indexes.items()
        }

    def settle(self) -> None:
        """Wait until every index that should be built is built; for batch jobs."""
        for index in self._maintained():
            index.settle()

    def close(self) -> None:
        """Stop what is being built."""
        for index in self._maintained():
            index.close()

    def forget_files(self, space: SpaceRef) -> None:
        """Remove the index files of a space, so that what follows can be cut short anywhere."""
        indexes = self._open.get(space.name) or self._new(space)
        indexes.forget()
        if space.name in self._open:
            self._changed[space.name] = set(indexes.indexes)

    def rebuild(self, space: SpaceRef) -> None:
        """Build and save the indexes of a space from the catalog, and search them from now on.

        Raises:
            ArtefactError: When the embeddings come from another version of the space.
        """
        indexes = self._new(space)
        indexes.check_catalog(self._catalog.embeddings.fingerprints(space.name))
        self._catch_up(indexes)
        self.spaces[space.name] = space
        self.misfits.pop(space.name, None)
        self._adopt(indexes, set(space.modalities))
        self.save()

    def _new(self, space: SpaceRef) -> SpaceIndexes | SharedIndexes:
        """The one place where the indexes of a space are made: empty, or those in Milvus."""
        if self._options.backend == BACKEND:
            return SharedIndexes(self._data, space, self._options, self._catalog.collection_id)
        return SpaceIndexes(self._data, space, self._options)

    def _adopt(self, indexes: SpaceIndexes | SharedIndexes, changed: set[Modality]) -> None:
        if indexes.space.name in self._open:
            for index in self._open[indexes.space.name].indexes.values():
                if isinstance(index, MaintainedIndex):
                    index.close()
        self._open[indexes.space.name] = indexes
        self._changed[indexes.space.name] = changed

    def _note(self, space: str, modality: Modality, n_vectors: int) -> None:
        if n_vectors:
            self._changed[space].add(modality)
            self.n_changes += n_vectors

    def _maintained(self) -> list[MaintainedIndex]:
        everything = (i for indexes in self._open.values() for i in indexes.indexes.values())
        return [index for index in everything if isinstance(index, MaintainedIndex)]

    def _catch_up(self, indexes: SpaceIndexes | SharedIndexes) -> set[Modality]:
        """Replay what the catalog has done since; return the modalities changed."""
        changed = set()
        name, embeddings = indexes.space.name, self._catalog.embeddings
        for modality in indexes.indexes:
            if self._replay(indexes, modality):
                changed.add(modality)
            count = embeddings.count(name, modality)
            if indexes.are_ours and len(indexes.indexes[modality]) != count:
                _LOG.warning(
                    "space %s, %s: the index has %d vectors, the catalog %d; it is built anew",
                    *(name, modality, len(indexes.indexes[modality]), count),
                )
                indexes.empty(modality)
                self._replay(indexes, modality)
                changed.add(modality)
        return changed

    def _replay(self, indexes: SpaceIndexes | SharedIndexes, modality: Modality) -> bool:
        name, embeddings = indexes.space.name, self._catalog.embeddings
        index, since = indexes.indexes[modality], indexes.sequences[modality]
        if since > self._catalog.sequence():  # the catalog was restored from an older copy
            indexes.empty(modality)
            return self._replay(indexes, modality)
        changes = embeddings.changed_since(name, modality, since)
        n_removed = index.remove(changes.removed)
        n_added = 0
        for numbers, vectors in embeddings.blocks(name, modality, since):
            index.add(numbers, vectors)
            n_added += len(numbers)
        indexes.sequences[modality] = changes.sequence
        if n_added or n_removed:
            _LOG.info(
                "space %s, %s: index brought into step with the catalog, %d added, %d removed",
                *(name, modality, n_added, n_removed),
            )
        return bool(n_added or n_removed)
