"""What belongs to one item: its file, its preview and the items like it."""

import re
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query
from starlette.responses import FileResponse, Response

from models.types import Modality
from service.catalog.records import Item
from service.dependencies import EngineDep, ItemDep, PreviewsDep
from service.engine import SearchOptions
from service.errors import ProblemError
from service.routes.answers import problems, search_answer
from service.routes.parameters import search_options
from service.routes.stored_file import StoredFile
from service.schemas import SearchAnswerBody
from service.settings import Settings

_SHOWN_IN_BROWSER = re.compile(r"(audio|video)/|image/(png|jpeg|webp|gif|bmp)$|text/plain$")
_UNSAFE_IN_NAME = re.compile(r"[^\w .()-]+")
# A stored file is shown as it is and may do nothing: no script, no form, no frame.
_STORED_FILE_POLICY = "default-src 'none'; media-src 'self'; img-src 'self'; sandbox"
_ONE_DAY = "private, max-age=86400"
_IfNoneMatch = Annotated[str | None, Header(include_in_schema=False)]


def media_router(settings: Settings, spaces: list[str]) -> APIRouter:
    """Make the addresses below ``/items/{item_id}``.

    Args:
        settings: Limits of the search parameters.
        spaces: Names of the loaded spaces, for the documentation.
    """
    router = APIRouter(prefix="/items/{item_id}", tags=["items"])
    router.add_api_route(
        "/media",
        get_media,
        methods=["GET"],
        operation_id="get_media",
        response_class=FileResponse,
        responses={
            200: {"description": "The file as it came.", "content": {"*/*": {}}},
            206: {"description": "The range that was asked for."},
            304: {"description": "`If-None-Match` names this very file."},
            416: {"description": "The range lies outside the file."},
            **problems("unknown-item", "unknown-collection", "not-ready"),
        },
    )
    router.add_api_route("/media", get_media, methods=["HEAD"], include_in_schema=False)
    router.add_api_route(
        "/preview",
        get_preview,
        methods=["GET"],
        operation_id="get_preview",
        response_class=FileResponse,
        responses={
            200: {
                "description": "A picture or a text.",
                "content": {"image/png": {}, "text/plain": {}},
            },
            304: {"description": "`If-None-Match` names this very preview."},
            **problems(
                "unknown-item",
                "unknown-excerpt",
                "unknown-collection",
                "invalid-request",
                "damaged",
                "timeout",
                "busy",
                "decoders-down",
                "not-ready",
                "disk-full",
            ),
        },
    )
    router.add_api_route("/preview", get_preview, methods=["HEAD"], include_in_schema=False)
    router.add_api_route(
        "/similar",
        _similar_operation(settings, spaces),
        methods=["GET"],
        operation_id="get_similar",
        responses=problems(
            "unknown-item",
            "unknown-collection",
            "no-embedding",
            "invalid-request",
            "unknown-space",
            "not-ready",
        ),
    )
    return router


def get_media(engine: EngineDep, item: ItemDep, if_none_match: _IfNoneMatch = None) -> Response:
    """Read the file of an item; `Range` requests are answered, so players can seek."""
    etag = f'"{item.sha256}"'
    if _is_known(etag, if_none_match):
        return Response(status_code=304, headers={"ETag": etag})
    shown = _SHOWN_IN_BROWSER.match(item.media_type) is not None
    return StoredFile(
        engine.collection.media_path(item),
        media_type=item.media_type,
        filename=_download_name(item),
        content_disposition_type="inline" if shown else "attachment",
        headers={
            "ETag": etag,
            "Cache-Control": _ONE_DAY,
            "Content-Security-Policy": _STORED_FILE_POLICY,
        },
    )


def get_preview(
    engine: EngineDep,
    previews: PreviewsDep,
    item: ItemDep,
    excerpt: Annotated[
        int | None,
        Query(ge=1, le=2**31 - 1, description="`position` of an excerpt: shows that part only."),
    ] = None,
    if_none_match: _IfNoneMatch = None,
) -> Response:
    """See an item: spectrogram, frames, thumbnail or engraved staff as PNG; lyrics as text."""
    found = None if excerpt is None else engine.collection.excerpt(item, excerpt)
    if excerpt is not None and found is None:
        raise ProblemError("unknown-excerpt", f"Item {item.id} has no excerpt {excerpt}")
    part = "" if found is None else f"-{found.position}"
    etag = f'"preview-{item.sha256}{part}"'
    if _is_known(etag, if_none_match):
        return Response(status_code=304, headers={"ETag": etag})
    preview = previews.of(item, found)
    return StoredFile(
        preview.path,
        media_type=preview.media_type,
        headers={"ETag": etag, "Cache-Control": _ONE_DAY},
    )


def _similar_operation(settings: Settings, spaces: list[str]) -> Callable[..., SearchAnswerBody]:
    def get_similar(
        engine: EngineDep,
        item: ItemDep,
        target: Annotated[Modality, Query(description="What to look for.")],
        asked: Annotated[SearchOptions, Depends(search_options(settings, spaces))],
        include_self: Annotated[
            bool, Query(description="Whether the item itself may be a result.")
        ] = False,
    ) -> SearchAnswerBody:
        """Find the items nearest to a stored item, by its stored embedding."""
        answer = engine.similar(item, target, asked, include_self=include_self)
        return search_answer(answer, engine.name)

    return get_similar


def _is_known(etag: str, if_none_match: str | None) -> bool:
    known = {tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")}
    return etag in known


def _download_name(item: Item) -> str:
    name = _UNSAFE_IN_NAME.sub("_", item.title).strip(" .")[:80]
    return (name or item.id) + item.suffix
