"""A file of the collection as a response: one that is gone is a 404, a senseless range is none."""

import re
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse
from starlette.types import Message, Receive, Scope, Send

from service.errors import ProblemError

# Longer numbers are larger than any file, and Python refuses to read those of 4300 digits.
_RANGE = re.compile(r"([0-9]{1,18})-([0-9]{0,18})|-[0-9]{1,18}")


class StoredFile(FileResponse):
    """A ``FileResponse`` for a file that a DELETE may take away at any moment.

    Nothing is sent before the file is open, so that a file that is gone becomes ``unknown-item``.
    A ``Range`` header that RFC 9110 calls invalid is ignored, as it asks.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file.

        Raises:
            ProblemError: ``unknown-item`` when the file is not there and nothing was sent yet.
        """
        held: list[Message] = []

        async def send_when_open(message: Message) -> None:
            if message["type"] == "http.response.start":
                held.append(message)
                return
            while held:
                await send(held.pop())
            await send(message)

        try:
            await super().__call__(_without_invalid_range(scope), receive, send_when_open)
        except (FileNotFoundError, RuntimeError):
            # Starlette makes a RuntimeError of a file that it does not find at first sight.
            if await run_in_threadpool(Path(self.path).is_file):
                raise
            raise ProblemError("unknown-item", f"The file of {scope['path']} is gone") from None


def is_valid_range(header: str) -> bool:
    """Tell whether a ``Range`` header is one of bytes by RFC 9110, section 14.1.

    Example:
        >>> is_valid_range("bytes=0-99, -5"), is_valid_range("bytes=5-2")
        (True, False)
    """
    unit, _, listed = header.partition("=")
    parts = [part.strip() for part in listed.split(",") if part.strip()]
    return unit.strip().lower() == "bytes" and bool(parts) and all(map(_is_valid_part, parts))


def _is_valid_part(part: str) -> bool:
    match = _RANGE.fullmatch(part)
    if match is None:
        return False
    first, last = match.groups()
    return not last or int(first) <= int(last)


def _without_invalid_range(scope: Scope) -> Scope:
    headers = scope["headers"]
    kept = [
        (name, value)
        for name, value in headers
        if name.lower() != b"range" or is_valid_range(value.decode("latin-1"))
    ]
    return scope if len(kept) == len(headers) else {**scope, "headers": kept}
