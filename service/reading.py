"""Everything that is worked out from a file before a space is asked, in one worker process.

A file is decoded where its features are computed: only some numbers come back, never its pictures
or samples. So the work spreads over processes, and the memory of each is bounded.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol, cast

import numpy as np

from models.errors import MediaError
from models.features.extractor import Extractor
from models.features.registry import extractor
from models.features.steps import resample_steps
from models.features.windows import windows_of
from models.media.isolated import Duty, IsolatedLoader
from models.media.limits import MediaLimits
from models.types import Float32Array, Lyrics, Media, Modality, Place, Window
from service.captions import first_line
from service.facts import MediaFacts, describe


class RowsWanted(NamedTuple):
    """Which features of a file.

    Attributes:
        extractor: Name of the extractor.
        steps: None for one pooled row (D,); T for T rows (T, D).
        windows: Whether the file is cut and each window gives that, with one more axis in front.
    """

    extractor: str
    steps: int | None
    windows: bool = False


Wanted = Mapping[Modality, tuple[RowsWanted, ...]]
"""Which features each modality that is covered needs."""


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What one file gave.

    Attributes:
        facts: Type, hash, size and measures.
        first_line: Of lyrics, cut to a title; None for other media.
        features: (D,) or (T, D) by what was wanted, finite; (W, D) or (W, T, D) of W windows.
        places: Where the windows lie, if it was cut.
    """

    facts: MediaFacts
    first_line: str | None
    features: Mapping[RowsWanted, Float32Array]
    places: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Cutting:
    """A file that was decoded and cut.

    Attributes:
        media: The whole.
        media_type: MIME type.
        windows: At least one.
    """

    media: Media
    media_type: str
    windows: tuple[Window, ...]


@dataclass(frozen=True, slots=True)
class _Question:
    source: bytes | Path
    modality: Modality | None
    wanted: Wanted


@dataclass(frozen=True, slots=True)
class _CutQuestion:
    source: bytes | Path
    modality: Modality
    most: int | None
    only: Place | None


class _ReadingDuty(Duty):
    """Also reads and cuts; runs in the worker."""

    def __call__(self, question: Any) -> Any:
        """Answer one question of any kind."""
        if isinstance(question, _Question):
            return self._read(question)
        if isinstance(question, _CutQuestion):
            return self._cut(question)
        return super().__call__(question)

    def _cut(self, question: _CutQuestion) -> Cutting:
        source = question.source
        media = self.decoder(source, question.modality, self.limits)
        windows = windows_of(source, media, self.limits, most=question.most, only=question.only)
        return Cutting(media, self.prober(source, self.limits).media_type, windows)

    def _read(self, question: _Question) -> Reading | Modality:
        source = question.source
        modality = question.modality or self.prober(source, self.limits).modality
        if modality not in question.wanted:
            return modality
        media = self.decoder(source, modality, self.limits)
        wanted = question.wanted[modality]
        is_cut = any(rows.windows for rows in wanted)
        windows = windows_of(source, media, self.limits) if is_cut else ()
        return Reading(
            describe(source, modality, media, self.prober(source, self.limits).media_type),
            first_line(media) if isinstance(media, Lyrics) else None,
            {rows: _rows_of(media, windows, rows) for rows in wanted},
            tuple(window.place for window in windows),
        )


class Reader(Protocol):
    """Reads several files at the same time, in other processes or on other machines.

    Attributes:
        workers: How many.
    """

    workers: int

    def read(
        self, source: bytes | Path, modality: Modality | None, wanted: Wanted
    ) -> Reading | Modality:
        """See ``MediaReader.read``."""
        ...


class MediaReader(IsolatedLoader):
    """An ``IsolatedLoader`` that can also compute features where it decodes.

    Args:
        limits: Bounds of decoding.
        workers: Number of processes.
        timeout_seconds: Time for one file.
        memory_bytes: Address space of one worker.

    Attributes:
        workers: Number of processes.
    """

    def __init__(
        self, limits: MediaLimits, *, workers: int, timeout_seconds: float, memory_bytes: int
    ) -> None:
        self.workers = workers
        super().__init__(
            limits,
            workers=workers,
            timeout_seconds=timeout_seconds,
            memory_bytes=memory_bytes,
            duty=_ReadingDuty,
        )

    def read(
        self, source: bytes | Path, modality: Modality | None, wanted: Wanted
    ) -> Reading | Modality:
        """Decode a file and compute the features that are wanted of its modality.

        Args:
            source: The encoded file, or where it lies.
            modality: What to take it as; None: what its content most likely is.
            wanted: The features of each modality.

        Returns:
            What it gave; or only what it is, when nothing is wanted of such media.

        Raises:
            MediaError: When it cannot be read; also ``timeout`` and ``damaged`` as in ``load``.
        """
        return cast("Reading | Modality", self.ask(_Question(source, modality, wanted)))

    def cut(
        self,
        source: bytes | Path,
        modality: Modality,
        *,
        most: int | None = None,
        only: Place | None = None,
    ) -> Cutting:
        """Decode a file and cut it into windows; see ``models.features.windows.windows_of``.

        Raises:
            MediaError: As ``read``.
        """
        return cast("Cutting", self.ask(_CutQuestion(source, modality, most, only)))


def _rows_of(media: Media, windows: Sequence[Window], rows: RowsWanted) -> Float32Array:
    if not rows.windows:
        return features_of(media, rows)
    return np.stack([features_of(window.media, rows) for window in windows])


def features_of(media: Media, rows: RowsWanted) -> Float32Array:
    """Compute features of decoded media in this process, (D,) or (T, D).

    Raises:
        MediaError: ``damaged`` when they are not finite.
    """
    built = _extractor(rows.extractor)
    if rows.steps is None:
        features = built.pooled(media)
    else:
        features = resample_steps(built.sequence(media), rows.steps)
    if not np.isfinite(features).all():
        raise MediaError("damaged", "expected finite features, found NaN or infinity")
    return features


@cache
def _extractor(name: str) -> Extractor[Any]:
    return extractor(name)
