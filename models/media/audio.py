"""Bytes to sound: WAV, FLAC, Ogg and MP3 by libsndfile, everything else by FFmpeg."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import av
import numpy as np
import soundfile
from numpy.typing import NDArray

from models.errors import MediaError
from models.media import ogg_pages, wave_header
from models.media.container import (
    DECODE_FAILURES,
    declared_seconds,
    open_container,
    picture_stream,
    sound_stream,
)
from models.media.formats import OGG, OPUS, WAV, MediaFormat
from models.media.limits import MediaLimits
from models.types import Audio, Float32Array

MIN_SAMPLE_RATE_HZ = 1_000
MAX_SAMPLE_RATE_HZ = 192_000
_BLOCK_SAMPLES = 2**18
# Encoders round the stated duration and add padding; a file cut by a tenth or more is refused.
_LEAST_SHARE_DECODED = 0.9


def decode_audio(data: bytes, media_format: MediaFormat, limits: MediaLimits) -> Audio:
    """Decode a sound, or the sound track of a video, to mono at its own sample rate.

    Args:
        data: The whole file.
        media_format: What ``sniff.identify`` said.
        limits: ``max_seconds`` applies to the stated duration and again while decoding.

    Returns:
        Samples (T,) in [-1, 1], the average of the channels.

    Raises:
        MediaError: ``mislabelled`` for a video without sound, ``damaged`` when it does not decode,
            is cut or holds NaN, ``too_large`` when it lasts too long, ``empty`` without samples.
    """
    if media_format is WAV:
        wave_header.check_complete(data)
    if media_format in (OGG, OPUS) and not ogg_pages.is_complete(data):
        raise MediaError("damaged", "expected whole Ogg pages up to the end, the file is cut")
    if media_format.demuxer is None:
        return _decode_with_libsndfile(data, media_format, limits)
    return _decode_with_ffmpeg(data, media_format, limits)


def _decode_with_libsndfile(data: bytes, media_format: MediaFormat, limits: MediaLimits) -> Audio:
    try:
        with soundfile.SoundFile(BytesIO(data)) as sound:
            rate_hz = _checked_rate(sound.samplerate)
            declared = sound.frames / rate_hz
            _refuse_long(declared, limits)
            samples = _collect(_soundfile_blocks(sound), rate_hz, limits)
    except DECODE_FAILURES as error:
        raise _damaged(media_format, error) from None
    _refuse_cut(len(samples) / rate_hz, declared)
    return _checked(samples, rate_hz)


def _soundfile_blocks(sound: soundfile.SoundFile) -> Iterator[Float32Array]:
    n_frames = max(1, _BLOCK_SAMPLES // sound.channels)
    while len(block := sound.read(n_frames, dtype="float32", always_2d=True)):  # (T, channels)
        yield _average(block, axis=1)


def _decode_with_ffmpeg(data: bytes, media_format: MediaFormat, limits: MediaLimits) -> Audio:
    with open_container(data, media_format) as container:
        stream = sound_stream(container)
        if stream is None:
            raise MediaError(
                "mislabelled", f"expected sound, got a {media_format.name} file without sound track"
            )
        declared = declared_seconds(container, stream)
        if declared is not None:
            _refuse_long(declared, limits)
        if stream.duration is None and picture_stream(container) is not None:
            declared = None  # Matroska states one duration: that of the longest stream
        try:
            # The rate of the frames, not of the header: HE-AAC doubles it while decoding.
            frames = container.decode(stream)
            first = next(frames, None)
            if first is None:
                raise _no_samples()
            rate_hz = _checked_rate(first.sample_rate)
            samples = _collect(_ffmpeg_blocks(first, frames), rate_hz, limits)
        except DECODE_FAILURES as error:
            raise _damaged(media_format, error) from None
    _refuse_cut(len(samples) / rate_hz, declared)
    return _checked(samples, rate_hz)


def _ffmpeg_blocks(first: av.AudioFrame, frames: Iterator[av.AudioFrame]) -> Iterator[Float32Array]:
    resampler = av.AudioResampler(format="fltp")  # keeps rate and channels
    frame: av.AudioFrame | None = first
    while frame is not None:
        for plain in resampler.resample(frame):
            yield _average(plain.to_ndarray(), axis=0)  # (channels, T) -> (T,)
        frame = next(frames, None)
    for plain in resampler.resample(None):
        yield _average(plain.to_ndarray(), axis=0)


def _average(block: NDArray[Any], *, axis: int) -> Float32Array:
    with np.errstate(over="ignore", invalid="ignore"):  # infinity is found and refused later
        return block.mean(axis=axis, dtype=np.float32)


def _collect(blocks: Iterator[Float32Array], rate_hz: int, limits: MediaLimits) -> Float32Array:
    """Join blocks; stop as soon as the sum exceeds the limit, whatever the header stated."""
    kept: list[Float32Array] = []
    n_samples = 0
    for block in blocks:
        kept.append(block)
        n_samples += len(block)
        _refuse_long(n_samples / rate_hz, limits)
    return np.concatenate(kept) if kept else np.zeros(0, np.float32)


def _checked(samples: Float32Array, rate_hz: int) -> Audio:
    if not len(samples):
        raise _no_samples()
    if not np.isfinite(samples).all():
        raise MediaError("damaged", "expected finite samples, got NaN or infinity")
    return Audio(np.clip(samples, -1.0, 1.0), rate_hz)


def _checked_rate(rate_hz: int) -> int:
    if not MIN_SAMPLE_RATE_HZ <= rate_hz <= MAX_SAMPLE_RATE_HZ:
        raise MediaError(
            "damaged",
            f"expected a sample rate of {MIN_SAMPLE_RATE_HZ} to {MAX_SAMPLE_RATE_HZ} Hz, "
            f"got {rate_hz} Hz",
        )
    return rate_hz


def _refuse_long(seconds: float, limits: MediaLimits) -> None:
    if seconds > limits.max_seconds:
        raise MediaError(
            "too_large",
            f"expected at most {limits.max_seconds:g} s of sound, got {seconds:.1f} s or more",
        )


def _refuse_cut(seconds: float, declared_seconds: float | None) -> None:
    if declared_seconds is not None and seconds < _LEAST_SHARE_DECODED * declared_seconds:
        raise MediaError(
            "damaged",
            f"expected {declared_seconds:.2f} s of sound as the header states, "
            f"got {seconds:.2f} s; the file is cut",
        )


def _damaged(media_format: MediaFormat, error: Exception) -> MediaError:
    return MediaError("damaged", f"expected {media_format.name} sound, it does not decode: {error}")


def _no_samples() -> MediaError:
    return MediaError("empty", "expected sound, got a file without samples")
