"""Draws the numbers of a scene from a seed and an index."""

import math

import numpy as np

from models.errors import DataError
from training.datasets.scenes.kinds.registry import RENDERERS
from training.datasets.scenes.scene import Event, SceneParameters

KINDS: tuple[str, ...] = tuple(RENDERERS)
DURATION_SECONDS = 4.0

_EDGE_EVENTS = 3  # events kept before the start and after the end, for swings and fading puffs
_SIZE_SPREAD = 0.06  # things of one pitch differ a little in size


def scene_parameters(
    seed: int, index: int, *, duration_seconds: float = DURATION_SECONDS
) -> SceneParameters:
    """Draw scene ``index`` of the data set ``seed``; the kinds take turns.

    Args:
        seed: Seed of the data set, >= 0.
        index: Number of the scene, >= 0; scene i has kind ``KINDS[i % len(KINDS)]``.
        duration_seconds: Length of the scene, in [1, 60].

    Returns:
        The scene, the same for the same arguments whatever was drawn before.

    Raises:
        DataError: If an argument is out of range.
    """
    if seed < 0 or index < 0:
        raise DataError(f"expected seed >= 0 and index >= 0, got seed={seed} and index={index}")
    if not 1.0 <= duration_seconds <= 60.0:
        raise DataError(f"expected a duration of 1 to 60 seconds, got {duration_seconds}")
    kind = KINDS[index % len(KINDS)]
    renderer = RENDERERS[kind]
    generator = np.random.default_rng([seed, index])
    tempo_hz = _between(*renderer.TEMPO_HZ, generator.uniform())
    height = generator.uniform()  # 0: lowest pitch of the kind, 1: highest
    size = 1.0 - height + _SIZE_SPREAD * generator.uniform(-1.0, 1.0)
    return SceneParameters(
        kind=kind,
        seed=seed,
        index=index,
        duration_seconds=duration_seconds,
        tempo_hz=tempo_hz,
        pitch_hz=_between(*renderer.PITCH_HZ, height),
        size=float(np.clip(size, 0.0, 1.0)),
        distance=float(generator.uniform()),
        place_x=float(generator.uniform()),
        place_y=float(generator.uniform()),
        hue=float(generator.uniform()),
        background=float(generator.uniform()),
        noise_level=float(generator.uniform()),
        events=_events(generator, tempo_hz, renderer.JITTER, duration_seconds),
    )


def _between(low: float, high: float, share: float) -> float:
    """Interpolate on a logarithmic scale, as ears do."""
    return float(low * (high / low) ** share)


def _events(
    generator: np.random.Generator, tempo_hz: float, jitter: float, duration_seconds: float
) -> tuple[Event, ...]:
    """Lay events at the tempo, each moved by up to ``jitter`` / 2 of a period."""
    count = math.ceil(duration_seconds * tempo_hz) + 2 * _EDGE_EVENTS
    steps = np.arange(count) - _EDGE_EVENTS + generator.uniform()
    times = (steps + jitter * generator.uniform(-0.5, 0.5, count)) / tempo_hz
    strengths = generator.uniform(0.5, 1.0, count)
    notes = generator.integers(0, 8, count)
    return tuple(
        Event(time_seconds=float(time), strength=float(strength), note=int(note))
        for time, strength, note in zip(times, strengths, notes, strict=True)
    )
