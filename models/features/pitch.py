"""Which notes sound: harmonic salience on a semitone axis."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import sparse

from models.features.log_mel import Framing, power_blocks
from models.types import Float64Array

_TINY = 1e-12


@dataclass(frozen=True, slots=True)
class PitchSettings:
    """Every number that changes the salience of a pitch.

    Attributes:
        sample_rate_hz: Rate of the samples.
        window_samples: Window and transform length; long, to tell low semitones apart.
        hop_samples: Distance between window starts.
        lowest_pitch: MIDI number of the first pitch (36 is C2, 65.4 Hz).
        n_pitches: Semitones covered.
        n_harmonics: Overtones summed, the fundamental included.
        harmonic_decay: Weight of a harmonic relative to the one below it.
    """

    sample_rate_hz: int = 16_000
    window_samples: int = 4096
    hop_samples: int = 1024
    lowest_pitch: int = 36
    n_pitches: int = 61
    n_harmonics: int = 6
    harmonic_decay: float = 0.7


def pitch_salience(samples: Float64Array, settings: PitchSettings) -> Float64Array:
    """Return how strongly each semitone sounds over time, shape (T, n_pitches), >= 0, T >= 1.

    The spectrum is cut to the bins that rise above their neighbourhood, summed per semitone, and
    the square roots of a semitone's harmonics are added with falling weights.
    """
    framing = Framing(settings.window_samples, settings.hop_samples, settings.window_samples)
    semitones, harmonics = _semitone_bank(settings), _harmonic_bank(settings)
    blocks = []
    for power in power_blocks(samples, framing):
        loudness = np.sqrt(np.sqrt(semitones @ power.T))  # (S, block)
        smooth = (loudness[:-2] + loudness[1:-1] + loudness[2:]) / 3.0
        peaks = np.zeros_like(loudness)
        peaks[1:-1] = np.maximum(0.0, loudness[1:-1] - smooth)
        blocks.append((harmonics @ peaks).T)  # (block, n_pitches)
    return np.ascontiguousarray(np.concatenate(blocks))


@cache
def _semitone_bank(settings: PitchSettings) -> sparse.csr_array:
    """Return triangles one semitone wide on each side of every pitch and its overtones."""
    n_semitones = settings.n_pitches + int(np.ceil(12.0 * np.log2(settings.n_harmonics))) + 1
    hz = np.arange(settings.window_samples // 2 + 1) * (
        settings.sample_rate_hz / settings.window_samples
    )
    midi = 69.0 + 12.0 * np.log2(np.maximum(hz, _TINY) / 440.0)
    pitches = settings.lowest_pitch + np.arange(n_semitones)
    return sparse.csr_array(np.maximum(0.0, 1.0 - np.abs(midi - pitches[:, None])))


@cache
def _harmonic_bank(settings: PitchSettings) -> sparse.csr_array:
    """Return the weight of each semitone in the salience of each pitch, (n_pitches, S)."""
    weights = np.zeros((settings.n_pitches, _semitone_bank(settings).shape[0]))
    rows = np.arange(settings.n_pitches)
    for harmonic in range(1, settings.n_harmonics + 1):
        offset = round(12.0 * np.log2(harmonic))
        weights[rows, rows + offset] += settings.harmonic_decay ** (harmonic - 1)
    return sparse.csr_array(weights)


def pitch_statistics(salience: Float64Array) -> Float64Array:
    """Return which pitches sound and how they move, shape (2 * n_pitches + 6,).

    Square roots of the shares of every pitch, once by the strongest pitch of each frame (the
    melody) and once by all salience (the harmony); then mean, deviation, lowest and highest tenth
    of the melody in octaves over the lowest pitch, the share of frames where it moves by a
    semitone or more, and the logarithm of the mean salience.

    Args:
        salience: Output of `pitch_salience`, shape (T, n_pitches).
    """
    n_pitches = salience.shape[1]
    strongest, strength = salience.argmax(axis=1), salience.max(axis=1)
    melody = np.bincount(strongest, weights=strength, minlength=n_pitches).astype(np.float64)
    octaves = strongest / 12.0
    weight = strength / (strength.sum() + _TINY)
    mean = (octaves * weight).sum()
    deviation = np.sqrt((weight * (octaves - mean) ** 2).sum())
    moves = (np.diff(strongest) != 0).mean() if len(salience) > 1 else 0.0
    low, high = np.percentile(octaves, (10.0, 90.0))
    numbers = [mean, deviation, low, high, moves, np.log(strength.mean() + 1e-3)]
    return np.concatenate([_shares(melody), _shares(salience.sum(axis=0)), numbers])


def _shares(weights: Float64Array) -> Float64Array:
    return np.sqrt(weights / (weights.sum() + 1e-6))
