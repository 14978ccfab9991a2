"""What routes ask for by type: the engine, the previews, the item of the address."""

from typing import Annotated

from fastapi import Depends, Path, Request

from service.catalog.records import Item
from service.engine import Engine
from service.errors import ProblemError
from service.previews import Previews


async def get_engine(request: Request) -> Engine:
    """Return the engine that the lifespan opened; async, so that it needs no free thread."""
    engine: Engine | None = getattr(request.app.state, "engine", None)
    if engine is None:
        raise ProblemError("not-ready", "The service is starting or stopping")
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
