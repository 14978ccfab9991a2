"""Single events in a sound: how many there are and what one of them is like."""

import numpy as np

from models.features.segments import segment_means
from models.types import Float64Array, Int64Array

_MAX_EVENTS = 12
_FAINTEST_SHARE = 0.4
_FRAMES_BEFORE, _FRAMES_AFTER = 5, 40  # 50 ms before an onset, 400 ms from it
_STEPS, _GROUPS = 8, 16
_TINY = 1e-6
EVENT_NUMBERS = _STEPS * _GROUPS + _GROUPS + 1


def onset_density(onsets: Float64Array, frame_rate_hz: float) -> Float64Array:
    """Return onsets per second, their logarithmic count and their sharpness, shape (3,).

    An onset is a local maximum above mean plus one deviation.

    Args:
        onsets: Strength of onset over time, shape (T,).
        frame_rate_hz: Frames per second.
    """
    peaks = _local_maxima(onsets)
    count = float((onsets[peaks] > onsets.mean() + onsets.std()).sum())
    sharpness = onsets.max() / (onsets.mean() + _TINY)
    return np.array([count * frame_rate_hz / len(onsets), np.log1p(count), np.log1p(sharpness)])


def event_shape(log_power: Float64Array, onsets: Float64Array) -> Float64Array:
    """Return the course of a typical event, shape (EVENT_NUMBERS,).

    The up to 12 strongest onsets (at least 0.4 of the strongest) are laid over each other. The
    first 128 numbers are the mean rise over the level just before the onset, in 8 steps of 50 ms
    x 16 groups of bands; then come how much the events differ per group, and the logarithm of
    their number. So a bark, a drop and a bell differ even when they come once in a long silence.

    Args:
        log_power: Log-mel spectrogram, shape (T, n_bands), n_bands a multiple of 16.
        onsets: Strength of onset over time, shape (T,).
    """
    groups = log_power.reshape(len(log_power), _GROUPS, -1).mean(axis=2)
    padded = np.pad(groups, ((_FRAMES_BEFORE, _FRAMES_AFTER), (0, 0)), mode="edge")
    moments = _strongest(onsets)
    courses = []
    for moment in moments.tolist():
        start = moment + _FRAMES_BEFORE  # of the event, in padded frames
        before = padded[moment : start - 1].mean(axis=0)
        after = padded[start - 1 : start - 1 + _FRAMES_AFTER]
        courses.append(segment_means(after, _STEPS) - before)
    stacked = np.stack(courses)  # (events, steps, groups)
    differ = stacked.std(axis=0).mean(axis=0)
    return np.concatenate([stacked.mean(axis=0).ravel(), differ, [np.log(len(moments))]])


def _local_maxima(curve: Float64Array) -> Int64Array:
    middle = curve[1:-1]
    return np.flatnonzero((middle > curve[:-2]) & (middle >= curve[2:])) + 1


def _strongest(onsets: Float64Array) -> Int64Array:
    """Return the frames of the strongest onsets, at least one, strongest first."""
    peaks = _local_maxima(onsets)
    if len(peaks) == 0:
        return np.array([onsets.argmax()])
    ordered = peaks[np.argsort(-onsets[peaks], kind="stable")][:_MAX_EVENTS]
    return ordered[onsets[ordered] >= _FAINTEST_SHARE * onsets[ordered[0]]]
