"""``/items``: list, add, read and delete what the collection holds."""

import unicodedata
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, File, Form, Query, Response, UploadFile
from pydantic import AfterValidator, Field, Json

from models.types import Modality
from service.captions import Caption, title_of_file
from service.catalog.records import Filter
from service.dependencies import EngineDep, ItemDep, PreviewsDep
from service.ingest import new_item
from service.routes.answers import item_answer, problems
from service.routes.parameters import FilterTexts, parse_filter
from service.schemas import ItemAnswer, ItemPage
from service.uploads import received

router = APIRouter(prefix="/items", tags=["items"])
_ADD_PROBLEMS = (
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
_Text = Annotated[str, Field(max_length=500)]
# What ``filter`` and the query of a list mean by these words is not in the metadata.
_RESERVED_KEYS = frozenset({"label", "title", "work_id", "modality"})


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
) -> ItemFields:
    """Read the form fields of a new item; empty ones count as left out."""
    return ItemFields(modality, title or None, label or None, work_id or None, metadata or {})


def item_filter(
    filters: FilterTexts,
    modality: Annotated[Modality | None, Query(description="Only this modality.")] = None,
) -> Filter:
    """Read the filter of a list of items."""
    told = parse_filter(filters)
    return Filter(modality, told.work_id, told.label, told.title, told.metadata)


@router.get("", operation_id="list_items", responses=problems("invalid-request", "not-ready"))
def list_items(
    engine: EngineDep,
    wanted: Annotated[Filter, Depends(item_filter)],
    offset: Annotated[int, Query(ge=0, le=2**31)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> ItemPage:
    """List items in the order they were added, a page at a time."""
    items, total = engine.collection.items(wanted, offset, limit)
    return ItemPage(total=total, offset=offset, items=[item_answer(item) for item in items])


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
        item, created = engine.collection.add(new_item(engine.embedder, source, modality, caption))
    response.status_code = 201 if created else 200
    response.headers["Location"] = f"/items/{item.id}"
    return item_answer(item)


def get_item(item: ItemDep) -> ItemAnswer:
    """Read one item."""
    return item_answer(item)


def delete_item(engine: EngineDep, previews: PreviewsDep, item: ItemDep) -> None:
    """Forget one item: its media, vectors and preview."""
    engine.collection.delete(item.id)
    previews.forget(item)


router.add_api_route(
    "/{item_id}",
    get_item,
    methods=["GET"],
    operation_id="get_item",
    responses=problems("unknown-item", "not-ready"),
)
router.add_api_route(
    "/{item_id}",
    delete_item,
    methods=["DELETE"],
    operation_id="delete_item",
    status_code=204,
    responses=problems("unknown-item", "not-ready"),
)
