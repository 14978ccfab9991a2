"""How long each step of a query took."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """Milliseconds of named steps and of everything since it was made."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._steps: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time one step."""
        start = time.perf_counter()
        yield
        self._steps[name] = _milliseconds_since(start)

    def took_ms(self) -> dict[str, float]:
        """Milliseconds by step, with the total, which also counts waiting for a worker."""
        return {**self._steps, "total": _milliseconds_since(self._start)}


def _milliseconds_since(start: float) -> float:
    return round((time.perf_counter() - start) * 1000, 2)
