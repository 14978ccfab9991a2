"""One manifest of a collection: the weights, extractors, catalog and index files it is made of."""

from typing import Any

from models.checkpoint import read_json
from models.errors import ArtefactError
from service.artefacts import SpaceFolder, find_spaces
from service.catalog.database import SCHEMA_VERSION
from service.catalog.records import SpaceRef
from service.collection.check import Report
from service.settings import Settings


def manifest_values(settings: Settings, report: Report) -> dict[str, Any]:
    """Return hashes, counts and versions for JSON.

    Args:
        settings: Where data folder and spaces are.
        report: What a check read from the catalog.
    """
    loaded = {space.name: space for space in find_spaces(settings)}
    return {
        "schema_version": SCHEMA_VERSION,
        "collection_id": report.collection_id,
        "sequence": report.sequence,
        "items": report.checked["items"],
        "media_bytes": report.checked["media_bytes"],
        "spaces": [
            {
                **_catalog_part(report, space),
                "model": _model_part(loaded.get(space.name)),
                "index": _index_part(settings, space.name),
            }
            for space in report.spaces.values()
        ],
    }


def _catalog_part(report: Report, space: SpaceRef) -> dict[str, Any]:
    counts = report.embeddings.get(space.name, {})
    return {
        "name": space.name,
        "fingerprint": space.fingerprint,
        "n_components": space.n_components,
        "embeddings": {modality.value: counts.get(modality, 0) for modality in space.modalities},
    }


def _model_part(space: SpaceFolder | None) -> dict[str, Any] | None:
    """What the artefact folder says; None for a space that is not loaded."""
    if space is None:
        return None
    views = [space.view(modality) for modality in space.modalities]
    return {
        "method": space.manifest.method,
        "fingerprint": space.manifest.fingerprint,
        "weights_sha256": space.manifest.weights_sha256,
        "extractors": {
            view.name: {"name": view.extractor, "fingerprint": view.extractor_fingerprint}
            for view in views
        },
    }


def _index_part(settings: Settings, name: str) -> Any | None:
    """What the index files say of themselves; None where there are none, or none that read."""
    path = settings.data / "indexes" / name / "manifest.json"
    try:
        return read_json(path) if path.is_file() else None
    except ArtefactError:
        return None
