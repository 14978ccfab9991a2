"""The web application: addresses from the manifests at once, everything heavy in the lifespan."""

import logging
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from importlib import metadata
from typing import Any

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.body_limit import RequestBodyLimitMiddleware

from service.artefacts import find_spaces, served_pairs
from service.collections import collection_settings
from service.engine import Engine
from service.errors import install_handlers
from service.guard import Guard
from service.routes import collections as collections_route
from service.routes import health, items, spaces
from service.routes.media import media_router
from service.routes.pages import add_pages
from service.routes.search import search_router
from service.schemas import ProblemAnswer
from service.settings import Settings
from service.uploads import remove_leftovers

_logger = logging.getLogger(__name__)

_FORM_OVERHEAD_BYTES = 64 * 2**10
_DESCRIPTION = """Search across sound, image, video, lyrics and sheet music: send one, get the
nearest of another. Every failure is `application/problem+json` (RFC 9457) with a stable `type` and
a `detail` that says what to do."""


class KyomeiAPI(FastAPI):
    """FastAPI whose OpenAPI document knows the problem answer and shows file choosers."""

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document, made once."""
        if self.openapi_schema is None:
            document = super().openapi()
            schemas = document["components"]["schemas"]
            schemas["ProblemAnswer"] = ProblemAnswer.model_json_schema()
            _drop_validation_answers(document)
            _mark_files(document)
            self.openapi_schema = document
        return self.openapi_schema


def create_app(settings: Settings, engine: Engine | None = None) -> FastAPI:
    """Make the application for the spaces that the settings name.

    Args:
        settings: Folders, limits, addresses.
        engine: That of the default collection, when it is open already; otherwise the lifespan
            opens it, like those of all other collections. All are closed at shutdown.

    Raises:
        ArtefactError: When a manifest is missing, broken or does not fit this installation.
    """
    collections = collection_settings(settings)
    found = {name: find_spaces(own) for name, own in collections.items()}
    spaces_of_all = tuple(space for spaces in found.values() for space in spaces)
    max_body_bytes = settings.max_upload_bytes + _FORM_OVERHEAD_BYTES

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with ExitStack() as opened:
            engines = {} if engine is None else {engine.name: engine}
            for name, own in collections.items():
                if name not in engines:
                    engines[name] = await run_in_threadpool(Engine.open, own, found[name], name)
                opened.callback(engines[name].close)
                await run_in_threadpool(remove_leftovers, own)
            app.state.engines = engines
            warming = threading.Thread(target=_warm_up, args=(engines,), name="warm-up")
            warming.start()
            try:
                yield
            finally:
                app.state.engines = None
                await run_in_threadpool(warming.join)
                await run_in_threadpool(opened.close)

    app = KyomeiAPI(
        title="Kyomei",
        version=_version(),
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        middleware=[
            Middleware(Guard, allowed_hosts=settings.allowed_hosts, max_body_bytes=max_body_bytes),
            Middleware(RequestBodyLimitMiddleware, max_body_size=max_body_bytes),
        ],
    )
    install_handlers(app)
    names = list(dict.fromkeys(space.name for space in spaces_of_all))
    app.include_router(search_router(settings, served_pairs(spaces_of_all)))
    app.include_router(items.router)
    app.include_router(media_router(settings, names))
    app.include_router(spaces.router)
    app.include_router(collections_route.router)
    app.include_router(health.router)
    add_pages(app)
    return app


def _warm_up(engines: Mapping[str, Engine]) -> None:
    for engine in engines.values():
        engine.warm_up()


def _version() -> str:
    try:
        return metadata.version("kyomei")
    except metadata.PackageNotFoundError:
        return "unknown"


def _drop_validation_answers(document: dict[str, Any]) -> None:
    """Remove FastAPI's own 422, which it adds where a path has a parameter; ours are problems."""
    for operations in document["paths"].values():
        for operation in operations.values():
            if "application/json" in operation["responses"].get("422", {}).get("content", {}):
                del operation["responses"]["422"]
    for name in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(name, None)


def _mark_files(node: Any) -> None:
    """Write files as ``format: binary``: Swagger UI then shows a file chooser, also if optional."""
    if isinstance(node, list):
        for value in node:
            _mark_files(value)
    elif isinstance(node, dict):
        if node.pop("contentMediaType", None) is not None:
            node["format"] = "binary"
        choices = node.get("anyOf", [])
        if {"type": "null"} in choices and any("contentMediaType" in c for c in choices):
            del node["anyOf"]
            node.update({"type": "string", "format": "binary"})
        for value in node.values():
            _mark_files(value)
