"""Bytes to moving pictures: frames at a stated rate, made small while decoding."""

from collections.abc import Iterator
from dataclasses import dataclass

import av
import numpy as np
from av.video.reformatter import Interpolation
from av.video.stream import VideoStream

from models.errors import MediaError
from models.media.container import (
    DECODE_FAILURES,
    declared_seconds,
    open_container,
    picture_stream,
)
from models.media.formats import MediaFormat
from models.media.limits import MediaLimits
from models.types import UInt8Array, Video

FRAME_RATE_HZ = 8.0
LONGER_SIDE_PIXELS = 160
_DEFAULT_SOURCE_RATE_HZ = 25.0


@dataclass(frozen=True, slots=True)
class _Shot:
    """A decoded frame and the moment it appears, counted from the first frame."""

    frame: av.VideoFrame
    second: float


def decode_video(
    data: bytes,
    media_format: MediaFormat,
    limits: MediaLimits,
    *,
    frame_rate_hz: float = FRAME_RATE_HZ,
    longer_side_pixels: int = LONGER_SIDE_PIXELS,
) -> Video:
    """Decode the picture of a video, sampled at an even rate by its time stamps.

    Frame k is what a viewer sees k / ``frame_rate_hz`` seconds after the first frame. A file that
    breaks off is accepted with the frames before the break; it is damaged only if none decodes.

    Args:
        data: The whole file.
        media_format: What ``sniff.identify`` said.
        limits: ``max_seconds`` and ``max_pixels`` apply to the header and again while decoding.
        frame_rate_hz: Sampled frames per second.
        longer_side_pixels: Larger frames are scaled down to this length, smaller ones stay.

    Returns:
        Upright frames (T, rows, columns, 3), transparency laid over white.

    Raises:
        MediaError: ``mislabelled`` without a picture, ``damaged`` when no frame decodes,
            ``too_large`` for a long or large video.
    """
    with open_container(data, media_format) as container:
        stream = picture_stream(container)
        if stream is None:
            raise MediaError(
                "mislabelled", f"expected a video, got a {media_format.name} file without picture"
            )
        _refuse_long(declared_seconds(container, stream) or 0.0, limits)
        _refuse_large(stream.codec_context.width, stream.codec_context.height, limits)
        scaler = _Scaler(longer_side_pixels)
        frames = [
            scaler.pixels(frame)
            for frame in _sampled(container.decode(stream), stream, frame_rate_hz, limits)
        ]
    if not frames:
        raise MediaError(
            "damaged", f"expected a {media_format.name} video, not one frame of it decodes"
        )
    return Video(np.stack(frames), frame_rate_hz)


def _sampled(
    decoded: Iterator[av.VideoFrame],
    stream: VideoStream,
    frame_rate_hz: float,
    limits: MediaLimits,
) -> Iterator[av.VideoFrame]:
    """Yield for each sampling time the frame on show; a frame may be yielded more than once."""
    shown: _Shot | None = None
    n_sampled = 0
    source_rate_hz = float(stream.average_rate or _DEFAULT_SOURCE_RATE_HZ)
    for shot in _shots(decoded, source_rate_hz, limits):
        while shown is not None and n_sampled / frame_rate_hz < shot.second:
            yield shown.frame
            n_sampled += 1
        shown = shot
    if shown is None:
        return
    end = shown.second + _frame_seconds(shown.frame, source_rate_hz, limits)
    while n_sampled == 0 or n_sampled / frame_rate_hz < end:
        yield shown.frame
        n_sampled += 1


def _shots(
    decoded: Iterator[av.VideoFrame], source_rate_hz: float, limits: MediaLimits
) -> Iterator[_Shot]:
    """Yield frames with times that never run backwards; end silently where decoding breaks."""
    origin: float | None = None
    second = 0.0
    for n_decoded, frame in enumerate(_until_broken(decoded)):
        _refuse_large(frame.width, frame.height, limits)
        stamp = n_decoded / source_rate_hz if frame.pts is None else frame.time
        origin = stamp if origin is None else origin
        second = max(second, stamp - origin)
        _refuse_long(second, limits)
        yield _Shot(frame, second)


def _until_broken(decoded: Iterator[av.VideoFrame]) -> Iterator[av.VideoFrame]:
    while True:
        try:
            frame = next(decoded, None)
        except DECODE_FAILURES:
            return
        if frame is None:
            return
        yield frame


def _frame_seconds(frame: av.VideoFrame, source_rate_hz: float, limits: MediaLimits) -> float:
    """How long the last frame stays, at most the limit: a lying header must not fill memory."""
    seconds = 1.0 / source_rate_hz
    if frame.duration and frame.time_base is not None:
        seconds = float(frame.duration * frame.time_base)
    return min(max(seconds, 0.0), limits.max_seconds)


class _Scaler:
    """Turns frames into upright small RGB arrays, all of the size that the first one got."""

    def __init__(self, longer_side_pixels: int) -> None:
        self._longer_side = longer_side_pixels
        self._size: tuple[int, int] | None = None  # (width, height)
        self._last: tuple[av.VideoFrame, UInt8Array] | None = None

    def pixels(self, frame: av.VideoFrame) -> UInt8Array:
        """RGB values (rows, columns, 3) of a frame; repeats of a frame are converted once."""
        if self._last is None or self._last[0] is not frame:
            self._last = (frame, self._convert(frame))
        return self._last[1]

    def _convert(self, frame: av.VideoFrame) -> UInt8Array:
        if self._size is None:
            self._size = _fit(frame.width, frame.height, self._longer_side)
            self._rotation = frame.rotation
        width, height = self._size
        has_alpha = any(component.is_alpha for component in frame.format.components)
        scaled = frame.reformat(
            width=width,
            height=height,
            format="rgba" if has_alpha else "rgb24",
            interpolation=Interpolation.AREA,
        )
        pixels = scaled.to_ndarray().astype(np.uint8, copy=False)  # (rows, columns, 3 or 4)
        upright = np.rot90(pixels, k=round(self._rotation / 90) % 4)
        return np.ascontiguousarray(_over_white(upright) if has_alpha else upright)


def _over_white(pixels: UInt8Array) -> UInt8Array:
    """Lay (rows, columns, 4) over white paper, in whole numbers so that every machine agrees."""
    alpha = pixels[..., 3:].astype(np.uint32)
    mixed = pixels[..., :3] * alpha + 255 * (255 - alpha)
    return ((mixed + 127) // 255).astype(np.uint8)


def _fit(width: int, height: int, longer_side: int) -> tuple[int, int]:
    scale = min(1.0, longer_side / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _refuse_long(seconds: float, limits: MediaLimits) -> None:
    if seconds > limits.max_seconds:
        raise MediaError(
            "too_large",
            f"expected at most {limits.max_seconds:g} s of video, got {seconds:.1f} s or more",
        )


def _refuse_large(width: int, height: int, limits: MediaLimits) -> None:
    if width * height > limits.max_pixels:
        raise MediaError(
            "too_large",
            f"expected video frames of at most {limits.max_pixels} pixels, got {width} x {height}",
        )
