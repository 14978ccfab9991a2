"""What the builder builds from: songs, listed with their split, each giving excerpts when asked."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from training.datasets.triples.excerpt import Excerpt, SongInfo


@dataclass(frozen=True, slots=True)
class Listed:
    """A song to build.

    Attributes:
        info: What is known about it.
        place: Where its notes are; what that means is up to the source.
    """

    info: SongInfo
    place: str


Map = Callable[[Callable[[str], object], Sequence[str], str], Iterable[object]]
"""Applies a picklable function to many places in worker processes, in order, with a named bar."""


class Source(Protocol):
    """A collection of songs. Small and picklable: it travels to worker processes."""

    @property
    def name(self) -> str:
        """Key in ``SOURCES``, or ``scores``."""
        ...

    @property
    def licence(self) -> str:
        """What may be done with the songs."""
        ...

    @property
    def citation(self) -> str:
        """Whom to cite; empty for one's own scores."""
        ...

    @property
    def settings(self) -> dict[str, object]:
        """Every choice that changes the excerpts, JSON values only."""
        ...

    def songs(self, seed: int, in_parallel: Map) -> Sequence[Listed]:
        """List the songs and choose the split; groups of related songs stay together."""
        ...

    def excerpts(self, song: Listed) -> Iterable[Excerpt]:
        """Read the excerpts of one song."""
        ...
