"""From what the engine returns to what the client reads."""

import dataclasses
from typing import Any

from models.types import Modality, Place
from service.catalog.records import Item
from service.engine import Ranked, SearchAnswer
from service.errors import PROBLEM_MEDIA_TYPE, PROBLEMS
from service.facts import MediaFacts
from service.schemas import (
    ExcerptAnswer,
    ItemAnswer,
    PlaceAnswer,
    QueryAnswer,
    ResultAnswer,
    SearchAnswerBody,
    TookAnswer,
)
from service.settings import DEFAULT_COLLECTION


def item_answer(item: Item, collection: str = DEFAULT_COLLECTION) -> ItemAnswer:
    """Shape one item of a collection; addresses are relative to the host."""
    query = "" if collection == DEFAULT_COLLECTION else f"?collection={collection}"
    return ItemAnswer(
        id=item.id,
        work_id=item.work_id,
        modality=item.modality,
        title=item.title,
        label=item.label,
        media_type=item.media_type,
        bytes=item.bytes,
        sha256=item.sha256,
        created_at=item.created_at,
        media_url=f"/items/{item.id}/media{query}",
        preview_url=f"/items/{item.id}/preview{query}",
        metadata=dict(item.metadata),
        tags=list(item.tags),
    )


def search_answer(answer: SearchAnswer, collection: str = DEFAULT_COLLECTION) -> SearchAnswerBody:
    """Shape the answer to a search in a collection."""
    return SearchAnswerBody(
        query=_query_answer(answer),
        space=answer.space,
        took_ms=TookAnswer(**answer.took_ms),
        results=[
            ResultAnswer(
                rank=hit.rank,
                score=hit.score,
                item=item_answer(hit.item, collection),
                excerpt=_excerpt_answer(hit, collection),
                query_excerpt=_place_answer(hit.query_place),
            )
            for hit in answer.results
        ],
        next=None if answer.next is None else str(answer.next),
    )


def _excerpt_answer(hit: Ranked, collection: str) -> ExcerptAnswer | None:
    if hit.excerpt is None:
        return None
    item = item_answer(hit.item, collection)
    place, position = hit.excerpt.place, hit.excerpt.position
    is_sound = hit.item.modality is Modality.AUDIO
    fragment = f"#t={place.start_seconds:g},{place.end_seconds:g}" if is_sound else ""
    sign = "&" if "?" in item.preview_url else "?"
    return ExcerptAnswer(
        position=position,
        media_url=item.media_url + fragment,
        preview_url=f"{item.preview_url}{sign}excerpt={position}",
        **dataclasses.asdict(place),
    )


def _place_answer(place: Place | None) -> PlaceAnswer | None:
    return None if place is None else PlaceAnswer(**dataclasses.asdict(place))


def _query_answer(answer: SearchAnswer) -> QueryAnswer:
    told: dict[str, Any] = {"typicality": answer.typicality, "note": answer.note}
    item = answer.query
    if isinstance(item, MediaFacts):
        return QueryAnswer(**dataclasses.asdict(item), **told)
    return QueryAnswer(
        modality=item.modality,
        media_type=item.media_type,
        sha256=item.sha256,
        bytes=item.bytes,
        item_id=item.id,
        **told,
    )


def problems(*names: str) -> dict[int | str, dict[str, Any]]:
    """Document failures of an operation; those of one status share an entry.

    Args:
        names: Keys of ``PROBLEMS``.
    """
    responses: dict[int | str, dict[str, Any]] = {}
    for name in names:
        problem = PROBLEMS[name]
        line = f"`{name}`: {problem.title}. {problem.advice}".strip()
        entry = responses.setdefault(
            problem.status,
            {
                "description": "",
                "content": {
                    PROBLEM_MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemAnswer"}}
                },
            },
        )
        entry["description"] = f"{entry['description']}\n\n{line}".strip()
    return responses
