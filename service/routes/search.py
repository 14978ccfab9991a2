"""``POST /search/{source}-to-{target}``: an operation of its own for every pair that is served."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Form, UploadFile

from models.media.formats import formats_of
from models.types import Modality
from service.dependencies import EngineDep
from service.engine import SearchOptions
from service.errors import ProblemError
from service.routes.answers import problems, search_answer
from service.routes.examples import SEARCH_EXAMPLE, curl_line
from service.routes.parameters import search_options
from service.schemas import SearchAnswerBody
from service.settings import Settings
from service.uploads import received

_PROBLEMS = (
    "unknown-collection",
    "too-large",
    "unsupported",
    "mislabelled",
    "invalid-request",
    "unknown-space",
    "empty",
    "damaged",
    "timeout",
    "busy",
    "decoders-down",
    "not-ready",
    "disk-full",
)


def search_router(
    settings: Settings, pairs: Mapping[tuple[Modality, Modality], Sequence[str]]
) -> APIRouter:
    """Make one operation for every pair, and a 404 that names them for any other.

    Args:
        settings: Limits of the parameters.
        pairs: (source, target) -> names of the spaces that cover it.
    """
    router = APIRouter(prefix="/search", tags=["search"])
    for (source, target), spaces in pairs.items():
        make = _lyrics_operation if source is Modality.LYRICS else _file_operation
        router.add_api_route(
            f"/{source}-to-{target}",
            make(source, target, search_options(settings, spaces)),
            methods=["POST"],
            operation_id=f"search_{source}_to_{target}",
            summary=f"Find {target} by {source}",
            description=_description(source, target, spaces),
            response_model=SearchAnswerBody,
            response_model_exclude_none=False,
            responses={**problems(*_PROBLEMS), 200: SEARCH_EXAMPLE},
        )
    served = ", ".join(f"{source}-to-{target}" for source, target in pairs)

    def unknown_pair(pair: str) -> None:
        raise ProblemError(
            "unknown-pair", f"Expected POST /search/ and one of {served}; got {pair[:80]!r}"
        )

    router.add_api_route("/{pair}", unknown_pair, methods=["POST"], include_in_schema=False)
    return router


def _file_operation(
    source: Modality, target: Modality, options: Callable[..., SearchOptions]
) -> Callable[..., Any]:
    def search(
        engine: EngineDep,
        file: Annotated[UploadFile, File(description=_accepted(source))],
        asked: Annotated[SearchOptions, Depends(options)],
    ) -> SearchAnswerBody:
        with received(file, None, engine.settings) as query:
            return search_answer(engine.search(query, source, target, asked), engine.name)

    return search


def _lyrics_operation(
    source: Modality, target: Modality, options: Callable[..., SearchOptions]
) -> Callable[..., Any]:
    def search(
        engine: EngineDep,
        asked: Annotated[SearchOptions, Depends(options)],
        file: Annotated[UploadFile | None, File(description="A text file.")] = None,
        text: Annotated[
            str | None, Form(description="Words of a song.", examples=["Freude, schöner"])
        ] = None,
    ) -> SearchAnswerBody:
        with received(file, text, engine.settings) as query:
            return search_answer(engine.search(query, source, target, asked), engine.name)

    return search


def _description(source: Modality, target: Modality, spaces: Sequence[str]) -> str:
    return (
        f"The {target} items nearest to one {source} query, best first.\n\n"
        f"Send {_accepted(source)}. Type and damage are judged by the content, not the name. "
        f"Spaces that cover this pair: {', '.join(spaces)}.\n\n"
        f"```sh\n{curl_line(source, target)}\n```"
    )


def _accepted(source: Modality) -> str:
    if source is Modality.LYRICS:
        return "the field `text` or a text file"
    also = " (of a film, its sound track)" if source is Modality.AUDIO else ""
    return f"one of {', '.join(formats_of(source))}{also}"
