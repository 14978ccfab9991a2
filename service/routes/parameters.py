"""Query parameters that several addresses share."""

from collections.abc import Callable, Sequence
from typing import Annotated

from fastapi import Query

from service.catalog.records import Filter
from service.engine import SearchOptions
from service.errors import ProblemError
from service.settings import Settings

FilterTexts = Annotated[
    list[str],
    Query(
        default_factory=list,
        alias="filter",
        max_length=16,
        description="`key:value`, may be repeated; every one must hold. "
        "Keys: `label`, `work_id`, `title` (part of it), or any metadata key.",
        examples=[["label:rain"]],
    ),
]


def parse_filter(texts: Sequence[str]) -> Filter:
    """Read ``key:value`` texts.

    Raises:
        ProblemError: ``invalid-request`` for a text without a key or a key given twice.

    Example:
        >>> parse_filter(["label:rain", "tempo:120"]).metadata
        {'tempo': '120'}
    """
    pairs: dict[str, str] = {}
    for text in texts:
        key, colon, value = text.partition(":")
        if not colon or not key:
            raise ProblemError("invalid-request", f"filter: expected key:value, got {text[:80]!r}")
        if key in pairs:
            raise ProblemError("invalid-request", f"filter: the key {key[:80]!r} was given twice")
        pairs[key] = value
    return Filter(
        label=pairs.pop("label", None),
        work_id=pairs.pop("work_id", None),
        title=pairs.pop("title", None),
        metadata=pairs,
    )


def search_options(settings: Settings, spaces: Sequence[str]) -> Callable[..., SearchOptions]:
    """Make the dependency that reads the parameters of a search.

    Args:
        settings: Largest k and offset.
        spaces: Names to offer in the documentation.
    """

    def read(
        k: Annotated[
            int, Query(ge=1, le=settings.max_k, description="Most results.", examples=[5])
        ] = min(10, settings.max_k),
        offset: Annotated[
            int, Query(ge=0, le=settings.max_offset, description="Results to leave out.")
        ] = 0,
        space: Annotated[
            str | None,
            Query(
                description=f"One of: {', '.join(spaces)}. The first that fits when left out.",
                max_length=200,
            ),
        ] = None,
        min_score: Annotated[
            float | None,
            Query(ge=-1.0, le=1.0, description="Leave out results that score lower."),
        ] = None,
        *,
        filters: FilterTexts,
    ) -> SearchOptions:
        return SearchOptions(
            k=k, offset=offset, space=space, min_score=min_score, filter=parse_filter(filters)
        )

    return read
