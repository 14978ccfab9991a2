"""What a client sent, as bytes in memory when small and as a file on disk when not."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fastapi import UploadFile

from service.errors import ProblemError
from service.settings import Settings

_CHUNK_BYTES = 1 << 20


@contextmanager
def received(
    upload: UploadFile | None, text: str | None, settings: Settings
) -> Iterator[bytes | Path]:
    """Give the content of exactly one of a file and a text field; a file on disk is removed after.

    Args:
        upload: The part named ``file``.
        text: The field named ``text``.
        settings: Where to keep a large file meanwhile, and how large it may be.

    Raises:
        ProblemError: ``invalid-request`` for both or neither, ``empty``, or ``too-large``.
    """
    if text is not None and upload is not None:
        raise ProblemError("invalid-request", "Expected either 'file' or 'text', got both")
    if text is not None:
        yield _checked_text(text, settings)
        return
    if upload is None:
        raise ProblemError("invalid-request", "Expected either 'file' or 'text', got neither")
    size = _size(upload)
    if size == 0:
        raise ProblemError("empty", "The file has no bytes")
    if size > settings.max_upload_bytes:
        limit = settings.max_upload_bytes
        raise ProblemError("too-large", f"The file has {size} bytes; at most {limit} are read")
    if size <= _CHUNK_BYTES:
        yield upload.file.read()
        return
    settings.uploads_folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=settings.uploads_folder) as file:
        shutil.copyfileobj(upload.file, file, _CHUNK_BYTES)
        file.flush()
        yield Path(file.name)


def remove_leftovers(settings: Settings) -> int:
    """Delete uploads that a killed server left behind, and return how many there were."""
    files = [path for path in settings.uploads_folder.glob("*") if path.is_file()]
    for path in files:
        path.unlink(missing_ok=True)
    return len(files)


def _size(upload: UploadFile) -> int:
    size = upload.file.seek(0, 2)
    upload.file.seek(0)
    return size


def _checked_text(text: str, settings: Settings) -> bytes:
    data = text.encode("utf-8", errors="replace")
    if not text.strip():
        raise ProblemError("empty", "The text has no characters")
    if len(data) > settings.max_upload_bytes:
        limit = settings.max_upload_bytes
        raise ProblemError("too-large", f"The text has {len(data)} bytes; at most {limit} are read")
    return data
