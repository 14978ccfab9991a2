"""What routes ask for by type: the engine, the previews, the item of the address."""

from typing import Annotated

from fastapi import Depends, Path, Query, Request

from service.catalog.records import Item
from service.engine import Engine
from service.errors import ProblemError
from service.previews import Previews
from service.settings import DEFAULT_COLLECTION


async def get_engines(request: Request) -> dict[str, Engine]:
    """Return the engines that the lifespan opened; async, so that it needs no free thread."""
    engines: dict[str, Engine] | None = getattr(request.app.state, "engines", None)
    if engines is None:
        raise ProblemError("not-ready", "The service is starting or stopping")
    return engines


EnginesDep = Annotated[dict[str, Engine], Depends(get_engines)]


async def get_engine(
    engines: EnginesDep,
    collection: Annotated[
        str, Query(description="Name of the collection; GET /collections lists them.")
    ] = DEFAULT_COLLECTION,
) -> Engine:
    """Return the engine of the collection that the request names."""
    engine = engines.get(collection)
    if engine is None:
        offer = ", ".join(engines)
        raise ProblemError(
            "unknown-collection", f"Expected one of {offer}; got {collection[:80]!r}"
        )
    return engine


EngineDep = Annotated[Engine, Depends(get_engine)]


def get_previews(engine: EngineDep) -> Previews:
    """Return the renderer of previews of this collection."""
    return Previews(engine.settings.previews_folder, engine.embedder, engine.collection)


PreviewsDep = Annotated[Previews, Depends(get_previews)]


def get_item(
    engine: EngineDep, item_id: Annotated[str, Path(description="The `id` of an item.")]
) -> Item:
    """Return the item of the address, or 404."""
    item = engine.collection.get(item_id)
    if item is None:
        raise ProblemError("unknown-item", f"There is no item {item_id[:40]!r}")
    return item


ItemDep = Annotated[Item, Depends(get_item)]
