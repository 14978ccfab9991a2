"""The numbers behind one scene; sound and picture are made from nothing else."""

import zlib
from bisect import bisect_right
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that is seen and heard at the same moment: a bounce, a tick, a burst.

    Attributes:
        time_seconds: Moment on the clock of the scene; may lie just outside of it.
        strength: Loudness of the sound and vigour of the movement, in [0.5, 1].
        note: Step above the pitch of the scene for kinds that play a tune, 0..7.
    """

    time_seconds: float
    strength: float
    note: int


class Beat(NamedTuple):
    """Where a moment lies between two events.

    Attributes:
        number: Position of ``previous`` in the list of events; its parity tells left from right.
        previous: The last event that is not later.
        following: The event after it.
        fraction: Share of the way from ``previous`` to ``following``, in [0, 1).
        since_seconds: Time since ``previous``, >= 0.
    """

    number: int
    previous: Event
    following: Event
    fraction: float
    since_seconds: float


@dataclass(frozen=True, slots=True)
class SceneParameters:
    """Everything that sound and picture of a scene share.

    Attributes:
        kind: What happens, a key of ``RENDERERS``.
        seed: Seed of the data set, >= 0.
        index: Number of the scene within the data set, >= 0.
        duration_seconds: Length of sound and picture.
        tempo_hz: Events per second, heard and seen.
        pitch_hz: Main frequency of the sound.
        size: Size of the thing, 0 (small, high sound) .. 1 (large, low sound).
        distance: 0 (near: loud, clear, vivid) .. 1 (far: soft, dull, small and hazy).
        place_x: 0 (left) .. 1 (right) in the picture and between the loudspeakers.
        place_y: 0 (high) .. 1 (low) in the picture; not heard.
        hue: Colour of the thing, 0 (red) .. 1 (magenta), and its timbre, 0 (dark) .. 1 (bright).
        background: 0 (night, rumbling ambience) .. 1 (pale sky, airy ambience).
        noise_level: Grain of the picture and hiss of the sound, 0 .. 1.
        events: What happens when, ascending in time; starts before 0 and ends after the scene.
    """

    kind: str
    seed: int
    index: int
    duration_seconds: float
    tempo_hz: float
    pitch_hz: float
    size: float
    distance: float
    place_x: float
    place_y: float
    hue: float
    background: float
    noise_level: float
    events: tuple[Event, ...]

    @property
    def stem(self) -> str:
        """File name without suffix, the same for the video, the sound and the still picture."""
        return f"{self.kind}-{self.seed}-{self.index:06d}"

    @property
    def onsets(self) -> tuple[Event, ...]:
        """The events inside the scene."""
        return tuple(e for e in self.events if 0.0 <= e.time_seconds < self.duration_seconds)

    def beat(self, seconds: float) -> Beat:
        """Say between which two events a moment in [0, duration] lies."""
        position = bisect_right(self.events, seconds, key=lambda event: event.time_seconds) - 1
        number = min(max(position, 0), len(self.events) - 2)
        previous, following = self.events[number], self.events[number + 1]
        since = max(seconds - previous.time_seconds, 0.0)
        fraction = min(since / (following.time_seconds - previous.time_seconds), 0.999999)
        return Beat(number, previous, following, fraction, since)

    def generator(self, purpose: str) -> np.random.Generator:
        """Return the scene's own random numbers for one purpose, the same on every call."""
        return np.random.default_rng([self.seed, self.index, zlib.crc32(purpose.encode())])
