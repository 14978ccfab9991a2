"""How an excerpt is played: instrument, tempo and loudness, drawn at random."""

from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Final

import numpy as np

from training.datasets.triples.excerpt import Excerpt

INSTRUMENTS: Final = MappingProxyType(
    {
        "piano": 0,
        "harpsichord": 6,
        "music box": 10,
        "church organ": 19,
        "accordion": 21,
        "nylon guitar": 24,
        "violin": 40,
        "viola": 41,
        "cello": 42,
        "harp": 46,
        "string ensemble": 48,
        "choir": 52,
        "voice": 53,
        "trumpet": 56,
        "french horn": 60,
        "soprano saxophone": 64,
        "oboe": 68,
        "clarinet": 71,
        "flute": 73,
        "recorder": 74,
    }
)
"""General MIDI programs, counted from 0, that carry a melody."""

PIANO: Final = INSTRUMENTS["piano"]
MIN_SECONDS, MAX_SECONDS = 6.0, 12.0
_LOUDNESS_DB = (-18.0, -1.0)  # of the peak
_VELOCITIES = (64, 116)


@dataclass(frozen=True, slots=True)
class Performance:
    """One way to play an excerpt.

    Attributes:
        seconds: Length, drawn whatever the music is: so it tells nothing about it. The tempo
            follows from it.
        instrument: Key of ``INSTRUMENTS`` that plays the voice.
        velocity: MIDI velocity of the voice, 1..127.
        accompaniment_velocity: Of the other parts, which a piano plays.
        peak: Of the finished sound, in (0, 1].
    """

    seconds: float
    instrument: str
    velocity: int
    accompaniment_velocity: int
    peak: float

    def at(self, quarters: Fraction, excerpt: Excerpt) -> float:
        """Seconds from the start for a place in quarter notes."""
        return float(quarters / excerpt.quarters) * self.seconds


def draw_performance(rng: np.random.Generator, instruments: tuple[str, ...]) -> Performance:
    """Draw a performance.

    Args:
        rng: Source of randomness.
        instruments: Keys of ``INSTRUMENTS`` to choose from.
    """
    low, high = _VELOCITIES
    velocity = int(rng.integers(low, high))
    return Performance(
        seconds=float(rng.uniform(MIN_SECONDS, MAX_SECONDS)),
        instrument=instruments[int(rng.integers(len(instruments)))],
        velocity=velocity,
        accompaniment_velocity=max(1, velocity - int(rng.integers(8, 40))),
        peak=float(10.0 ** (rng.uniform(*_LOUDNESS_DB) / 20.0)),
    )
