"""A window of sound as a picture of pitches: semitones upwards, time to the right.

Every window has the same number of frames, however long it lasts, so neither its length nor its
tempo is seen, and the loudest point of every window is as bright.
"""

from functools import cache

import numpy as np
from scipy import sparse

from models.features.log_mel import resampled
from models.types import Audio, Float64Array, UInt8Array

SAMPLE_RATE_HZ = 16_000
LOWEST_PITCH = 36.0  # MIDI, 65 Hz
BANDS = 160  # half semitones, up to 6.6 kHz
FRAMES = 256
WINDOW_SAMPLES, FFT_SIZE = 2048, 4096
RANGE_DB = 60.0
ONE_WINDOW_SECONDS = 16.0  # what lasts longer is cut
WINDOW_SECONDS, HOP_SECONDS = 9.0, 4.5
MOST_WINDOWS = 64
_LEAST_POWER = 1e-10


def log_frequency_windows(audio: Audio) -> UInt8Array:
    """Return the windows of a sound, shape (W, BANDS, FRAMES), 0 (60 dB down) .. 255 (loudest).

    One window up to 16 s; beyond, windows of 9 s that start every 4.5 s, or ``MOST_WINDOWS`` of
    them spread over the whole.
    """
    samples = resampled(audio, SAMPLE_RATE_HZ)
    length = round(WINDOW_SECONDS * SAMPLE_RATE_HZ)
    if len(samples) <= ONE_WINDOW_SECONDS * SAMPLE_RATE_HZ:
        return _picture(samples)[None]
    last = len(samples) - length
    count = min(MOST_WINDOWS, 1 + -(-last // round(HOP_SECONDS * SAMPLE_RATE_HZ)))
    starts = np.linspace(0, last, count).astype(np.int64)
    return np.stack([_picture(samples[start : start + length]) for start in starts])


def _picture(samples: Float64Array) -> UInt8Array:
    """Band powers of evenly spaced frames in decibels below the loudest, (BANDS, FRAMES)."""
    padded = np.pad(samples, WINDOW_SAMPLES // 2)
    starts = ((np.arange(FRAMES) + 0.5) / FRAMES * len(samples)).astype(np.int64)
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW_SAMPLES)[
        np.minimum(starts, len(padded) - WINDOW_SAMPLES)
    ]
    window = np.hanning(WINDOW_SAMPLES + 1)[:-1]
    spectrum = np.fft.rfft(frames * window, FFT_SIZE)
    power = _filterbank() @ (spectrum.real**2 + spectrum.imag**2).T
    decibels = 10.0 * np.log10(power + max(_LEAST_POWER, 1e-9 * float(power.max())))
    level = 1.0 + (decibels - decibels.max()) / RANGE_DB
    if float(power.max()) <= _LEAST_POWER:
        level = np.zeros_like(level)  # silence
    return np.rint(level.clip(0.0, 1.0) * 255.0).astype(np.uint8)


@cache
def _filterbank() -> sparse.csr_array:
    """Triangles around half semitones, at least a bin to each side, (BANDS, FFT_SIZE // 2 + 1)."""
    hertz = np.arange(FFT_SIZE // 2 + 1) * SAMPLE_RATE_HZ / FFT_SIZE
    pitches = LOWEST_PITCH + np.arange(BANDS) / 2.0
    centres = 440.0 * 2.0 ** ((pitches - 69.0) / 12.0)[:, None]
    reach = np.maximum(centres * (2.0 ** (0.5 / 12.0) - 1.0), SAMPLE_RATE_HZ / FFT_SIZE)
    return sparse.csr_array(np.maximum(0.0, 1.0 - np.abs(hertz - centres) / reach))
