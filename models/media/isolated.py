"""Decode in worker processes, so that hostile media can stop a worker but never the service."""

import logging
import math
import multiprocessing
import os
import queue
import resource
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from models.errors import MediaError
from models.media.limits import MediaLimits
from models.media.load import Probe, load, probe
from models.types import Media, Modality

Decoder = Callable[[bytes | Path, Modality, MediaLimits], Media]
Prober = Callable[[bytes | Path, MediaLimits], Probe]
_Question = tuple[bytes | Path, Modality | None]  # without a modality: what is it?

_LOGGER = logging.getLogger(__name__)
_SPAWN = multiprocessing.get_context("spawn")  # a fork would copy locks held by server threads
_START_SECONDS = 120.0
_GRACE_SECONDS = 5


class IsolatedLoader:
    """``load`` and ``probe`` in warm worker processes with a time limit and a memory limit.

    A worker that crashes or runs out of time is killed and replaced; the call that met it gets a
    ``MediaError`` and the next call a fresh worker. Safe to use from any number of threads.

    Args:
        limits: Passed to every ``load`` and ``probe``.
        workers: Number of processes, and so of files decoded at the same time.
        timeout_seconds: Time for one file, without the wait for a free worker.
        memory_bytes: Address space of one worker (RLIMIT_AS).
        decoder: What a worker runs for ``load``; importable by name.
        prober: What a worker runs for ``probe``; importable by name.

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
    ) -> None:
        self._duty = _Duty(limits, decoder, prober, timeout_seconds, memory_bytes)
        self._is_closed = False
        self._lock = threading.Lock()  # guards _is_closed and _all
        self._all = {_Worker(self._duty) for _ in range(workers)}
        self._idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        for worker in self._all:
            self._idle.put(worker)

    def load(self, source: bytes | Path, modality: Modality) -> Media:
        """Decode a file as ``models.media.load.load`` does.

        Raises:
            MediaError: As ``load``; also ``timeout`` when it took too long and ``damaged`` when
                the decoder crashed on it.
            RuntimeError: After ``close``.
        """
        media: Media = self._ask((source, modality))
        return media

    def probe(self, source: bytes | Path) -> Probe:
        """Tell what a file is as ``models.media.load.probe`` does.

        Raises:
            MediaError: As ``probe``; also ``timeout`` and ``damaged`` as ``load`` here.
            RuntimeError: After ``close``.
        """
        found: Probe = self._ask((source, None))
        return found

    def close(self) -> None:
        """Stop all workers; calls under way end with a ``MediaError``, later ones are refused."""
        with self._lock:
            self._is_closed = True
            workers = list(self._all)
        for worker in workers:
            worker.stop()

    def __enter__(self) -> Self:
        """Return the loader itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    def _ask(self, question: _Question) -> Any:
        """Return the ``Media`` or ``Probe`` that an idle worker answers."""
        worker = self._idle.get()
        try:
            if not worker.is_alive():  # killed from outside while it waited
                worker = self._replaced(worker)
            if self._is_closed:
                raise RuntimeError("expected an open IsolatedLoader, this one is closed")
            answer = worker.ask(question, self._duty.timeout_seconds)
        finally:
            self._idle.put(worker if worker.is_usable else self._replaced(worker))
        if isinstance(answer, MediaError):
            raise answer
        return answer

    def _replaced(self, worker: "_Worker") -> "_Worker":
        """Return a new worker in place of a broken one; after ``close`` the broken one itself."""
        worker.stop()
        with self._lock:
            if self._is_closed:
                return worker
            self._all.discard(worker)
            fresh = _Worker(self._duty)
            self._all.add(fresh)
        return fresh


@dataclass(frozen=True, slots=True)
class _Duty:
    """What a worker does, and within which limits."""

    limits: MediaLimits
    decoder: Decoder
    prober: Prober
    timeout_seconds: float
    memory_bytes: int

    def answer(self, question: _Question) -> Media | Probe | MediaError:
        """Decode or probe; runs in the worker."""
        source, modality = question
        try:
            if modality is None:
                return self.prober(source, self.limits)
            return self.decoder(source, modality, self.limits)
        except MediaError as error:
            return error
        except MemoryError:
            return MediaError("too_large", "decoding this file needs more memory than a worker has")


class _Worker:
    """One process and our end of the pipe to it; used by one thread at a time, stopped by any."""

    def __init__(self, duty: _Duty) -> None:
        self._pipe, theirs = _SPAWN.Pipe()
        self._process = _SPAWN.Process(
            target=_serve, args=(theirs, duty), name="kyomei-media", daemon=True
        )
        self._process.start()
        theirs.close()  # so that the end of the process is the end of the pipe
        self._is_ready = False
        self.is_usable = True

    def ask(self, question: _Question, seconds: float) -> Media | Probe | MediaError:
        """Send one file and wait for the answer or error; not usable any more after a failure."""
        self.is_usable = False
        self._wait_until_ready()
        try:
            self._pipe.send(question)
            if not self._pipe.poll(seconds):
                return MediaError(
                    "timeout", f"expected a file that decodes in {seconds:g} s, it took longer"
                )
            answer: Media | Probe | MediaError = self._pipe.recv()
        except (EOFError, OSError):
            self.stop()
            _LOGGER.warning("A media worker ended with exit code %s", self._process.exitcode)
            return MediaError(
                "damaged",
                f"expected a file that decodes, the decoder crashed on it "
                f"(exit code {self._process.exitcode})",
            )
        self.is_usable = True
        return answer

    def _wait_until_ready(self) -> None:
        """Wait for the imports of a fresh worker.

        Raises:
            RuntimeError: When it does not start; that is no fault of the file.
        """
        if self._is_ready:
            return
        try:
            self._is_ready = self._pipe.poll(_START_SECONDS) and self._pipe.recv()
        except (EOFError, OSError):
            self._is_ready = False
        if not self._is_ready:
            self.stop()
            raise RuntimeError(f"a media worker did not start (exit code {self._process.exitcode})")

    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process.is_alive()

    def stop(self) -> None:
        """Kill the process, at once and whatever it does, and wait for its end.

        The pipe closes when nothing refers to it any more: another thread may be reading it.
        """
        self._process.kill()
        self._process.join()


def _serve(pipe: Connection, duty: _Duty) -> None:
    """Answer questions until the pipe closes; runs in the worker."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which closes us
    threading.Thread(target=_end_with_parent, daemon=True).start()
    resource.setrlimit(resource.RLIMIT_AS, (duty.memory_bytes, duty.memory_bytes))
    alarm_seconds = math.ceil(duty.timeout_seconds) + _GRACE_SECONDS
    pipe.send(True)
    while True:
        try:
            question = pipe.recv()
        except (EOFError, OSError):
            return
        # Ends us even inside a library that holds the interpreter while the parent is gone.
        signal.alarm(alarm_seconds)
        pipe.send(duty.answer(question))
        signal.alarm(0)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
