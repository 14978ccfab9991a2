"""Plays notes: additive tones with vibrato and envelope, in four timbres.

The ``voice`` sings vowels: its partials follow the formants of the vowel in each syllable, and a
hissed or struck consonant begins it, so that the words leave a trace in the sound.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from models.types import Float32Array, Float64Array
from training.datasets.songs.song import Notehead

SAMPLE_RATE_HZ = 16_000
TIMBRES = ("voice", "flute", "reed", "harp")
SLOWEST_BPM, FASTEST_BPM = 84.0, 132.0
PEAK = 0.7
TAIL_SECONDS = 0.25
_N_PARTIALS = 24
_DETUNING_CENTS = 15.0
_FORMANT_WIDTH_HZ = 130.0
# Peterson and Barney (1952), Control methods used in a study of the vowels; means of women.
_FORMANTS_HZ = {
    "a": (850.0, 1220.0, 2810.0),
    "e": (610.0, 2330.0, 2990.0),
    "i": (310.0, 2790.0, 3310.0),
    "o": (590.0, 920.0, 2710.0),
    "u": (370.0, 950.0, 2670.0),
}
_VOWEL_OF = {"y": "i", "j": "i", "w": "u"}
_HISSED = frozenset("szcfvx")
_STRUCK = frozenset("tkpqdgb")


@dataclass(frozen=True, slots=True)
class Performance:
    """How a window is played.

    Attributes:
        timbre: One of ``TIMBRES``.
        quarter_seconds: Length of a quarter note.
        detuning: Factor on every frequency, near 1.
        vibrato_hz: Rate of the vibrato.
        vibrato_depth: Largest relative change of the frequency.
    """

    timbre: str
    quarter_seconds: float
    detuning: float = 1.0
    vibrato_hz: float = 5.5
    vibrato_depth: float = 0.006


def draw_performance(rng: np.random.Generator) -> Performance:
    """Choose timbre, tempo (84 to 132 quarter notes a minute), tuning and vibrato at random."""
    return Performance(
        timbre=TIMBRES[int(rng.integers(len(TIMBRES)))],
        quarter_seconds=60.0 / float(rng.uniform(SLOWEST_BPM, FASTEST_BPM)),
        detuning=2.0 ** (float(rng.uniform(-_DETUNING_CENTS, _DETUNING_CENTS)) / 1200.0),
        vibrato_hz=float(rng.uniform(4.8, 6.2)),
        vibrato_depth=float(rng.uniform(0.003, 0.009)),
    )


def play(
    notes: Sequence[Notehead],
    performance: Performance,
    *,
    start: Fraction,
    rng: np.random.Generator,
) -> Float32Array:
    """Play notes one after another.

    Args:
        notes: Struck notes (ties joined), at least one, none before ``start``.
        performance: Timbre and tempo.
        start: Quarter notes at time 0; a rest before the first note is heard as silence.
        rng: Source of breath and consonant noise.

    Returns:
        Samples at ``SAMPLE_RATE_HZ`` with their peak at ``PEAK``, shape (T,).
    """
    beat = performance.quarter_seconds
    end = max(float(note.end - start) for note in notes) * beat + TAIL_SECONDS
    samples = np.zeros(round(end * SAMPLE_RATE_HZ) + 1)
    vowel = "a"
    for note in notes:
        vowel = vowel_of(note.syllable) or vowel
        seconds = float(note.duration) * beat
        tone = _tone(note.pitch, vowel, seconds, performance, rng)
        if performance.timbre == "voice":
            tone = _with_consonant(tone, note.syllable, rng)
        first = round(float(note.onset - start) * beat * SAMPLE_RATE_HZ)
        tone = tone[: len(samples) - first]
        samples[first : first + len(tone)] += tone
    return (samples * (PEAK / max(float(np.abs(samples).max()), 1e-9))).astype(np.float32)


def vowel_of(syllable: str) -> str | None:
    """Return the first vowel of a syllable as one of a, e, i, o, u; None if there is none."""
    for letter in _letters(syllable):
        if letter in _FORMANTS_HZ:
            return letter
    return next((_VOWEL_OF[letter] for letter in _letters(syllable) if letter in _VOWEL_OF), None)


def _letters(syllable: str) -> str:
    folded = unicodedata.normalize("NFKD", syllable).casefold()
    return "".join(letter for letter in folded if letter.isalpha())


def _tone(
    pitch: int, vowel: str, seconds: float, performance: Performance, rng: np.random.Generator
) -> Float64Array:
    """Play one note, shape (T,); plucked tones ring a little longer than written."""
    plucked = performance.timbre == "harp"
    length = round((seconds + (TAIL_SECONDS if plucked else 0.0)) * SAMPLE_RATE_HZ)
    time = np.arange(length) / SAMPLE_RATE_HZ
    frequency = 440.0 * 2.0 ** ((pitch - 69) / 12.0) * performance.detuning
    amplitudes = _partials(performance.timbre, frequency, vowel)
    depth = 0.0 if plucked else performance.vibrato_depth
    grown = depth * np.minimum(time / 0.4, 1.0)  # singers and players let vibrato grow
    swing = np.sin(2.0 * np.pi * performance.vibrato_hz * time)
    phase = 2.0 * np.pi * np.cumsum(frequency * (1.0 + grown * swing)) / SAMPLE_RATE_HZ
    tone = _sum_of_partials(phase, amplitudes)
    if performance.timbre == "flute":
        tone += 0.02 * rng.standard_normal(length)
    return tone * _envelope(time, seconds, plucked=plucked)


def _partials(timbre: str, frequency_hz: float, vowel: str) -> Float64Array:
    """Amplitudes of the partials below the Nyquist frequency, shape (P,), with unit power."""
    count = int(min(_N_PARTIALS, (0.95 * SAMPLE_RATE_HZ / 2.0) // frequency_hz))
    number = np.arange(1, max(count, 1) + 1, dtype=np.float64)
    if timbre == "voice":
        amplitudes = _formant_gain(number * frequency_hz, vowel) / number**0.5
    elif timbre == "flute":
        amplitudes = 0.35 ** (number - 1.0)
    elif timbre == "reed":
        amplitudes = np.where(number % 2 == 1, 1.0, 0.12) / number
    else:
        amplitudes = number**-1.4
    return amplitudes / np.sqrt((amplitudes**2).sum())


def _formant_gain(frequency_hz: Float64Array, vowel: str) -> Float64Array:
    """Sum of three resonances over a weak floor, shape (P,)."""
    gain = np.full_like(frequency_hz, 0.03)
    for formant_hz, level in zip(_FORMANTS_HZ[vowel], (1.0, 0.6, 0.3), strict=True):
        gain += level / (1.0 + ((frequency_hz - formant_hz) / _FORMANT_WIDTH_HZ) ** 2)
    return gain


def _sum_of_partials(phase: Float64Array, amplitudes: Float64Array) -> Float64Array:
    """Sum of a_k sin(k phase), by sin(k p) = 2 cos(p) sin((k - 1) p) - sin((k - 2) p)."""
    turn = 2.0 * np.cos(phase)
    before, now = np.zeros_like(phase), np.sin(phase)
    total = amplitudes[0] * now
    for amplitude in amplitudes[1:]:
        before, now = now, turn * now - before
        total += amplitude * now
    return total


def _envelope(time: Float64Array, seconds: float, *, plucked: bool) -> Float64Array:
    """Loudness over time in [0, 1], shape (T,)."""
    if plucked:
        attack = np.minimum(time / 0.004, 1.0)
        return attack * np.exp(-time / 0.45) * _fall(time, seconds + TAIL_SECONDS, 0.08)
    attack = np.minimum(time / 0.035, 1.0)
    return attack * (0.75 + 0.25 * np.exp(-time / 0.25)) * _fall(time, seconds, 0.05)


def _fall(time: Float64Array, end_seconds: float, fall_seconds: float) -> Float64Array:
    return np.clip((end_seconds - time) / fall_seconds, 0.0, 1.0)


def _with_consonant(tone: Float64Array, syllable: str, rng: np.random.Generator) -> Float64Array:
    """Begin a sung note with the noise of its first consonant."""
    first = _letters(syllable)[:1]
    if first in _HISSED:
        level, seconds = 0.25, 0.08
    elif first in _STRUCK:
        level, seconds = 0.35, 0.02
    else:
        return tone
    length = min(round(seconds * SAMPLE_RATE_HZ), len(tone))
    noise = np.diff(rng.standard_normal(length + 1))  # a difference leaves the high frequencies
    tone[:length] += level * noise * np.hanning(length)
    return tone
