"""A window of sound as two pictures: one keeps pitches apart, the other catches consonants.

Every window has the same number of frames, however long it lasts, so neither its length nor its
tempo is seen, and the loudest point of every picture is as bright. Frequency is logarithmic in
both, so that a transposed sound is the same picture, moved.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from scipy import sparse

from models.features.log_mel import resampled
from models.types import Audio, Float64Array, UInt8Array

SAMPLE_RATE_HZ = 16_000
RANGE_DB = 60.0
ONE_WINDOW_SECONDS = 16.0  # what lasts longer is cut
WINDOW_SECONDS, HOP_SECONDS = 9.0, 4.5
MOST_WINDOWS = 64
_LEAST_POWER = 1e-10


@dataclass(frozen=True, slots=True)
class Picture:
    """How sound becomes a picture of frequencies (upwards) and time (to the right).

    Attributes:
        lowest_pitch: MIDI pitch in the middle of the first band.
        bands: Rows.
        per_semitone: Bands in a semitone.
        frames: Columns.
        window_samples: Length of the Hann window of a frame.
        fft_size: Transform length, at least that.
    """

    lowest_pitch: float
    bands: int
    per_semitone: int
    frames: int
    window_samples: int
    fft_size: int


PITCHES: Final = Picture(36.0, 160, 2, 256, 2048, 4096)
"""Half semitones from 65 Hz to 6.6 kHz, windows of 128 ms: notes stand apart."""

SPEECH: Final = Picture(48.0, 72, 1, 512, 400, 1024)
"""Semitones from 131 Hz to 7.9 kHz, windows of 25 ms: consonants do not blur."""

COLUMNS: Final = 256
ROWS: Final = PITCHES.bands + SPEECH.bands * SPEECH.frames // COLUMNS


def log_frequency_windows(audio: Audio) -> UInt8Array:
    """Return the windows of a sound, shape (W, ROWS, COLUMNS), 0 (60 dB down) .. 255 (loudest).

    The first 160 rows of a window are the picture of pitches. The others hold that of speech,
    (72, 512), each of its rows as two.

    One window up to 16 s; beyond, windows of 9 s that start every 4.5 s, or ``MOST_WINDOWS`` of
    them spread over the whole.
    """
    samples = resampled(audio, SAMPLE_RATE_HZ)
    length = round(WINDOW_SECONDS * SAMPLE_RATE_HZ)
    if len(samples) <= ONE_WINDOW_SECONDS * SAMPLE_RATE_HZ:
        return _window(samples)[None]
    last = len(samples) - length
    count = min(MOST_WINDOWS, 1 + -(-last // round(HOP_SECONDS * SAMPLE_RATE_HZ)))
    starts = np.linspace(0, last, count).astype(np.int64)
    return np.stack([_window(samples[start : start + length]) for start in starts])


def _window(samples: Float64Array) -> UInt8Array:
    pictures = [picture_of(samples, PITCHES), picture_of(samples, SPEECH)]
    return np.concatenate([picture.reshape(-1, COLUMNS) for picture in pictures])


def picture_of(samples: Float64Array, picture: Picture) -> UInt8Array:
    """Band powers of evenly spaced frames in decibels below the loudest, (bands, frames)."""
    padded = np.pad(samples, picture.window_samples // 2)
    starts = ((np.arange(picture.frames) + 0.5) / picture.frames * len(samples)).astype(np.int64)
    frames = np.lib.stride_tricks.sliding_window_view(padded, picture.window_samples)[
        np.minimum(starts, len(padded) - picture.window_samples)
    ]
    window = np.hanning(picture.window_samples + 1)[:-1]
    spectrum = np.fft.rfft(frames * window, picture.fft_size)
    power = _filterbank(picture) @ (spectrum.real**2 + spectrum.imag**2).T
    decibels = 10.0 * np.log10(power + max(_LEAST_POWER, 1e-9 * float(power.max())))
    level = 1.0 + (decibels - decibels.max()) / RANGE_DB
    if float(power.max()) <= _LEAST_POWER:
        level = np.zeros_like(level)  # silence
    return np.rint(level.clip(0.0, 1.0) * 255.0).astype(np.uint8)


@cache
def _filterbank(picture: Picture) -> sparse.csr_array:
    """Triangles around the bands, at least a bin to each side, (bands, fft_size // 2 + 1)."""
    hertz = np.arange(picture.fft_size // 2 + 1) * SAMPLE_RATE_HZ / picture.fft_size
    pitches = picture.lowest_pitch + np.arange(picture.bands) / picture.per_semitone
    centres = 440.0 * 2.0 ** ((pitches - 69.0) / 12.0)[:, None]
    ratio = 2.0 ** (1.0 / (12.0 * picture.per_semitone)) - 1.0
    reach = np.maximum(centres * ratio, SAMPLE_RATE_HZ / picture.fft_size)
    return sparse.csr_array(np.maximum(0.0, 1.0 - np.abs(hertz - centres) / reach))
