"""Open audio and video containers with PyAV, from memory and for one named container only.

Naming the demuxer and handing over bytes instead of a path or URL keeps FFmpeg from following
playlists or references to other files.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, cast

import av
from av.audio.stream import AudioStream
from av.stream import Disposition
from av.video.stream import VideoStream

from models.errors import MediaError
from models.media.formats import MediaFormat

if TYPE_CHECKING:
    from av.codec.context import CodecContext
    from av.container.input import InputContainer

av.logging.set_libav_level(av.logging.PANIC)

# What PyAV raises on damaged content; FFmpeg's own errors, and those of its Python wrapper.
DECODE_FAILURES = (
    av.error.FFmpegError,
    ArithmeticError,
    AssertionError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)


@contextmanager
def open_container(data: bytes, media_format: MediaFormat) -> Iterator["InputContainer"]:
    """Open a file for reading and close it at the end.

    Raises:
        MediaError: ``damaged`` when FFmpeg cannot open it.
    """
    try:
        container = av.open(
            BytesIO(data), mode="r", format=media_format.demuxer, metadata_errors="replace"
        )
    except DECODE_FAILURES as error:
        raise MediaError(
            "damaged", f"expected a whole {media_format.name} file, it does not open: {error}"
        ) from None
    try:
        yield container
    finally:
        container.close()


def picture_stream(container: "InputContainer") -> VideoStream | None:
    """Return the first stream of moving pictures; cover art does not count.

    Raises:
        MediaError: ``unsupported`` when nothing decodes that stream.
    """
    for stream in container.streams:
        if isinstance(stream, VideoStream) and not stream.disposition & Disposition.attached_pic:
            _refuse_unknown_codec(stream, "picture")
            return stream
    return None


def sound_stream(container: "InputContainer") -> AudioStream | None:
    """Return the first sound track.

    Raises:
        MediaError: ``unsupported`` when nothing decodes that track.
    """
    for stream in container.streams:
        if isinstance(stream, AudioStream):
            _refuse_unknown_codec(stream, "sound")
            return stream
    return None


def _refuse_unknown_codec(stream: AudioStream | VideoStream, content: str) -> None:
    # PyAV gives None for a codec that FFmpeg does not know; its type stubs do not say so.
    if cast("CodecContext | None", stream.codec_context) is None:
        raise MediaError(
            "unsupported", f"expected {content} in a codec that FFmpeg decodes, got an unknown one"
        )


def has_picture(data: bytes, media_format: MediaFormat) -> bool:
    """Whether a container holds moving pictures.

    Raises:
        MediaError: ``damaged`` when it does not open or holds neither picture nor sound.
    """
    with open_container(data, media_format) as container:
        if picture_stream(container) is not None:
            return True
        if sound_stream(container) is not None:
            return False
    raise MediaError(
        "damaged", f"expected picture or sound in the {media_format.name} file, got neither"
    )


def declared_seconds(
    container: "InputContainer", stream: AudioStream | VideoStream
) -> float | None:
    """Duration that the header states for a stream, or None where it states nothing exact.

    ADTS has no header: FFmpeg guesses its duration from the bit rate.
    """
    if container.format.name == "aac":
        return None
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    if container.duration is not None:
        return container.duration / av.time_base
    return None
