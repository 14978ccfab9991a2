"""From a score and a recording to the seconds at which its bars begin and end.

Both become sequences of chroma vectors (energy of the twelve pitch classes), which are warped onto
each other: Hu, Dannenberg, Tzanetakis, "Polyphonic Audio Matching and Alignment for Music
Retrieval", WASPAA 2003.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from scipy import sparse

from models.errors import DataError
from models.features.log_mel import Framing, power_blocks, resampled
from models.types import Audio, Float64Array
from training.alignment.warping import warping_path

SAMPLE_RATE_HZ: Final = 16_000
FRAME_SECONDS: Final = 0.05
_FRAMING = Framing(4096, round(FRAME_SECONDS * SAMPLE_RATE_HZ), 4096)
_LOWEST, _HIGHEST = 40, 96  # MIDI pitches whose energy counts
_FRAMES_PER_QUARTER = 10
MOST_SECONDS: Final = 900.0


@dataclass(frozen=True, slots=True)
class ScoreNote:
    """A note as written: onset and duration in quarter notes, and MIDI pitch."""

    onset: float
    duration: float
    pitch: int


@dataclass(frozen=True, slots=True)
class BarTime:
    """A bar of a score in a recording.

    Attributes:
        bar: From 1.
        start_seconds: Of the recording.
        end_seconds: Of the recording.
    """

    bar: int
    start_seconds: float
    end_seconds: float


def align_bars(
    notes: Sequence[ScoreNote], bar_starts: Sequence[float], audio: Audio
) -> list[BarTime]:
    """Find the bars of a score in a recording of the whole of it.

    Args:
        notes: All parts.
        bar_starts: Quarter notes at which each bar begins, and at which the last one ends.
        audio: At most ``MOST_SECONDS``.

    Raises:
        DataError: If there are no notes, no bars, or too much sound.
    """
    if not notes or len(bar_starts) < 2:
        raise DataError("expected a score with notes and bars to align, found none")
    if audio.duration_seconds > MOST_SECONDS:
        raise DataError(
            f"expected a recording of at most {MOST_SECONDS:.0f} s to align, got "
            f"{audio.duration_seconds:.0f} s"
        )
    heard = audio_chroma(audio)
    written = score_chroma(notes, float(bar_starts[-1]))
    path = warping_path(1.0 - written @ heard.T)
    quarters = (path[:, 0] + 0.5) / _FRAMES_PER_QUARTER
    seconds = (path[:, 1] + 0.5) * FRAME_SECONDS
    times = np.interp(np.asarray(bar_starts, float), quarters, seconds)
    times[0], times[-1] = 0.0, audio.duration_seconds
    return [
        BarTime(number, round(float(start), 3), round(float(end), 3))
        for number, (start, end) in enumerate(itertools.pairwise(times), start=1)
    ]


def score_chroma(notes: Sequence[ScoreNote], quarters: float) -> Float64Array:
    """Pitch classes that sound in each frame of a score, unit rows (T, 12)."""
    frames = np.zeros((max(1, round(quarters * _FRAMES_PER_QUARTER)), 12))
    for note in notes:
        first = round(note.onset * _FRAMES_PER_QUARTER)
        last = max(first + 1, round((note.onset + note.duration) * _FRAMES_PER_QUARTER))
        frames[first:last, note.pitch % 12] += 1.0
    return _unit(frames)


def audio_chroma(audio: Audio) -> Float64Array:
    """Energy of the pitch classes in frames of 50 ms, unit rows (T, 12)."""
    samples = np.pad(resampled(audio, SAMPLE_RATE_HZ), _FRAMING.window_samples // 2)
    power = np.concatenate(
        [(_pitch_classes() @ block.T).T for block in power_blocks(samples, _FRAMING)]
    )
    return _unit(np.sqrt(power))


def _unit(rows: Float64Array) -> Float64Array:
    """Rows of length 1; a silent one is equally far from all pitch classes."""
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.where(norms > 1e-6, rows / np.maximum(norms, 1e-6), 12.0**-0.5)


@cache
def _pitch_classes() -> sparse.csr_array:
    """Which bins of the spectrum belong to which pitch class, (12, bins)."""
    hertz = np.arange(1, _FRAMING.fft_size // 2 + 1) * SAMPLE_RATE_HZ / _FRAMING.fft_size
    pitches = 69.0 + 12.0 * np.log2(hertz / 440.0)
    nearest = np.rint(pitches)
    weights = np.exp(-0.5 * ((pitches - nearest) / 0.25) ** 2)
    weights[(nearest < _LOWEST) | (nearest > _HIGHEST)] = 0.0
    table = np.zeros((12, len(hertz) + 1))
    table[nearest.astype(int) % 12, np.arange(1, len(hertz) + 1)] = weights
    return sparse.csr_array(table)
