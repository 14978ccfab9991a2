"""Query parameters that several addresses share."""

from collections.abc import Callable, Sequence
from typing import Annotated, Literal

from fastapi import Query

from models.errors import DataError
from service.collection.paging import Cursor, parse_cursor
from service.engine import SearchOptions
from service.routes.filters import FilterTexts, parse_filter
from service.settings import Settings


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
        group_by: Annotated[
            Literal["work"] | None,
            Query(description="`work`: only the best item of each work."),
        ] = None,
        cursor: Annotated[
            str | None,
            Query(
                description="`next` of the answer before: goes on where it ended, whatever was "
                "added or deleted meanwhile. The rest of the request stays the same.",
                max_length=100,
            ),
        ] = None,
        *,
        filters: FilterTexts,
    ) -> SearchOptions:
        return SearchOptions(
            k=k,
            offset=offset,
            space=space,
            min_score=min_score,
            filter=parse_filter(filters),
            cursor=_read_cursor(cursor, offset, settings.max_offset),
            one_per_work=group_by == "work",
        )

    return read


def _read_cursor(text: str | None, offset: int, max_rank: int) -> Cursor | None:
    if text is None:
        return None
    cursor = parse_cursor(text)
    if offset:
        raise DataError("cursor: expected no offset beside it, a cursor says where to start")
    if cursor.rank > max_rank:
        raise DataError(f"cursor: expected a rank of at most {max_rank}, got {cursor.rank}")
    return cursor
