"""Processes that decode a file and compute its features; a crash or a hang costs one file only.

Of an extractor with a network they run the front end only, see ``training.network_stage``.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from models.errors import DataError, MediaError
from models.features.extractor import Extractor, Pieces, runs_in_batches
from models.features.registry import extractor
from models.features.steps import resample_steps
from models.media.limits import MediaLimits
from models.media.load import load
from models.media.worker_pool import WorkerPool, WorkerStartError
from models.types import Float32Array, Media, Modality
from training.datasets.example import Example

logger = logging.getLogger(__name__)


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
        result: Features of shape (D,), or (T, D) with ``steps``; pieces for a network where the
            extractor has one; or what was wrong with the file.
    """

    example: Example
    result: Float32Array | Pieces | MediaError


class ExtractionPool(WorkerPool[Example, Pieces]):
    """Worker processes behind an ordered iterator. A context manager: leaving it stops them.

    Args:
        settings: What workers do with a file.
        workers: How many processes, at least 1.
        ahead: Files for each worker whose outcomes may wait in this process.

    Raises:
        DataError: If ``workers`` is below 1.
    """

    def __init__(self, settings: WorkerSettings, *, workers: int = 2, ahead: int = 16) -> None:
        super().__init__(
            partial(_reader, settings),
            workers=workers,
            timeout_seconds=settings.timeout_seconds,
            memory_bytes=settings.memory_bytes,
        )
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="extract")
        self._most_ahead = ahead * workers

    def close(self) -> None:
        """Stop the processes, whatever they are doing."""
        super().close()
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
            if len(ahead) == self._most_ahead:
                yield ahead.popleft().result()
            ahead.append(self._threads.submit(self._extract, example))
        while ahead:
            yield ahead.popleft().result()

    def _extract(self, example: Example) -> Outcome:
        try:
            return Outcome(example, self.ask(example))
        except MediaError as error:
            return Outcome(example, error)
        except WorkerStartError as error:
            raise DataError(f"an extraction worker could not start: {error.cause}") from error


def _reader(settings: WorkerSettings) -> Callable[[Example], Pieces | MediaError]:
    """Build the extractors once; what it returns decodes and extracts, in the worker."""
    built = {modality: extractor(name) for modality, name in settings.extractors.items()}
    return lambda example: features_of(example, built[example.modality], settings)


def features_of(
    example: Example, reader: Extractor[Any], settings: WorkerSettings
) -> Pieces | MediaError:
    """Decode one example and compute its features, or the pieces for a network, in this process.

    Args:
        example: What to read.
        reader: Extractor of its modality.
        settings: Limits and form of the features.

    Returns:
        Shape (D,), or (T, D) with ``settings.steps``; pieces (P, ...) where the extractor has a
        network; or what was wrong with the file.
    """
    try:
        media = load(example.source, example.modality, settings.limits)
        features = _described(media, reader, settings.steps)
    except MediaError as error:
        return error
    except MemoryError:
        limit = settings.memory_bytes / 2**30
        return MediaError("too_large", f"expected to need at most {limit:.1f} GiB of memory")
    except Exception as error:  # one file must not stop thousands
        logger.exception("no features for %s %s", example.modality, example.id)
        return MediaError("features", f"{type(error).__name__}: {error}")
    return checked(features)


def checked(features: Float32Array) -> Float32Array | MediaError:
    """Return features, or an error where one is not finite."""
    if not np.isfinite(features).all():
        return MediaError("features", "expected finite features, found NaN or infinity")
    return features


def _described(media: Media, reader: Extractor[Any], steps: int | None) -> Pieces:
    if runs_in_batches(reader):
        return reader.prepare(media, sequence=steps is not None)
    if steps is None:
        return reader.pooled(media)
    return resample_steps(reader.sequence(media), steps)
