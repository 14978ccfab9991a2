"""Decode in worker processes, so that hostile media can stop a worker but never the service."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

from models.media.limits import MediaLimits
from models.media.load import Probe, load, probe
from models.media.worker_pool import WorkerPool
from models.types import Media, Modality

Decoder = Callable[[bytes | Path, Modality, MediaLimits], Media]
Prober = Callable[[bytes | Path, MediaLimits], Probe]
_Question = tuple[bytes | Path, Modality | None]  # without a modality: what is it?


class IsolatedLoader(WorkerPool[Any, Any]):
    """``load`` and ``probe`` in a ``WorkerPool``: with a time limit, a memory limit and no crash.

    Args:
        limits: Passed to every ``load`` and ``probe``.
        workers: Number of processes, and so of files decoded at the same time.
        timeout_seconds: Time for one file, without the wait for a free worker.
        memory_bytes: Address space of one worker (RLIMIT_AS).
        decoder: What a worker runs for ``load``; importable by name.
        prober: What a worker runs for ``probe``; importable by name.
        duty: What answers questions in a worker, when there are more kinds than these two.

    Example:
        >>> with IsolatedLoader(MediaLimits(), workers=1) as loader:
        ...     loader.load(b"la la la", Modality.LYRICS).text
        'la la la'
    """

    def __init__(
        self,
        limits: MediaLimits,
        *,
        workers: int = 2,
        timeout_seconds: float = 60.0,
        memory_bytes: int = 4 * 2**30,
        decoder: Decoder = load,
        prober: Prober = probe,
        duty: "type[Duty] | None" = None,
    ) -> None:
        super().__init__(
            partial(duty or Duty, limits, decoder, prober),
            workers=workers,
            timeout_seconds=timeout_seconds,
            memory_bytes=memory_bytes,
        )

    def load(self, source: bytes | Path, modality: Modality) -> Media:
        """Decode a file as ``models.media.load.load`` does.

        Raises:
            MediaError: As ``load``; also ``timeout`` when it took too long and ``damaged`` when
                the decoder crashed on it.
            RuntimeError: After ``close``.
        """
        return cast("Media", self.ask((source, modality)))

    def probe(self, source: bytes | Path) -> Probe:
        """Tell what a file is as ``models.media.load.probe`` does.

        Raises:
            MediaError: As ``probe``; also ``timeout`` and ``damaged`` as ``load`` here.
            RuntimeError: After ``close``.
        """
        return cast("Probe", self.ask((source, None)))


@dataclass(frozen=True)
class Duty:
    """Decodes or probes; runs in the worker.

    Attributes:
        limits: Passed to both.
        decoder: Answers a question with a modality.
        prober: Answers one without.
    """

    limits: MediaLimits
    decoder: Decoder
    prober: Prober

    def __call__(self, question: _Question) -> Any:
        """Return the media or the probe that was asked for."""
        source, modality = question
        if modality is None:
            return self.prober(source, self.limits)
        return self.decoder(source, modality, self.limits)
