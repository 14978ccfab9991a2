"""``GET /collections``: what this service holds, and which catalog each answer comes from."""

from fastapi import APIRouter

from service.catalog.database import SCHEMA_VERSION
from service.dependencies import EnginesDep
from service.engine import Engine
from service.routes.answers import problems
from service.schemas import CollectionAnswer

router = APIRouter(tags=["service"])


@router.get("/collections", operation_id="list_collections", responses=problems("not-ready"))
def list_collections(engines: EnginesDep) -> list[CollectionAnswer]:
    """List the collections: their names for the parameter `collection`, and what they hold."""
    return [_collection_answer(engine) for engine in engines.values()]


def _collection_answer(engine: Engine) -> CollectionAnswer:
    statistics = engine.collection.statistics()
    return CollectionAnswer(
        name=engine.name,
        collection_id=engine.collection.id,
        schema_version=SCHEMA_VERSION,
        sequence=engine.collection.sequence(),
        items={modality.value: count for modality, count in statistics.items.items()},
        works=statistics.works,
        media_bytes=statistics.media_bytes,
        spaces=list(engine.embedder.spaces),
    )
