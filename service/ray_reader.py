"""The same reading of files on a Ray cluster: the only module that imports Ray.

An actor for each CPU of the cluster holds one worker process, so a file that crashes, hangs or
fills the memory costs the same there as here. Files travel as bytes: no folder need be shared.
This process lists, places and commits; a node that is lost takes nothing along but its files under
way, which are read again elsewhere.
"""

import logging
import os
import queue
import socket
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import ray
from ray.exceptions import RayActorError

from models.errors import DataError, KyomeiError, MediaError
from models.features.extractor import Extractor
from models.features.registry import EXTRACTORS
from models.media.limits import MediaLimits
from models.media.worker_pool import WorkerStartError
from models.types import Modality
from service.reading import MediaReader, Reading, Wanted
from service.settings import Settings

_LOGGER = logging.getLogger(__name__)
LOCAL = "local"
_START_SECONDS = 120.0
_KNOCK_SECONDS = 10.0
_MOST_ATTEMPTS = 3
_FILES_PER_ACTOR = 2  # one is read while the next one travels


class RayReader:
    """A ``Reader`` whose processes are spread over a Ray cluster. A context manager.

    Attributes:
        workers: Files that are under way at the same time.
    """

    def __init__(self, address: str, settings: Settings, *, workers: int | None = None) -> None:
        """Connect and start the actors.

        Args:
            address: ``HOST:PORT`` or ``auto`` of a cluster, or ``local`` for one on this machine.
            settings: Limits of decoding.
            workers: Number of actors; None: as many as the cluster has CPUs.

        Raises:
            DataError: When there is no cluster, none of its CPUs is free, or its Kyomei is another.
        """
        _connect(address, workers)
        try:
            self._actors = _start(settings, workers or _n_cpus())
        except BaseException:
            ray.shutdown()
            raise
        self.workers = _FILES_PER_ACTOR * len(self._actors)
        self._limits = settings.media_limits
        self._lost: set[Any] = set()
        self._idle: queue.SimpleQueue[Any] = queue.SimpleQueue()
        for actor in self._actors * _FILES_PER_ACTOR:
            self._idle.put(actor)

    def read(
        self, source: bytes | Path, modality: Modality | None, wanted: Wanted
    ) -> Reading | Modality:
        """Send a file to an actor and wait for what it gave; see ``MediaReader.read``.

        Raises:
            MediaError: As there; also when three actors were lost with the file in hand.
            WorkerStartError: When no actor is left.
        """
        if isinstance(source, Path):
            with source.open("rb") as file:
                source = file.read(self._limits.max_bytes + 1)
        for _ in range(_MOST_ATTEMPTS):
            answer = self._asked(source, modality, wanted)
            if isinstance(answer, KyomeiError):
                raise answer
            if answer is not None:
                return answer
        raise MediaError("damaged", f"{_MOST_ATTEMPTS} Ray actors were lost while they read it")

    def _asked(
        self, source: bytes, modality: Modality | None, wanted: Wanted
    ) -> Reading | Modality | KyomeiError | None:
        """Return what an actor answers, or None when it was lost."""
        actor = self._idle.get()
        if actor in self._lost:
            if len(self._lost) == len(self._actors):
                self._idle.put(actor)  # so that no other thread waits
                raise WorkerStartError("every actor of the Ray cluster was lost")
            return self._asked(source, modality, wanted)
        try:
            answer: Reading | Modality | KyomeiError = ray.get(
                actor.read.remote(source, modality, wanted)
            )
        except RayActorError as error:
            _LOGGER.warning("a Ray actor was lost, the others go on: %s", error)
            self._lost.add(actor)
            self._idle.put(actor)
            return None
        self._idle.put(actor)
        return answer

    def close(self) -> None:
        """End the actors and leave the cluster; one that was started here ends."""
        for actor in self._actors:
            ray.kill(actor)
        ray.shutdown()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()


class Station:
    """One worker process on a node of the cluster; runs as a Ray actor."""

    def __init__(self, limits: MediaLimits, timeout_seconds: float, memory_bytes: int) -> None:
        self._reader = MediaReader(
            limits, workers=1, timeout_seconds=timeout_seconds, memory_bytes=memory_bytes
        )

    def fingerprints(self) -> dict[str, str]:
        """Fingerprint of every extractor that is installed here."""
        return _fingerprints()

    def read(
        self, source: bytes, modality: Modality | None, wanted: Wanted
    ) -> Reading | Modality | KyomeiError:
        """Read a file; what is wrong with it is returned, so that it is no failure of Ray."""
        try:
            return self._reader.read(source, modality, wanted)
        except KyomeiError as error:
            return error


def _connect(address: str, workers: int | None) -> None:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "error"}
    try:
        if address == LOCAL:
            ray.init(address=LOCAL, num_cpus=workers, include_dashboard=False, **options)
        else:
            _knock(address)
            ray.init(address=address, **options)
    except (OSError, RuntimeError, ValueError) as error:
        raise DataError(
            f"--ray {address}: expected the address of a Ray cluster such as 10.0.0.1:6379 "
            f"(`ray start --head` prints it), auto or local, got: {error}"
        ) from error


def _knock(address: str) -> None:
    """Fail at once where nobody listens: Ray would try for minutes.

    Raises:
        OSError: When there is no such host or port.
        ValueError: When it is no address.
    """
    if address != "auto":
        host, _, port = address.rpartition("://")[2].rpartition(":")
        socket.create_connection((host, int(port)), _KNOCK_SECONDS).close()


def _start(settings: Settings, n_actors: int) -> list[Any]:
    """Start actors and keep those that found a free CPU."""
    remote: Any = ray.remote(num_cpus=1)(Station)
    arguments = (settings.media_limits, settings.decode_timeout_seconds)
    made = [remote.remote(*arguments, settings.decode_memory_bytes) for _ in range(n_actors)]
    greetings = {actor.fingerprints.remote(): actor for actor in made}
    ready, late = ray.wait(list(greetings), num_returns=n_actors, timeout=_START_SECONDS)
    for greeting in late:
        ray.kill(greetings[greeting])
    if not ready:
        raise DataError(f"expected a free CPU in the Ray cluster, none was in {_START_SECONDS} s")
    for installed in ray.get(ready):
        if installed != _fingerprints():
            raise DataError(
                f"expected the extractors {_fingerprints()} on every node of the Ray cluster, got "
                f"{installed}: install the same Kyomei everywhere"
            )
    return [greetings[greeting] for greeting in ready]


def _n_cpus() -> int:
    resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    return max(1, int(resources.get("CPU", 1)))


def _fingerprints() -> dict[str, str]:
    """Fingerprint of every extractor, empty for one whose weights are not on this machine."""
    return {name: _fingerprint(make()) for name, make in EXTRACTORS.items()}


def _fingerprint(extractor: Extractor[Any]) -> str:
    try:
        return extractor.spec.fingerprint
    except DataError:
        return ""
