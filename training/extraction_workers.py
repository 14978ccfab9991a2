"""Processes that decode a file and compute its features; a crash or a hang costs one file only."""

import logging
import multiprocessing
import resource
import signal
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Self

import numpy as np

from models.errors import DataError, KyomeiError, MediaError
from models.features.extractor import Extractor
from models.features.registry import extractor
from models.media.limits import MediaLimits
from models.media.load import load
from models.types import Float32Array, Modality
from training.datasets.example import Example

logger = logging.getLogger(__name__)

_START_SECONDS = 120.0
_AHEAD_PER_WORKER = 16
_READY = "ready"


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """What a worker does with a file.

    Attributes:
        extractors: Name of the extractor of each modality.
        limits: Bounds of decoding.
        steps: None for one pooled row a file; T for T rows, see ``resample_steps``.
        timeout_seconds: A file that takes longer is given up.
        memory_bytes: Address space of a worker; a file that needs more is given up.
    """

    extractors: Mapping[Modality, str]
    limits: MediaLimits = field(default_factory=MediaLimits)
    steps: int | None = None
    timeout_seconds: float = 120.0
    memory_bytes: int = 8 * 2**30


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """Features of an example, or why there are none.

    Attributes:
        example: What was asked for.
        result: Features of shape (D,), or (T, D) with ``steps``; or what was wrong with the file.
    """

    example: Example
    result: Float32Array | MediaError


class ExtractionPool:
    """Worker processes behind an ordered iterator. A context manager: leaving it stops them.

    Args:
        settings: What workers do with a file.
        workers: How many processes, at least 1.

    Raises:
        DataError: If ``workers`` is below 1.
    """

    def __init__(self, settings: WorkerSettings, *, workers: int = 2) -> None:
        if workers < 1:
            raise DataError(f"workers: expected at least 1, found {workers}")
        self._workers = [_Worker(settings) for _ in range(workers)]
        self._idle: SimpleQueue[_Worker] = SimpleQueue()
        for worker in self._workers:
            self._idle.put(worker)
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="extract")

    def __enter__(self) -> Self:
        """Return the pool."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the processes, whatever they are doing."""
        for worker in self._workers:
            worker.close()
        self._threads.shutdown(cancel_futures=True)

    def map(self, examples: Iterable[Example]) -> Iterator[Outcome]:
        """Yield the outcome of each example, in the order of the examples.

        Args:
            examples: Taken a few ahead of what was yielded, never all at once.

        Raises:
            DataError: If a worker cannot start, for example for an unknown extractor.
        """
        ahead: deque[Future[Outcome]] = deque()
        for example in examples:
            if len(ahead) == _AHEAD_PER_WORKER * len(self._workers):
                yield ahead.popleft().result()
            ahead.append(self._threads.submit(self._extract, example))
        while ahead:
            yield ahead.popleft().result()

    def _extract(self, example: Example) -> Outcome:
        worker = self._idle.get()
        try:
            return Outcome(example, worker.extract(example))
        finally:
            self._idle.put(worker)


class _Worker:
    """One process; started for the first file and again after a crash or a hang."""

    def __init__(self, settings: WorkerSettings) -> None:
        self._settings = settings
        self._process: BaseProcess | None = None
        self._connection: Connection[Any, Any] | None = None
        self._closed = False

    def extract(self, example: Example) -> Float32Array | MediaError:
        """Return the features of one example, or what went wrong with it."""
        connection = self._connection or self._start()
        seconds = self._settings.timeout_seconds
        try:
            connection.send(example)
            if connection.poll(seconds):
                answer: Float32Array | MediaError = connection.recv()
                return answer
            error = MediaError("timeout", f"expected features within {seconds:g} s, found none")
        except (EOFError, ConnectionError):
            error = MediaError("damaged", f"decoding it ended its process ({self._exit_code()})")
        self._stop()
        return error

    def close(self) -> None:
        """Kill the process; a thread that waits for its answer gets an error at once."""
        self._closed = True
        if self._process is not None:
            self._process.kill()

    def _start(self) -> "Connection[Any, Any]":
        if self._closed:
            raise DataError("the workers are stopped")
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, self._settings), daemon=True)
        process.start()
        theirs.close()
        self._process, self._connection = process, ours
        try:
            greeting = ours.recv() if ours.poll(_START_SECONDS) else "no answer"
        except (EOFError, ConnectionError):
            greeting = self._exit_code()
        if greeting != _READY:
            self._stop()
            raise DataError(f"an extraction worker could not start: {greeting}")
        return ours

    def _stop(self) -> None:
        if self._connection is not None:
            self._connection.close()
        if self._process is not None:
            self._process.kill()
            self._process.join()
        self._process = self._connection = None

    def _exit_code(self) -> str:
        if self._process is None:
            return "not started"
        self._process.join(5.0)
        return f"exit code {self._process.exitcode}"


def _serve(connection: "Connection[Any, Any]", settings: WorkerSettings) -> None:
    """Answer every example until the other end closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    try:
        built = {modality: extractor(name) for modality, name in settings.extractors.items()}
    except KyomeiError as error:
        connection.send(str(error))
        return
    _, hard_limit = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (settings.memory_bytes, hard_limit))
    connection.send(_READY)
    while True:
        try:
            example = connection.recv()
        except EOFError:
            return
        connection.send(features_of(example, built[example.modality], settings))


def features_of(
    example: Example, reader: Extractor[Any], settings: WorkerSettings
) -> Float32Array | MediaError:
    """Decode one example and compute its features, in this process.

    Args:
        example: What to read.
        reader: Extractor of its modality.
        settings: Limits and form of the features.

    Returns:
        Shape (D,), or (T, D) with ``settings.steps``; or what was wrong with the file.
    """
    try:
        media = load(example.source, example.modality, settings.limits)
        if settings.steps is None:
            features = reader.pooled(media)
        else:
            features = resample_steps(reader.sequence(media), settings.steps)
    except MediaError as error:
        return error
    except MemoryError:
        limit = settings.memory_bytes / 2**30
        return MediaError("too_large", f"expected to need at most {limit:.1f} GiB of memory")
    except Exception as error:  # one file must not stop thousands
        logger.exception("no features for %s %s", example.modality, example.id)
        return MediaError("features", f"{type(error).__name__}: {error}")
    if not np.isfinite(features).all():
        return MediaError("features", "expected finite features, found NaN or infinity")
    return features


def resample_steps(sequence: Float32Array, steps: int) -> Float32Array:
    """Average a sequence of any length into a fixed number of equal parts.

    Args:
        sequence: Rows in order, shape (N, D), N >= 1.
        steps: Number of parts T >= 1. Part t is the mean of rows floor(t N / T) up to, not
            including, ceil((t + 1) N / T); rows repeat when N is below T.

    Returns:
        Shape (T, D), float32.
    """
    numbers = np.arange(steps + 1) * len(sequence)
    starts, ends = numbers[:-1] // steps, -(-numbers[1:] // steps)
    return np.stack(
        [sequence[start:end].mean(axis=0) for start, end in zip(starts, ends, strict=True)]
    ).astype(np.float32)
