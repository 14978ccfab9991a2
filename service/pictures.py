"""Small pictures of decoded media, drawn with NumPy and Pillow."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture

from models.types import Audio, Float32Array, Image, Score, UInt8Array, Video

WIDTH = 480
HEIGHT = 160
_FRAMES_IN_STRIP = 5
_GAP = 3
_WINDOW_SECONDS = 0.05
_LOWEST_HZ = 50.0
_HIGHEST_HZ = 10_000.0
_RANGE_DB = 70.0
_INK_BELOW = 200
_MARGIN = 12
_STAFF_WIDTH = 720
_STAFF_HEIGHT = 420

# Quiet to loud: ink blue, violet, coral, pale yellow. Lightness rises all the way.
_COLOURS = np.array(
    [[12, 14, 40], [74, 32, 120], [190, 55, 110], [250, 140, 80], [253, 245, 190]], dtype=np.float64
)


def spectrogram(audio: Audio) -> Picture.Image:
    """Draw level over time and frequency, WIDTH x HEIGHT, low tones at the bottom (log scale)."""
    levels = _levels_db(audio)
    loudness = np.clip(1.0 + (levels - levels.max()) / _RANGE_DB, 0.0, 1.0)
    position = loudness * (len(_COLOURS) - 1)
    steps = np.arange(len(_COLOURS))
    channels = [np.interp(position, steps, _COLOURS[:, c]) for c in range(3)]
    return Picture.fromarray(np.stack(channels, axis=-1).round().astype(np.uint8))


def frame_strip(video: Video) -> Picture.Image:
    """Put frames from start to end side by side, HEIGHT rows."""
    picks = np.linspace(0, len(video.frames) - 1, _FRAMES_IN_STRIP).round().astype(int)
    height, width = video.frames.shape[1:3]
    columns = max(1, min(round(width * HEIGHT / height), 3 * HEIGHT))
    step = columns + _GAP
    strip = Picture.new("RGB", (step * _FRAMES_IN_STRIP - _GAP, HEIGHT), "white")
    for place, pick in enumerate(picks):
        frame = Picture.fromarray(video.frames[pick]).resize((columns, HEIGHT))
        strip.paste(frame, (place * step, 0))
    return strip


def thumbnail(image: Image) -> Picture.Image:
    """Shrink a picture to at most WIDTH columns and rows."""
    small = Picture.fromarray(image.pixels)
    small.thumbnail((WIDTH, WIDTH))
    return small


def staff(score: Score) -> Picture.Image:
    """Show the upper part of the first page, cut to its ink."""
    page = _cut_to_ink(score.pages[0])
    height = max(1, round(page.shape[0] * _STAFF_WIDTH / page.shape[1]))
    scaled = Picture.fromarray(page).resize((_STAFF_WIDTH, height), Picture.Resampling.LANCZOS)
    return scaled.crop((0, 0, _STAFF_WIDTH, min(height, _STAFF_HEIGHT)))


def _levels_db(audio: Audio) -> NDArray[np.float64]:
    """Level of HEIGHT log-spaced frequencies at WIDTH moments, in dB, high tones first."""
    length = max(64, round(_WINDOW_SECONDS * audio.sample_rate_hz))
    samples = _padded(audio.samples, length)
    starts = np.linspace(0, len(samples) - length, WIDTH).round().astype(int)
    frames = samples[starts[:, None] + np.arange(length)] * np.hanning(length)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2  # (WIDTH, bins)
    top_hz = min(_HIGHEST_HZ, audio.sample_rate_hz / 2)
    wanted_hz = np.geomspace(top_hz, min(_LOWEST_HZ, top_hz / 2), HEIGHT)
    bins = wanted_hz * length / audio.sample_rate_hz
    rows = [np.interp(bins, np.arange(power.shape[1]), moment) for moment in power]
    return 10.0 * np.log10(np.stack(rows, axis=1) + 1e-10)


def _padded(samples: Float32Array, length: int) -> Float32Array:
    missing = max(0, length - len(samples))
    return np.pad(samples, (0, missing))


def _cut_to_ink(page: UInt8Array) -> UInt8Array:
    ink = page < _INK_BELOW
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    if not len(rows):
        return page
    top, left = max(rows[0] - _MARGIN, 0), max(columns[0] - _MARGIN, 0)
    return page[top : rows[-1] + 1 + _MARGIN, left : columns[-1] + 1 + _MARGIN]
