"""Measures whether sung sound holds the notes it was asked for."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.types import Float32Array, Float64Array
from training.datasets.triples.sung_segments import SungNote

_WINDOW_SECONDS = 0.064
_HOP_SECONDS = 0.01
_LOWEST_HZ = 55.0
_APERIODICITY = 0.2  # YIN's threshold: a frame above it has no pitch
_SEMITONES_OFF = 0.7
_SILENT = 0.02  # of the loudest sample


@dataclass(frozen=True, slots=True)
class SungCheck:
    """How sound and notes agree.

    Attributes:
        frames: Frames inside a note that have a pitch.
        on_pitch: Those within 0.7 semitone of the note's pitch class.
        silent_notes: Notes during which no sample reaches 2 % of the peak.
        notes: All notes.
        seconds_off: Length of the sound less the end of the last note.
    """

    frames: int
    on_pitch: int
    silent_notes: int
    notes: int
    seconds_off: float


def check_sung(samples: Float32Array, notes: Sequence[SungNote], sample_rate_hz: int) -> SungCheck:
    """Compare sound with the notes it should hold.

    Args:
        samples: Mono sound from time 0, shape (T,).
        notes: In time order.
        sample_rate_hz: Of the samples.
    """
    pitched = on_pitch = silent = 0
    peak = float(np.abs(samples).max(initial=0.0))
    for note in notes:
        first, last = (round(s * sample_rate_hz) for s in (note.onset_seconds, note.end_seconds))
        part = samples[first:last].astype(np.float64)
        silent += bool(np.abs(part).max(initial=0.0) <= _SILENT * peak)
        hertz = pitch_track(part, sample_rate_hz)
        semitones = 69.0 + 12.0 * np.log2(hertz[hertz > 0] / 440.0)
        off = (semitones - note.pitch + 6.0) % 12.0 - 6.0
        pitched += len(off)
        on_pitch += int((np.abs(off) < _SEMITONES_OFF).sum())
    off_seconds = len(samples) / sample_rate_hz - max(note.end_seconds for note in notes)
    return SungCheck(pitched, on_pitch, silent, len(notes), off_seconds)


def pitch_track(samples: Float64Array, sample_rate_hz: int) -> Float64Array:
    """Return the pitch of each frame in Hz, 0 where there is none, shape (F,).

    The cumulative mean normalised difference of de Cheveigne and Kawahara, "YIN, a fundamental
    frequency estimator for speech and music", JASA 2002, by the sums as they are written there.
    """
    width, hop = round(_WINDOW_SECONDS * sample_rate_hz), round(_HOP_SECONDS * sample_rate_hz)
    longest = int(sample_rate_hz / _LOWEST_HZ)
    starts = range(0, len(samples) - width - longest, hop)
    loud = _SILENT * float(np.abs(samples).max(initial=0.0))
    tracked = [
        sample_rate_hz / lag
        if (lag := _lag(samples[start : start + width + longest], width, longest))
        and np.abs(samples[start : start + width]).max() > loud
        else 0.0
        for start in starts
    ]
    return np.array(tracked, dtype=np.float64)


def _lag(frame: Float64Array, width: int, longest: int) -> float:
    """Return the period in samples, 0.0 where the frame has none."""
    shifted = np.lib.stride_tricks.sliding_window_view(frame, width)[:longest]
    difference = ((shifted - frame[:width]) ** 2).sum(axis=1)
    running = np.cumsum(difference[1:]) / np.arange(1, longest)
    normalised = np.concatenate([[1.0], difference[1:] / np.maximum(running, 1e-12)])
    below = np.flatnonzero(normalised < _APERIODICITY)
    if not len(below):
        return 0.0
    lag = int(below[0])
    while lag + 1 < longest and normalised[lag + 1] < normalised[lag]:
        lag += 1
    if not 0 < lag < longest - 1:
        return float(lag)
    left, middle, right = normalised[lag - 1 : lag + 2]
    curve = left - 2.0 * middle + right
    return float(lag + (0.5 * (left - right) / curve if curve > 0 else 0.0))
