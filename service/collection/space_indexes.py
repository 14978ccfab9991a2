"""The vector indexes of one space: one per modality, with a manifest that vouches for the files.

The manifest is written last and is the only name that is ever replaced, so a save that is cut
short leaves the previous one whole.
"""

import hashlib
import logging
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.checkpoint import read_json, write_json
from models.errors import ArtefactError, DataError
from models.types import Modality
from service.catalog.records import SpaceRef
from service.collection.media_files import sync_folder
from service.index.options import IndexOptions
from service.index.protocol import VectorIndex
from service.index.registry import load_index, open_index

_LOG = logging.getLogger(__name__)
_FORMAT_VERSION = 1
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class SpaceIndexes:
    """The indexes of a space. Searching is safe from any thread; change and save one at a time.

    Attributes:
        space: The space they belong to.
        indexes: One for each modality of the space.
    """

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
        self.indexes: dict[Modality, VectorIndex] = {
            modality: self._empty_index() for modality in space.modalities
        }
        self._files: dict[str, dict[str, Any]] = {}
        self._generation = 0

    def load(self, collection_id: str) -> None:
        """Read the files, if there are any: without a manifest there are none.

        Raises:
            ArtefactError: When they are damaged or belong to another space, version or catalog;
                the message gives both values and the repair.
        """
        manifest = self._read_manifest()
        if manifest is None:
            return
        expected = self._identity(collection_id)
        for key, value in expected.items():
            self._expect(f"{key} in the index manifest", value, manifest.get(key))
        self._files, self._generation = manifest["files"], manifest["generation"]
        for modality in self.space.modalities:
            if modality.value in self._files:
                self.indexes[modality] = self._load_one(self._files[modality.value])

    def save(self, collection_id: str, changed: set[Modality]) -> None:
        """Write the indexes of the changed modalities, then the manifest, then tidy up.

        Raises:
            OSError: When the disk is full; the previous files stay valid then.
        """
        self._generation += 1
        files = dict(self._files)
        for modality in sorted(changed):
            path = self._folder / f"{modality}-{self._generation}.safetensors"
            self.indexes[modality].save(path)
            count = len(self.indexes[modality])
            files[modality.value] = {"file": path.name, "count": count, "sha256": _sha256(path)}
        manifest = {
            **self._identity(collection_id),
            "backend": self._options.backend,
            "generation": self._generation,
            "files": files,
        }
        write_json(self._folder / "manifest.json", manifest)
        sync_folder(self._folder)
        self._files = files
        listed = {entry["file"] for entry in files.values()}
        for path in self._folder.glob("*.safetensors"):
            if path.name not in listed:
                path.unlink()

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

    def _empty_index(self) -> VectorIndex:
        options = self._options
        return open_index(
            options.backend,
            self.space.n_components,
            device=options.device,
            threads=options.threads,
        )

    def _identity(self, collection_id: str) -> dict[str, Any]:
        return {
            "format_version": _FORMAT_VERSION,
            "collection_id": collection_id,
            "space": self.space.name,
            "fingerprint": self.space.fingerprint,
            "n_components": self.space.n_components,
        }

    def _read_manifest(self) -> dict[str, Any] | None:
        path = self._folder / "manifest.json"
        if not path.exists():
            return None
        try:
            manifest = read_json(path)
        except ArtefactError as error:
            raise ArtefactError(f"{error}; {self._repair}") from error
        is_whole = isinstance(manifest, dict) and {"files", "generation"} <= manifest.keys()
        self._expect(f"{path} holds files and generation", True, is_whole)
        return manifest

    def _load_one(self, entry: Mapping[str, Any]) -> VectorIndex:
        path = self._folder / entry["file"]
        found = _sha256(path) if path.exists() else "no such file"
        self._expect(f"sha256 of {path.name}", entry["sha256"], found)
        index = load_index(path, self._options)
        self._expect(f"number of vectors in {path.name}", entry["count"], len(index))
        self._expect(f"dimension of {path.name}", self.space.n_components, index.dimension)
        return index

    def _expect(self, what: str, expected: object, found: object) -> None:
        if expected != found:
            raise ArtefactError(
                f"space {self.space.name!r} and its index disagree: {what}: expected {expected}, "
                f"got {found}; {self._repair}"
            )

    @property
    def _repair(self) -> str:
        return f"repair with `kyomei reindex --data {self._data}`"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
