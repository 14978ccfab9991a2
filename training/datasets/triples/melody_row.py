"""Zero-weight description of written melody: intervals, pitches, rhythm, rests, shape."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from models.types import Float32Array, Float64Array
from training.datasets.songs.song import Notehead

NAME: Final = "melody-statistics"
VERSION: Final = 1
PLACES: Final = 16  # notes from the start, and from the end, that are told one by one
_INTERVALS = np.arange(-12, 13)
_LENGTHS = np.array([0.125, 0.25, 0.375, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0])  # quarter notes
_RESTS = np.array([0.25, 0.5, 1.0, 2.0, 4.0])
_COUNTS = np.geomspace(3.0, 41.0, 16)  # notes + 1 at the middle of each soft class
_COUNTS_WIDTH = 0.08  # standard deviation in ln(notes + 1)
_BEAT_PARTS = 8


def melody_row(notes: Sequence[Notehead]) -> Float32Array:
    """Describe a melody.

    The row does not change when all notes are moved by the same interval, but for one number (the
    mean pitch). Its parts, each about 0 to 1:

    - soft classes of the number of notes; number, length, span, mean pitch (20);
    - shares of the intervals -12 .. 12 semitones, of pitch classes above the last note (37);
    - shares of lengths, of rests, of places within a beat; of steps up, down and level (26);
    - for each of the first 16 notes, then of the last 16 from the end: pitch above the mean,
      length, rest before it, and whether there is such a note (128).

    Args:
        notes: In time order, at least one; lengths in quarter notes.

    Returns:
        Shape (211,).
    """
    pitches = np.array([note.pitch for note in notes], dtype=np.float64)
    lengths = np.array([float(note.duration) for note in notes])
    onsets = np.array([float(note.onset) for note in notes])
    rests = np.array([0.0, *(float(b.onset - a.end) for a, b in pairwise(notes))])
    steps = np.diff(pitches)
    beats = np.floor((onsets % 1.0) * _BEAT_PARTS)
    parts = [
        _size(pitches, float(notes[-1].end - notes[0].onset)),
        _shares(np.clip(steps, -12, 12), _INTERVALS),
        _shares((pitches - pitches[-1]) % 12, np.arange(12)),
        _shares(_nearest(lengths, _LENGTHS), np.arange(len(_LENGTHS))),
        _shares(_nearest(rests[rests > 0], _RESTS), np.arange(len(_RESTS)), of=len(notes)),
        _shares(beats, np.arange(_BEAT_PARTS)),
        _shares(np.sign(steps), np.array([-1, 0, 1])),
        _placed(pitches, lengths, rests),
        _placed(pitches[::-1], lengths[::-1], rests[::-1]),
    ]
    return np.concatenate(parts).astype(np.float32)


def _size(pitches: Float64Array, quarters: float) -> Float64Array:
    soft = np.exp(-0.5 * (np.log((len(pitches) + 1.0) / _COUNTS) / _COUNTS_WIDTH) ** 2)
    span = float(pitches.max() - pitches.min())
    plain = [len(pitches) / 16.0, np.log1p(quarters) / 3.0, span / 12.0, (pitches.mean() - 60) / 12]
    return np.concatenate([soft, plain])


def _shares(
    values: Float64Array, classes: np.ndarray[tuple[int], np.dtype[np.int64]], of: int = 0
) -> Float64Array:
    """Share of the values in each class."""
    counts = (values[:, None] == classes[None, :]).sum(axis=0)
    return counts / float(max(of or len(values), 1))


def _nearest(values: Float64Array, middles: Float64Array) -> Float64Array:
    """Class whose middle is nearest, on a logarithmic scale."""
    logs = np.log(np.maximum(values, 1e-3))[:, None] - np.log(middles)[None, :]
    return np.abs(logs).argmin(axis=1).astype(np.float64)


def _placed(pitches: Float64Array, lengths: Float64Array, rests: Float64Array) -> Float64Array:
    """Pitch, length, rest and presence of the first ``PLACES`` notes."""
    table = np.zeros((4, PLACES))
    count = min(len(pitches), PLACES)
    table[0, :count] = (pitches - pitches.mean())[:count] / 12.0
    table[1, :count] = np.log2(lengths[:count] * 8.0) / 5.0
    table[2, :count] = np.minimum(rests[:count], 4.0) / 4.0
    table[3, :count] = 1.0
    return table.ravel()
