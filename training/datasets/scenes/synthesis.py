"""Building blocks of the sounds, mono and at one sample rate; every level is relative to 1."""

from collections.abc import Callable, Sequence

import numpy as np

from models.types import Float64Array
from training.datasets.scenes.scene import SceneParameters

SAMPLE_RATE_HZ = 16_000

_ATTACK_SECONDS = 0.002  # without a short rise every event would begin with the same click


def sample_count(seconds: float) -> int:
    """Number of samples in a stretch of time, at least 1."""
    return max(1, round(seconds * SAMPLE_RATE_HZ))


def clock(seconds: float) -> Float64Array:
    """Moment of every sample in seconds, shape (T,)."""
    return np.arange(sample_count(seconds)) / SAMPLE_RATE_HZ


def decay(seconds: float, half_life: float) -> Float64Array:
    """Envelope (T,) that rises in 2 ms and then halves every ``half_life`` seconds."""
    moments = clock(seconds)
    return np.minimum(moments / _ATTACK_SECONDS, 1.0) * np.exp2(-moments / half_life)


def bump(seconds: float, edge_seconds: float) -> Float64Array:
    """Envelope (T,) that rises and falls over ``edge_seconds`` and is 1 between."""
    moments = clock(seconds)
    ramp = np.minimum(moments, moments[::-1]) / edge_seconds
    return np.sin(0.5 * np.pi * np.clip(ramp, 0.0, 1.0)) ** 2


def struck(
    pitch_hz: float, partials: Sequence[tuple[float, float]], half_life: float
) -> Float64Array:
    """Sound of a struck thing: decaying sines, the higher the sooner gone.

    Args:
        pitch_hz: Frequency of ratio 1.
        partials: (ratio to the pitch, level) of each sine; none above 0.45 of the rate.
        half_life: Seconds in which ratio 1 loses half its level.

    Returns:
        Samples, shape (T,) with T = 7 half-lives.
    """
    seconds = 7.0 * half_life
    moments = clock(seconds)
    total = np.zeros_like(moments)
    for ratio, level in partials:
        if ratio * pitch_hz < 0.45 * SAMPLE_RATE_HZ:
            fading = np.exp2(-moments * np.sqrt(ratio) / half_life)
            total += level * fading * np.sin(2.0 * np.pi * ratio * pitch_hz * moments)
    return total * np.minimum(moments / _ATTACK_SECONDS, 1.0)


def tone(frequency_hz: Float64Array, levels: Sequence[float]) -> Float64Array:
    """Harmonic tone of changing frequency.

    Args:
        frequency_hz: Fundamental at every sample, shape (T,).
        levels: Level of harmonics 1, 2, 3, ...; one that would alias is silent.

    Returns:
        Samples, shape (T,).
    """
    phase = 2.0 * np.pi * np.cumsum(frequency_hz) / SAMPLE_RATE_HZ
    total = np.zeros_like(phase)
    for number, level in enumerate(levels, start=1):
        if level:
            audible = number * frequency_hz < 0.45 * SAMPLE_RATE_HZ
            total += level * audible * np.sin(number * phase)
    return total


def filtered(samples: Float64Array, gain: Callable[[Float64Array], Float64Array]) -> Float64Array:
    """Apply a gain per frequency in hertz (zero phase), shape (T,) -> (T,)."""
    spectrum = np.fft.rfft(samples)
    frequencies = np.linspace(0.0, 0.5 * SAMPLE_RATE_HZ, len(spectrum), dtype=np.float64)
    return np.fft.irfft(spectrum * gain(frequencies), len(samples))


def band(low_hz: float, high_hz: float) -> Callable[[Float64Array], Float64Array]:
    """Soft band-pass for ``filtered``: 12 dB per octave on both sides."""

    def gain(frequencies: Float64Array) -> Float64Array:
        rise = 1.0 / (1.0 + (low_hz / np.maximum(frequencies, 1.0)) ** 2)
        return rise / (1.0 + (frequencies / high_hz) ** 2)

    return gain


def noise(
    generator: np.random.Generator, seconds: float, low_hz: float, high_hz: float
) -> Float64Array:
    """Gaussian noise between two frequencies with a root mean square of 1, shape (T,)."""
    samples = filtered(generator.standard_normal(sample_count(seconds)), band(low_hz, high_hz))
    return samples / max(float(np.sqrt(np.mean(samples**2))), 1e-9)


def lay(track: Float64Array, seconds: float, sound: Float64Array, level: float = 1.0) -> None:
    """Add a sound to a track from a moment on; what lies outside of the track is cut off."""
    start = round(seconds * SAMPLE_RATE_HZ)
    first, last = max(start, 0), min(start + len(sound), len(track))
    if first < last:
        track[first:last] += level * sound[first - start : last - start]


def per_event(
    scene: SceneParameters, sound: Callable[[int], Float64Array], *, advance_seconds: float = 0.0
) -> Float64Array:
    """Lay one sound per event at the event's strength.

    Args:
        scene: Whose events.
        sound: Makes the sound of event number i, shape (T_i,).
        advance_seconds: How long before the event its sound begins, for sounds that swell.

    Returns:
        The track, shape (T,).
    """
    track = np.zeros(sample_count(scene.duration_seconds))
    for number, event in enumerate(scene.events):
        lay(track, event.time_seconds - advance_seconds, sound(number), event.strength)
    return track
