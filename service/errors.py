"""Every failure as RFC 9457 problem details: a stable type, a status, and what to do about it."""

import errno
import logging
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from models.errors import DataError, KyomeiError, MediaError

_logger = logging.getLogger(__name__)

PROBLEM_MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:kyomei:error:"


@dataclass(frozen=True, slots=True)
class Problem:
    """One kind of failure.

    Attributes:
        status: HTTP status.
        title: The same short words for every occurrence.
        advice: Appended to the detail: what the caller can do.
    """

    status: int
    title: str
    advice: str = ""


PROBLEMS: dict[str, Problem] = {
    "bad-request": Problem(400, "The request could not be read"),
    "untrusted-host": Problem(
        400, "Unknown host name", "Add the name to KYOMEI_ALLOWED_HOSTS to serve it."
    ),
    "cross-site": Problem(
        403, "Request from another site", "Call the service from its own page or from a program."
    ),
    "not-found": Problem(404, "No such address", "See /docs for what is served."),
    "unknown-collection": Problem(404, "No such collection", "GET /collections lists them."),
    "unknown-item": Problem(404, "No such item", "GET /items lists the items."),
    "unknown-excerpt": Problem(
        404, "No such excerpt", "Take the address of a preview from an answer."
    ),
    "unknown-pair": Problem(404, "No loaded space covers this pair", "GET /spaces lists them."),
    "no-embedding": Problem(
        404,
        "The item is in no such space",
        "Choose another target or space; GET /spaces lists them.",
    ),
    "method-not-allowed": Problem(405, "Method not allowed", "See /docs for what is served."),
    "too-large": Problem(413, "Over a limit", "Send less, or raise the limit (KYOMEI_MAX_...)."),
    "unsupported": Problem(
        415, "Not a type that is read", "/docs lists the file types of each search."
    ),
    "mislabelled": Problem(
        415, "Another modality than asked for", "Send the file to the address of its own modality."
    ),
    "invalid-request": Problem(422, "A parameter is missing or out of range"),
    "unknown-space": Problem(422, "No such space for this request", "GET /spaces lists them."),
    "empty": Problem(422, "Nothing was sent", "Send a file or text with content."),
    "damaged": Problem(
        422, "The file does not decode", "Check that it opens elsewhere, then send it again."
    ),
    "timeout": Problem(
        422,
        "Decoding took too long",
        "Send a shorter or simpler file, or raise KYOMEI_DECODE_TIMEOUT_SECONDS.",
    ),
    "internal": Problem(500, "Internal error", "The log of the service has the cause."),
    "busy": Problem(503, "All workers are busy", "Try again in a few seconds."),
    "decoders-down": Problem(
        503,
        "Files cannot be read at the moment",
        "Stored items still answer (GET /items/{id}/similar); the log has the cause.",
    ),
    "not-ready": Problem(503, "The service is not ready", "Ask /health/ready until it is."),
    "disk-full": Problem(507, "No space left on the disk", "Free space where KYOMEI_DATA lies."),
}
"""The whole catalogue: the last part of ``type`` -> what it means. ``docs/api.md`` repeats it."""

_DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
# Starlette ends a form with a 400 of these words when a field without file name passes 1 MiB.
_FIELD_TOO_LARGE = "exceeded maximum size"
_BY_STATUS = {404: "not-found", 405: "method-not-allowed", 413: "too-large"}


class ProblemError(KyomeiError):
    """A failure that has its own entry in ``PROBLEMS``.

    Attributes:
        name: Key of ``PROBLEMS``.
        detail: What happened this time: what was expected and what came.
    """

    def __init__(self, name: str, detail: str) -> None:
        super().__init__(detail)
        self.name = name
        self.detail = detail


def problem_response(
    name: str,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    errors: list[dict[str, str]] | None = None,
) -> JSONResponse:
    """Shape one failure.

    Args:
        name: Key of ``PROBLEMS``.
        detail: What happened; the advice of the problem is appended.
        headers: Added to the response.
        errors: For ``invalid-request``: where and why, one entry per parameter.
    """
    problem = PROBLEMS[name]
    body: dict[str, Any] = {
        "type": TYPE_PREFIX + name,
        "title": problem.title,
        "status": problem.status,
        "detail": f"{detail.rstrip('.')}. {problem.advice}".strip(),
    }
    if errors:
        body["errors"] = errors
    sent = dict(headers or {})
    if problem.status == 503:
        sent.setdefault("Retry-After", "2")
    return JSONResponse(body, problem.status, headers=sent, media_type=PROBLEM_MEDIA_TYPE)


def install_handlers(app: FastAPI) -> None:
    """Make every failure of ``app`` a problem response."""
    app.exception_handler(ProblemError)(_on_problem)
    app.exception_handler(MediaError)(_on_media_error)
    app.exception_handler(DataError)(_on_data_error)
    app.exception_handler(KyomeiError)(_on_kyomei_error)
    app.exception_handler(RequestValidationError)(_on_invalid_request)
    app.exception_handler(HTTPException)(_on_http_exception)
    app.exception_handler(Exception)(_on_unexpected)


async def _on_problem(_: Request, error: ProblemError) -> JSONResponse:
    return problem_response(error.name, error.detail)


async def _on_media_error(_: Request, error: MediaError) -> JSONResponse:
    return problem_response(error.reason.replace("_", "-"), str(error))


async def _on_data_error(_: Request, error: DataError) -> JSONResponse:
    return problem_response("invalid-request", str(error))


async def _on_kyomei_error(request: Request, error: KyomeiError) -> JSONResponse:
    """Everything else that was raised on purpose, a full disk for one."""
    if not _is_disk_full(error):
        _logger.error("%s %s", request.method, request.url.path, exc_info=error)
    return await _on_unexpected(request, error)


async def _on_invalid_request(_: Request, error: RequestValidationError) -> JSONResponse:
    errors = [
        {"location": ".".join(map(str, entry["loc"])), "message": _message(str(entry["msg"]))}
        for entry in error.errors()
    ]
    detail = "; ".join(f"{entry['location']}: {entry['message']}" for entry in errors)
    return problem_response("invalid-request", detail, errors=errors)


def _message(told: str) -> str:
    """Say in words for people what FastAPI says of a text where a file belongs."""
    if "Expected UploadFile" in told:
        return "expected a file upload, got a plain text field (with curl: -F file=@NAME)"
    return told


async def _on_http_exception(request: Request, error: HTTPException) -> JSONResponse:
    if _is_disk_full(error):
        return problem_response("disk-full", "The upload could not be stored")
    name = _BY_STATUS.get(error.status_code, "bad-request")
    detail = f"{request.method} {request.url.path}: {error.detail}"
    if name == "bad-request" and _FIELD_TOO_LARGE in str(error.detail):
        name, detail = "too-large", f"{detail.rstrip('.')} for a form field; send it as a file"
    return problem_response(name, detail, headers=error.headers)


async def _on_unexpected(_: Request, error: Exception) -> JSONResponse:
    """Answer without the stack trace; the server's log gets it, since Starlette raises again."""
    if _is_disk_full(error):
        return problem_response("disk-full", "The request could not be stored")
    _logger.error("unexpected %s: %s", type(error).__name__, error)
    return problem_response("internal", "The request could not be answered")


def _is_disk_full(error: BaseException) -> bool:
    return any(
        (isinstance(cause, OSError) and cause.errno in _DISK_FULL)
        or getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        for cause in _causes(error)
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
