"""``/items``: list, add, read and delete what the collection holds."""

import re
import unicodedata
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Depends, File, Form, Query, Response, UploadFile
from pydantic import AfterValidator, Field, Json

from models.types import Modality
from service.captions import Caption, title_of_file
from service.catalog.records import Filter
from service.dependencies import EngineDep, ItemDep, PreviewsDep
from service.errors import ProblemError
from service.ingest import new_item
from service.routes.answers import item_answer, problems
from service.routes.filters import FilterTexts, parse_filter
from service.schemas import ItemAnswer, ItemPage
from service.uploads import received

router = APIRouter(prefix="/items", tags=["items"])
_ADD_PROBLEMS = (
    "unknown-collection",
    "too-large",
    "unsupported",
    "mislabelled",
    "invalid-request",
    "empty",
    "damaged",
    "timeout",
    "busy",
    "decoders-down",
    "not-ready",
    "disk-full",
)
_MAX_TAGS = 64
_MAX_TAG_CHARACTERS = 100
_Text = Annotated[str, Field(max_length=500)]
# What ``filter`` and the query of a list mean by these words is not in the metadata.
_RESERVED_KEYS = frozenset({"label", "title", "work_id", "modality", "tag", "created_at"})


def _metadata_key(key: str) -> str:
    """Refuse a key that is reserved or that nobody could type."""
    if key in _RESERVED_KEYS:
        raise ValueError(f"expected a key other than {', '.join(sorted(_RESERVED_KEYS))}")
    if any(unicodedata.category(character) == "Cc" for character in key):
        raise ValueError("expected a key without control characters")
    return key


_Key = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_metadata_key)]
_Metadata = Annotated[dict[_Key, bool | int | float | _Text], Field(max_length=64)]


@dataclass(frozen=True, slots=True)
class ItemFields:
    """The form fields that may come with a new item."""

    modality: Modality | None
    title: str | None
    label: str | None
    work_id: str | None
    metadata: dict[str, bool | int | float | str]
    tags: tuple[str, ...]


def _tags(text: str) -> tuple[str, ...]:
    """Read words separated by commas."""
    return tuple(sorted({part.strip() for part in text.split(",")} - {""}))


def _checked_tags(text: str) -> str:
    """Refuse too many or too long tags, or such as nobody could type."""
    tags = _tags(text)
    if len(tags) > _MAX_TAGS or any(len(tag) > _MAX_TAG_CHARACTERS for tag in tags):
        raise ValueError(f"expected at most {_MAX_TAGS} tags of {_MAX_TAG_CHARACTERS} characters")
    if any(unicodedata.category(character) == "Cc" for character in text):
        raise ValueError("expected tags without control characters")
    return text


def item_fields(
    modality: Annotated[
        Modality | None, Form(description="Judged by the content when left out.")
    ] = None,
    title: Annotated[
        _Text | None, Form(description="The file name or first line when left out.")
    ] = None,
    label: Annotated[_Text | None, Form(description="Class, if known.")] = None,
    work_id: Annotated[
        _Text | None, Form(description="Shared by items that belong together.")
    ] = None,
    metadata: Annotated[
        Json[_Metadata] | None,
        Form(
            description="A JSON object of text, numbers, true or false. What is measured "
            "(`duration_seconds`, `width`, ...) is added and wins."
        ),
    ] = None,
    tags: Annotated[
        str,
        Form(
            description=f"Words separated by commas, at most {_MAX_TAGS}, for `filter=tag:...`.",
            max_length=_MAX_TAGS * (_MAX_TAG_CHARACTERS + 1),
        ),
        AfterValidator(_checked_tags),
    ] = "",
) -> ItemFields:
    """Read the form fields of a new item; empty ones count as left out."""
    return ItemFields(
        modality, title or None, label or None, work_id or None, metadata or {}, _tags(tags)
    )


def item_filter(
    filters: FilterTexts,
    modality: Annotated[Modality | None, Query(description="Only this modality.")] = None,
) -> Filter:
    """Read the filter of a list of items."""
    told = parse_filter(filters)
    return replace(told, modality=modality)


def page_start(
    cursor: Annotated[
        str | None,
        Query(
            description="`next` of the page before: goes on behind its last item, whatever was "
            "added or deleted meanwhile.",
            max_length=20,
        ),
    ] = None,
) -> int:
    """Read the number of the item that a page starts behind, 0 for the first page."""
    if cursor is None:
        return 0
    if not re.fullmatch(r"[0-9]{1,18}", cursor):
        raise ProblemError(
            "invalid-request", f"cursor: expected `next` of the page before, got {cursor!r}"
        )
    return int(cursor)


@router.get(
    "",
    operation_id="list_items",
    responses=problems("unknown-collection", "invalid-request", "not-ready"),
)
def list_items(
    engine: EngineDep,
    wanted: Annotated[Filter, Depends(item_filter)],
    offset: Annotated[int, Query(ge=0, le=2**31)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    after: Annotated[int, Depends(page_start)] = 0,
) -> ItemPage:
    """List items in the order they were added, a page at a time."""
    items, total = engine.collection.items(wanted, offset, limit + 1, after=after)
    page = items[:limit]
    return ItemPage(
        total=total,
        offset=offset,
        items=[item_answer(item, engine.name) for item in page],
        next=str(page[-1].number) if len(items) > limit else None,
    )


@router.post(
    "",
    operation_id="add_item",
    status_code=201,
    responses={
        **problems(*_ADD_PROBLEMS),
        200: {"model": ItemAnswer, "description": "It was there already; nothing changed."},
    },
)
def add_item(
    engine: EngineDep,
    response: Response,
    fields: Annotated[ItemFields, Depends(item_fields)],
    file: Annotated[UploadFile | None, File(description="The media.")] = None,
    text: Annotated[str | None, Form(description="Lyrics, instead of a file.")] = None,
) -> ItemAnswer:
    """Add one file or text to the collection and to every space that covers its modality.

    The answer comes when the item is on disk. The same content again answers 200 with the item
    that is there.
    """
    caption = Caption(
        title=fields.title or title_of_file(file.filename if file else None),
        label=fields.label,
        work_id=fields.work_id,
        metadata=fields.metadata,
    )
    with received(file, text, engine.settings) as source:
        modality = fields.modality or (Modality.LYRICS if file is None else None)
        new = new_item(engine.embedder, source, modality, caption)
        item, created = engine.collection.add(replace(new, tags=fields.tags))
    answer = item_answer(item, engine.name)
    response.status_code = 201 if created else 200
    response.headers["Location"] = answer.media_url.replace("/media", "", 1)
    return answer


def get_item(engine: EngineDep, item: ItemDep) -> ItemAnswer:
    """Read one item."""
    return item_answer(item, engine.name)


def delete_item(engine: EngineDep, previews: PreviewsDep, item: ItemDep) -> None:
    """Forget one item: its media, vectors and preview."""
    engine.collection.delete(item.id)
    previews.forget(item)


router.add_api_route(
    "/{item_id}",
    get_item,
    methods=["GET"],
    operation_id="get_item",
    responses=problems("unknown-item", "unknown-collection", "not-ready"),
)
router.add_api_route(
    "/{item_id}",
    delete_item,
    methods=["DELETE"],
    operation_id="delete_item",
    status_code=204,
    responses=problems("unknown-item", "unknown-collection", "not-ready"),
)
