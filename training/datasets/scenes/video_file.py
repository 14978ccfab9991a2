"""Writes frames and sound as one MP4 file whose bytes depend on nothing else."""

from pathlib import Path

import av
from av.codec.context import Flags
from av.container import OutputContainer

from models.types import Float32Array, UInt8Array

_X264_OPTIONS = {
    "preset": "veryfast",
    "crf": "21",  # constant rate: 18 is hardly told from the original, 28 is poor
    "threads": "1",
    "mbtree": "0",  # with it and B-frames, x264 wrote other bytes in every second run (measured)
}
_AUDIO_BITS_PER_SECOND = 96_000
_AUDIO_BLOCK = 1_024  # samples in one AAC frame


def write_video(
    path: Path,
    frames: UInt8Array,
    samples: Float32Array,
    *,
    frame_rate_hz: int,
    sample_rate_hz: int,
) -> None:
    """Encode H.264 (yuv420p) and AAC without clocks, versions or threads that change the bytes.

    Args:
        path: File to write; what is there is replaced.
        frames: Pictures, shape (T, rows, columns, 3), sRGB 0..255; rows and columns even.
        samples: Stereo sound in [-1, 1], shape (T, 2).
        frame_rate_hz: Frames per second.
        sample_rate_hz: Samples per second, one that AAC knows.
    """
    options = {"fflags": "+bitexact", "movflags": "+faststart"}
    with av.open(str(path), "w", format="mp4", options=options) as container:
        video = container.add_stream("libx264", rate=frame_rate_hz)
        video.height, video.width = frames.shape[1:3]
        video.pix_fmt = "yuv420p"
        video.options = {**_X264_OPTIONS}
        video.thread_count = 1
        video.codec_context.flags |= Flags.bitexact
        audio = container.add_stream("aac", rate=sample_rate_hz, layout="stereo")
        audio.options = {"aac_coder": "fast"}  # the default search costs as much as the rest
        audio.bit_rate = _AUDIO_BITS_PER_SECOND
        audio.codec_context.flags |= Flags.bitexact
        _encode_frames(container, video, frames)
        _encode_samples(container, audio, samples)


def _encode_frames(container: OutputContainer, stream: av.VideoStream, frames: UInt8Array) -> None:
    """Encode and mux every picture."""
    for number, pixels in enumerate(frames):
        picture = av.VideoFrame.from_ndarray(pixels, format="rgb24")
        picture.pts = number
        container.mux(stream.encode(picture))
    container.mux(stream.encode(None))


def _encode_samples(
    container: OutputContainer, stream: av.AudioStream, samples: Float32Array
) -> None:
    """Encode and mux the sound, block by block."""
    planes = samples.T.copy()  # (2, T)
    for start in range(0, planes.shape[1], _AUDIO_BLOCK):
        block = planes[:, start : start + _AUDIO_BLOCK].copy()
        sound = av.AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
        sound.sample_rate = stream.rate
        sound.pts = start
        container.mux(stream.encode(sound))
    container.mux(stream.encode(None))
