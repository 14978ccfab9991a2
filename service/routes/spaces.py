"""``GET /spaces``: what is loaded and which pairs it serves."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter

from models.types import Modality
from service.artefacts import SpaceFolder, served_pairs
from service.dependencies import EngineDep
from service.routes.answers import problems
from service.schemas import SpaceAnswer, ViewAnswer

router = APIRouter(tags=["service"])


@router.get(
    "/spaces", operation_id="list_spaces", responses=problems("unknown-collection", "not-ready")
)
def list_spaces(engine: EngineDep) -> list[SpaceAnswer]:
    """List the loaded spaces: method, modalities, number of items in each, and pairs served."""
    counts = engine.collection.item_counts()
    return [
        _space_answer(
            space, counts.get(space.name, {}), engine.collection.describe_indexes(space.name)
        )
        for space in engine.embedder.spaces.values()
    ]


def _space_answer(
    space: SpaceFolder,
    items: Mapping[Modality, int],
    indexes: Mapping[Modality, Mapping[str, Any]],
) -> SpaceAnswer:
    manifest = space.manifest
    return SpaceAnswer(
        name=space.name,
        method=manifest.method,
        n_components=manifest.n_components,
        fingerprint=manifest.fingerprint,
        weights_sha256=manifest.weights_sha256,
        dataset=manifest.dataset,
        licence=manifest.licence,
        views=[
            ViewAnswer(
                modality=modality,
                dimension=space.view(modality).dimension,
                extractor=space.view(modality).extractor,
                extractor_fingerprint=space.view(modality).extractor_fingerprint,
                items=items.get(modality, 0),
                index=dict(indexes.get(modality, {})),
            )
            for modality in space.modalities
        ],
        pairs=[f"{source}-to-{target}" for source, target in served_pairs([space])],
    )
