"""The demo collection: two folders of media, each in the space made for it, indexed once."""

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.checkpoint import read_json, write_json
from models.errors import DataError
from models.types import Modality
from service.engine import Engine
from service.ingest import IndexReport, index_folder

_logger = logging.getLogger(__name__)

PARTS = ("everyday", "songs")
"""Sub-folders of the demo media; each is indexed in the space of the same name."""

_MARKER = "demo.json"


@dataclass(frozen=True, slots=True)
class ExampleQuery:
    """A file of the demo that makes a good first query.

    Attributes:
        file: Where it lies.
        source: What it is.
        target: What to look for.
    """

    file: Path
    source: Modality
    target: Modality


def index_demo(engine: Engine, media: Path) -> Iterator[tuple[str, IndexReport]]:
    """Index the parts that changed since they were last indexed, and yield their reports.

    Args:
        engine: Has the spaces of the parts.
        media: Folder with the parts, as ``kyomei build-demo`` writes it.

    Raises:
        DataError: When the folder holds no part, or the space of a part is not loaded.
    """
    parts = [part for part in PARTS if (media / part).is_dir()]
    if not parts:
        raise DataError(
            f"expected {media / PARTS[0]} or {media / PARTS[1]}, found neither; "
            f"run kyomei build-demo --out {media}"
        )
    missing = [part for part in parts if part not in engine.embedder.spaces]
    if missing:
        loaded = ", ".join(engine.embedder.spaces)
        raise DataError(f"expected spaces named {', '.join(missing)}, loaded are {loaded}")
    marker = engine.settings.data / _MARKER
    done: dict[str, Any] = read_json(marker) if marker.is_file() else {}
    for part in parts:
        state = _state(engine, media / part)
        if done.get(part) == state:
            _logger.info("%s was indexed before", part)
            continue
        report = index_folder(engine.embedder, engine.collection, media / part, spaces=[part])
        done[part] = state
        write_json(marker, done)
        yield part, report


def example_query(engine: Engine, media: Path) -> ExampleQuery | None:
    """Return a sound of the first part to find a video with, or the first pair that has a file."""
    for part in PARTS:
        space = engine.embedder.spaces.get(part)
        modalities = space.modalities if space is not None else ()
        for source in modalities:
            file = next(_files(media / part / source), None)
            other = [modality for modality in modalities if modality is not source]
            if file is not None and other:
                target = Modality.VIDEO if Modality.VIDEO in other else other[0]
                return ExampleQuery(file, source, target)
    return None


def _state(engine: Engine, folder: Path) -> dict[str, str]:
    """What must be equal for a part to be indexed already: names, sizes and the space."""
    digest = hashlib.sha256()
    for path in _files(folder):
        digest.update(f"{path.relative_to(folder)}\0{path.stat().st_size}\0".encode())
    fingerprint = engine.embedder.spaces[folder.name].manifest.fingerprint
    return {"listing": digest.hexdigest(), "space": fingerprint}


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())
