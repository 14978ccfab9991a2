"""The vector indexes of one space: one per modality, with a manifest that vouches for the files.

They are a cache of the catalog: what is missing, damaged, of an older format or of another catalog
is left aside with a line in the log, and the catalog fills the index again. What belongs to another
version of the space is refused: its embeddings would give nonsense.

The manifest is written last and is the only name that is ever replaced, so a save that is cut
short leaves the previous one whole.
"""

import logging
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeGuard

from models.checkpoint import read_json, write_json
from models.errors import ArtefactError, DataError
from models.types import Modality
from service.catalog.records import SpaceRef
from service.collection.media_files import sync_folder
from service.index.options import IndexOptions
from service.index.protocol import MaintainedIndex, VectorIndex
from service.index.registry import empty_index, load_index
from service.index.snapshot_file import file_sha256

_LOG = logging.getLogger(__name__)
FORMAT_VERSION = 2
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
# Larger files are hashed by `kyomei check` only, so that opening does not read them.
HASHED_AT_OPENING_BYTES = 1 << 29
# Up to here an index is written whole at each save; above, what changed goes to a file of its own.
_SMALL_BYTES = 1 << 24
_MOST_CHANGED = 1 / 4


class SpaceIndexes:
    """The indexes of a space. Searching is safe from any thread; change and save one at a time.

    Attributes:
        space: The space they belong to.
        indexes: One for each modality of the space.
        sequences: For each modality, the last change of the catalog that its index has.
        are_ours: Whether nobody else changes them.
    """

    are_ours = True

    def __init__(self, data: Path, space: SpaceRef, options: IndexOptions) -> None:
        """Start with empty indexes.

        Args:
            data: Folder of the collection.
            space: The space; its name must do as a folder name.
            options: How to open indexes.

        Raises:
            DataError: When the name of the space cannot be a folder.
            IndexSettingError: When the machine does not have what the options ask for.
        """
        if not _SAFE_NAME.fullmatch(space.name):
            raise DataError(
                f"expected a space name of letters, digits, '.', '_' and '-', got {space.name!r}"
            )
        self.space = space
        self._data = data
        self._folder = data / "indexes" / space.name
        self._options = options
        self.indexes: dict[Modality, VectorIndex] = {}
        self.sequences: dict[Modality, int] = {}
        for modality in space.modalities:
            self.empty(modality)
        self._files: dict[str, dict[str, Any]] = {}
        self._generation = 0

    def empty(self, modality: Modality) -> None:
        """Begin the index of a modality anew, with nothing in it."""
        previous = self.indexes.get(modality)
        if isinstance(previous, MaintainedIndex):
            previous.close()
        self.indexes[modality] = empty_index(self.space.n_components, self._options)
        self.sequences[modality] = 0

    def load(self, collection_id: str, *, is_new: bool) -> None:
        """Open the files that are whole and of this catalog; the other indexes stay empty.

        Args:
            collection_id: Of the catalog.
            is_new: Whether nothing was ever in the catalog.

        Raises:
            ArtefactError: When they belong to another space or another version of it, or to a
                catalog that is no longer there; the message gives both values and the repair.
        """
        try:
            manifest = self.read_manifest()
        except ArtefactError as error:
            self._set_aside(str(error))
            return
        if manifest is None:
            return
        self.refuse_misfits(manifest)
        self._generation = manifest["generation"]
        if is_new and manifest.get("collection_id") != collection_id:
            raise ArtefactError(
                f"the catalog is new and empty, but {self._folder} belongs to the catalog with "
                f"collection_id {manifest.get('collection_id')}: put that catalog back, or remove "
                f"{self._folder.parent} to begin anew"
            )
        for key, value in self._origin(collection_id).items():
            if manifest.get(key) != value:
                self._set_aside(f"{key}: expected {value}, got {manifest.get(key)}")
                return
        self._files = manifest["files"]
        for modality in self.space.modalities:
            if modality.value in self._files:
                self._load_one(modality, self._files[modality.value])

    def save(self, collection_id: str, changed: set[Modality], sequence: int) -> None:
        """Write the indexes of the changed modalities, then the manifest, then tidy up.

        Args:
            collection_id: Of the catalog.
            changed: What to write; the files of the other modalities are right as they are.
            sequence: The last change of the catalog; the indexes have it.

        Raises:
            OSError: When the disk is full; the previous files stay valid then.
        """
        self._generation += 1
        files = dict(self._files)
        for modality in sorted(changed):
            files[modality.value] = self._save_one(modality)
        for entry in files.values():
            entry["sequence"] = sequence
        manifest = {
            **self._origin(collection_id),
            **self._identity(),
            "backend": self._options.backend,
            "generation": self._generation,
            "files": files,
        }
        write_json(self._folder / "manifest.json", manifest)
        sync_folder(self._folder)
        self._files = files
        self.sequences = dict.fromkeys(self.sequences, sequence)
        listed = {part["file"] for entry in files.values() for part in parts(entry)}
        for path in self._folder.glob("*.safetensors"):
            if path.name not in listed:
                path.unlink()

    def unsaved(self) -> set[Modality]:
        """Return the modalities whose big part was built anew and lies in no file yet."""
        return {
            modality
            for modality, index in self.indexes.items()
            if isinstance(index, MaintainedIndex)
            and index.base_path is None
            and index.describe()["type"] != "flat"
        }

    def forget(self) -> None:
        """Remove the files; the next opening builds them anew from the catalog."""
        if self._folder.exists():
            # The manifest goes first: without it, half a folder cannot be taken for a whole one.
            (self._folder / "manifest.json").unlink(missing_ok=True)
            shutil.rmtree(self._folder)
            sync_folder(self._folder.parent)
        self._files = {}

    def check_catalog(self, fingerprints: Mapping[str, int]) -> None:
        """Refuse a catalog whose embeddings come from another version of the space.

        Args:
            fingerprints: Number of embeddings by fingerprint.

        Raises:
            ArtefactError: With both fingerprints and the repair.
        """
        for fingerprint in fingerprints:
            self._expect("fingerprint of embeddings", self.space.fingerprint, fingerprint)

    def read_manifest(self) -> dict[str, Any] | None:
        """Return the manifest, None when there is none.

        Raises:
            ArtefactError: When it is damaged.
        """
        path = self._folder / "manifest.json"
        if not path.exists():
            return None
        manifest = read_json(path)
        if not isinstance(manifest, dict) or not {"files", "generation"} <= manifest.keys():
            raise ArtefactError(f"{path}: expected files and generation")
        return manifest

    def refuse_misfits(self, manifest: Mapping[str, Any]) -> None:
        """Refuse a manifest of another space or another version of it.

        Raises:
            ArtefactError: With both values and the repair.
        """
        for key, value in self._identity().items():
            self._expect(f"{key} in the index manifest", value, manifest.get(key))

    def check_files(self, entry: Mapping[str, Any], most_bytes: int | None = None) -> None:
        """Check that the files of a modality are there and whole.

        Args:
            entry: From ``files`` of the manifest.
            most_bytes: Do not read a file larger than this; None reads every one.

        Raises:
            ArtefactError: With both values.
        """
        for part in parts(entry):
            path = self.path(part)
            found: Any = path.stat().st_size if path.exists() else "no such file"
            if found != part["bytes"]:
                raise ArtefactError(f"{path.name}: expected {part['bytes']} bytes, got {found}")
            if most_bytes is not None and part["bytes"] > most_bytes:
                continue
            found = file_sha256(path)
            if found != part["sha256"]:
                raise ArtefactError(f"{path.name}: expected sha256 {part['sha256']}, got {found}")

    def path(self, part: Mapping[str, Any]) -> Path:
        """Return where a file of the manifest lies."""
        return self._folder / Path(part["file"]).name

    def _load_one(self, modality: Modality, entry: dict[str, Any]) -> None:
        try:
            self.check_files(entry, HASHED_AT_OPENING_BYTES)
            changes = entry.get("changes")
            index = load_index(
                self.path(entry),
                self._options,
                dimension=self.space.n_components,
                changes=None if changes is None else self.path(changes),
            )
            if len(index) != entry["count"]:
                raise ArtefactError(f"expected {entry['count']} vectors, got {len(index)}")
            self.indexes[modality], self.sequences[modality] = index, int(entry["sequence"])
        except (ArtefactError, KeyError, TypeError, ValueError) as error:
            self._set_aside(f"{modality}: {error}")
            self._files.pop(modality.value)

    def _save_one(self, modality: Modality) -> dict[str, Any]:
        index, before = self.indexes[modality], self._files.get(modality.value)
        name = f"{modality}-{self._generation}"
        if before is not None and self._is_little_changed(index, before):
            path = self._folder / f"{name}-changes.safetensors"
            index.save_changes(path)
            return {**before, "count": len(index), "changes": _described(path)}
        path = self._folder / f"{name}.safetensors"
        index.save(path)
        return {**_described(path), "count": len(index), "changes": None}

    def _is_little_changed(
        self, index: VectorIndex, before: Mapping[str, Any]
    ) -> TypeGuard[MaintainedIndex]:
        return (
            isinstance(index, MaintainedIndex)
            and index.base_path == self.path(before)
            and before["bytes"] > _SMALL_BYTES
            and index.n_changed <= len(index) * _MOST_CHANGED
        )

    def _set_aside(self, why: str) -> None:
        _LOG.warning(
            "space %s: the index files are not used, the catalog fills the index again: %s",
            *(self.space.name, why),
        )

    def _origin(self, collection_id: str) -> dict[str, Any]:
        return {"format_version": FORMAT_VERSION, "collection_id": collection_id}

    def _identity(self) -> dict[str, Any]:
        return {
            "space": self.space.name,
            "fingerprint": self.space.fingerprint,
            "n_components": self.space.n_components,
        }

    def _expect(self, what: str, expected: object, found: object) -> None:
        if expected != found:
            raise ArtefactError(
                f"space {self.space.name!r} and its index disagree: {what}: expected {expected}, "
                f"got {found}; repair with `kyomei reindex --data {self._data}`"
            )


def parts(entry: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return what describes each file of an entry of the manifest."""
    return [entry] if entry.get("changes") is None else [entry, entry["changes"]]


def _described(path: Path) -> dict[str, Any]:
    return {"file": path.name, "bytes": path.stat().st_size, "sha256": file_sha256(path)}
