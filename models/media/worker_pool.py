"""Run a function in worker processes that may crash, hang or run out of memory at no other cost."""

import logging
import math
import multiprocessing
import os
import queue
import resource
import signal
import threading
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from models.errors import DataError, KyomeiError, MediaError

Question = TypeVar("Question")
Answer = TypeVar("Answer")
_Setup = Callable[[], Callable[[Any], Any]]

_LOGGER = logging.getLogger(__name__)
_SPAWN = multiprocessing.get_context("spawn")  # a fork would copy locks held by server threads
_START_SECONDS = 120.0
_GRACE_SECONDS = 5
_READY = "ready"


class WorkerStartError(RuntimeError):
    """A worker did not start; that is no fault of the file it was started for.

    Attributes:
        cause: Exit code, or what its setup said.
    """

    def __init__(self, cause: str) -> None:
        super().__init__(f"a worker did not start: {cause}")
        self.cause = cause


class WorkerPool(Generic[Question, Answer]):
    """A function in warm worker processes with a time limit and a memory limit.

    A worker that crashes or runs out of time is killed and replaced; the call that met it gets a
    ``MediaError`` and the next call a fresh worker. Safe to use from any number of threads. A
    context manager: leaving it closes it.

    Args:
        setup: Called once in each worker; returns the function that answers its questions. Must
            be picklable, as questions and answers must. ``ask`` raises a ``KyomeiError`` that the
            function raises or returns.
        workers: Number of processes, and so of questions answered at the same time, at least 1.
        timeout_seconds: Time for one question, without the wait for a free worker.
        memory_bytes: Address space of one worker (RLIMIT_AS).

    Raises:
        DataError: If ``workers`` is below 1.
    """

    def __init__(
        self,
        setup: Callable[[], Callable[[Question], Answer | KyomeiError]],
        *,
        workers: int,
        timeout_seconds: float,
        memory_bytes: int,
    ) -> None:
        if workers < 1:
            raise DataError(f"workers: expected at least 1, found {workers}")
        self._start = partial(_Worker, setup, timeout_seconds, memory_bytes)
        self._is_closed = False
        self._lock = threading.Lock()  # guards _is_closed and _all
        self._all = {self._start() for _ in range(workers)}
        self._idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        for worker in self._all:
            self._idle.put(worker)

    def ask(self, question: Question) -> Answer:
        """Return what the function of an idle worker answers.

        Raises:
            KyomeiError: That the function raised or returned; a ``MediaError`` also with
                ``timeout`` when it took too long, ``too_large`` when it lacked memory and
                ``damaged`` when it crashed.
            WorkerStartError: When the worker does not start.
            RuntimeError: After ``close``.
        """
        worker = self._idle.get()
        try:
            if not worker.is_alive():  # killed from outside while it waited
                worker = self._replaced(worker)
            if self._is_closed:
                raise RuntimeError(f"expected an open {type(self).__name__}, this one is closed")
            answer: Answer | KyomeiError = worker.ask(question)
        finally:
            self._idle.put(worker if worker.is_usable else self._replaced(worker))
        if isinstance(answer, KyomeiError):
            raise answer
        return answer

    def close(self) -> None:
        """Stop all workers; calls under way end with a ``MediaError``, later ones are refused."""
        with self._lock:
            self._is_closed = True
            workers = list(self._all)
        for worker in workers:
            worker.stop()

    def __enter__(self) -> Self:
        """Return the pool itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    def _replaced(self, worker: "_Worker") -> "_Worker":
        """Return a new worker in place of a broken one; after ``close`` the broken one itself."""
        ended = worker.stop()
        with self._lock:
            if self._is_closed:
                return worker
            _LOGGER.warning("A worker ended with %s; another takes its place", ended)
            self._all.discard(worker)
            fresh = self._start()
            self._all.add(fresh)
        return fresh


class _Worker:
    """One process and our end of the pipe to it; used by one thread at a time, stopped by any."""

    def __init__(self, setup: _Setup, timeout_seconds: float, memory_bytes: int) -> None:
        self._timeout_seconds = timeout_seconds
        self._pipe, theirs = _SPAWN.Pipe()
        arguments = (theirs, setup, timeout_seconds, memory_bytes)
        self._process = _SPAWN.Process(target=_serve, args=arguments, daemon=True)
        try:
            self._process.start()
        except OSError as error:  # no memory for a process, or it ended at once
            _LOGGER.warning("A worker does not start: %s", error)
        theirs.close()  # so that the end of the process is the end of the pipe
        self._is_ready = False
        self.is_usable = True

    def ask(self, question: Any) -> Any:
        """Send a question, wait for the answer or error; not usable any more after a failure."""
        self.is_usable = False
        self._wait_until_ready()
        seconds = self._timeout_seconds
        try:
            self._pipe.send(question)
            if not self._pipe.poll(seconds):
                return MediaError(
                    "timeout", f"expected a file that decodes within {seconds:g} s, it took longer"
                )
            answer = self._pipe.recv()
        except (EOFError, OSError):
            return MediaError(
                "damaged",
                f"expected a file that decodes, the decoder crashed on it ({self.stop()})",
            )
        self.is_usable = True
        return answer

    def _wait_until_ready(self) -> None:
        """Wait for the imports and the setup of a fresh worker, or raise ``WorkerStartError``."""
        if self._is_ready:
            return
        greeting = None
        try:
            if self._pipe.poll(_START_SECONDS):
                greeting = self._pipe.recv()
        except (EOFError, OSError):
            _LOGGER.debug("The pipe of a fresh worker closed")
        if greeting != _READY:
            ended = self.stop()
            raise WorkerStartError(greeting or ended)
        self._is_ready = True

    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process.is_alive()

    def stop(self) -> str:
        """Kill the process, at once and whatever it does, wait for its end and return how it was.

        The pipe closes when nothing refers to it any more: another thread may be reading it.
        """
        if self._process.pid is None:
            return "no process"
        self._process.kill()
        self._process.join()
        return f"exit code {self._process.exitcode}"


def _serve(pipe: Connection, setup: _Setup, timeout_seconds: float, memory_bytes: int) -> None:
    """Answer questions until the pipe closes; runs in the worker."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which closes us
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        function = setup()
    except KyomeiError as error:
        pipe.send(str(error))
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    pipe.send(_READY)
    while True:
        try:
            question = pipe.recv()
        except (EOFError, OSError):
            return
        # Ends us even inside a library that holds the interpreter while the parent is gone.
        signal.alarm(math.ceil(timeout_seconds) + _GRACE_SECONDS)
        pipe.send(_answer(function, question))
        signal.alarm(0)


def _answer(function: Callable[[Any], Any], question: Any) -> Any:
    try:
        return function(question)
    except KyomeiError as error:
        return error
    except MemoryError:
        return MediaError("too_large", "decoding this file needs more memory than a worker has")


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
