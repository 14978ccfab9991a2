"""``scenes.json``: which scenes a folder holds, made how, and what may be done with them."""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from models.errors import DataError
from training.datasets.scenes.description import CITATION, LICENCE, NAME, VERSION
from training.datasets.scenes.parameters import KINDS
from training.datasets.scenes.scene import SceneParameters

MANIFEST_NAME = "scenes.json"


def check_manifest(folder: Path, *, seed: int) -> None:
    """Refuse a folder that holds scenes of another seed or generator.

    Raises:
        DataError: If the manifest is unreadable or differs in version or seed.
    """
    manifest = _read(folder)
    if manifest is None:
        return
    found = (manifest.get("version"), manifest.get("seed"))
    if found != (VERSION, seed):
        raise DataError(
            f"{folder} holds scenes of version {found[0]} and seed {found[1]}, expected version "
            f"{VERSION} and seed {seed}; choose another folder or delete this one"
        )


def write_manifest(folder: Path, scenes: Iterable[SceneParameters], *, seed: int) -> None:
    """Write or extend the manifest; scenes that it lists already stay in it.

    Args:
        folder: The data set folder.
        scenes: Scenes whose files are complete.
        seed: Seed of the data set.

    Raises:
        DataError: As ``check_manifest``.
    """
    check_manifest(folder, seed=seed)
    listed: dict[int, dict[str, Any]] = {
        record["index"]: record for record in (_read(folder) or {}).get("scenes", [])
    }
    listed |= {scene.index: {"stem": scene.stem, **asdict(scene)} for scene in scenes}
    manifest = {
        "dataset": NAME,
        "version": VERSION,
        "seed": seed,
        "count": len(listed),
        "kinds": list(KINDS),
        "licence": LICENCE,
        "citation": CITATION,
        "scenes": [listed[index] for index in sorted(listed)],
    }
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f".{MANIFEST_NAME}.{os.getpid()}.part"
    unfinished.write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    unfinished.replace(folder / MANIFEST_NAME)


def _read(folder: Path) -> dict[str, Any] | None:
    """Return the manifest, or None where there is none."""
    path = folder / MANIFEST_NAME
    if not path.is_file():
        return None
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{path} is not JSON ({error}); delete it and build again") from error
    if not isinstance(manifest, dict):
        raise DataError(f"{path} holds no manifest; delete it and build again")
    return manifest
