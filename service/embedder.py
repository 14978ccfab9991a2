"""Media in, embeddings out: the part of the path that queries and new items share."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np

from models.errors import MediaError
from models.media.load import Probe
from models.media.worker_pool import WorkerStartError
from models.spaces import SharedSpace
from models.types import Float32Array, Media, Modality, Place
from service.artefacts import SpaceFolder, served_pairs
from service.catalog.records import Embedding, Excerpt, Placed
from service.errors import ProblemError
from service.reading import Cutting, MediaReader, Reader, Reading, RowsWanted, features_of
from service.settings import Settings


class Embedder:
    """The opened spaces with their extractors and the processes that decode; thread-safe.

    Args:
        spaces: What to open.
        settings: Limits and number of workers.

    Attributes:
        spaces: Name -> the space's folder and manifest.
        workers: Number of decoding processes.

    Raises:
        ArtefactError: When weights are missing or do not fit their manifest.
    """

    def __init__(self, spaces: Sequence[SpaceFolder], settings: Settings) -> None:
        self.spaces: Mapping[str, SpaceFolder] = {space.name: space for space in spaces}
        self._pairs = tuple(served_pairs(spaces))
        self._opened: dict[str, SharedSpace] = {space.name: space.open() for space in spaces}
        self.workers = settings.decode_workers
        self._slots = threading.BoundedSemaphore(settings.decode_workers)
        self._queue_seconds = settings.queue_seconds
        self._trouble: str | None = None
        self._loader = MediaReader(
            settings.media_limits,
            workers=self.workers,
            timeout_seconds=settings.decode_timeout_seconds,
            memory_bytes=settings.decode_memory_bytes,
        )

    def close(self) -> None:
        """End the decoding processes."""
        self._loader.close()

    @property
    def modalities(self) -> tuple[Modality, ...]:
        """What at least one space covers."""
        covered = {modality for space in self.spaces.values() for modality in space.modalities}
        return tuple(modality for modality in Modality if modality in covered)

    def space_names(self, *modalities: Modality) -> list[str]:
        """Names of the spaces that cover all of ``modalities``, in the order they were opened."""
        return [
            name for name, space in self.spaces.items() if set(modalities) <= set(space.modalities)
        ]

    def choose_space(self, source: Modality, target: Modality, name: str | None) -> str:
        """Return ``name`` if that space covers the pair, or the first that does.

        Raises:
            ProblemError: ``unknown-space`` with the names that would do, or the pairs that exist.
        """
        fitting = self.space_names(source, target)
        if not fitting:
            pairs = ", ".join(f"{one}-to-{other}" for one, other in self._pairs)
            raise ProblemError(
                "unknown-space",
                f"Expected a pair that a space covers ({pairs}), got {source}-to-{target}",
            )
        if name is None or name in fitting:
            return name or fitting[0]
        offer = ", ".join(fitting)
        raise ProblemError(
            "unknown-space",
            f"{source} to {target}: expected one of {offer}; asked for space {name!r}",
        )

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Hold one of the places for decoding and extracting, which bounds the memory in use.

        Raises:
            ProblemError: ``busy`` when none becomes free in time.
        """
        if not self._slots.acquire(timeout=self._queue_seconds):
            raise ProblemError("busy", f"No worker became free in {self._queue_seconds:g} seconds")
        try:
            yield
        finally:
            self._slots.release()

    @property
    def trouble(self) -> str | None:
        """Why no file could be decoded when it was last tried, or None."""
        return self._trouble

    @contextmanager
    def _decoding(self) -> Iterator[None]:
        """Remember whether the decoding processes start; what needs none of them goes on."""
        try:
            yield
        except WorkerStartError as error:
            self._trouble = f"the decoding processes do not start ({error})"
            raise ProblemError("decoders-down", f"No file can be read: {self._trouble}") from error
        except MediaError:
            self._trouble = None
            raise
        self._trouble = None

    def decode(self, source: bytes | Path, modality: Modality) -> Media:
        """Decode in a worker process, within the limits.

        Raises:
            MediaError: When the bytes are not such media.
            ProblemError: ``decoders-down`` when no worker starts.
        """
        with self._decoding():
            return self._loader.load(source, modality)

    def probe(self, source: bytes | Path) -> Probe:
        """Tell in a worker process what a file is; no decoder runs in this one.

        Raises:
            MediaError: When it is no media that we read.
        """
        with self._decoding():
            return self._loader.probe(source)

    def read(
        self,
        source: bytes | Path,
        modality: Modality | None,
        spaces: Sequence[str] | None = None,
        *,
        reader: Reader | None = None,
    ) -> Reading:
        """Decode a file and compute its features for several spaces, in one worker process.

        Args:
            source: The encoded file, or where it lies.
            modality: What to take it as; None: what its content most likely is.
            spaces: Names of spaces; None: all that cover the modality.
            reader: Who works; None: the processes of this embedder.

        Raises:
            MediaError: When the bytes are not such media.
            ProblemError: ``decoders-down`` when no worker starts, ``unknown-space`` when none of
                the spaces covers the modality.
        """
        wanted = {m: self._all_wanted(m, spaces) for m in self.modalities}
        with self._decoding():
            found = (reader or self._loader).read(
                source, modality, {m: rows for m, rows in wanted.items() if rows}
            )
        if isinstance(found, Reading):
            return found
        asked = "the loaded spaces" if spaces is None else ", ".join(spaces)
        raise ProblemError("unknown-space", f"None of {asked} covers {found}")

    def place(
        self, readings: Sequence[Reading], spaces: Sequence[str] | None = None
    ) -> list[dict[str, Placed]]:
        """Place what was read in its spaces, all of a kind in one step; the bits of ``embed``.

        Args:
            readings: Answers of ``read`` for the same spaces.
            spaces: As there.

        Returns:
            Space name -> embedding, or those of the windows of a song, for each reading.
        """
        placed: list[dict[str, Placed]] = [{} for _ in readings]
        for modality in {reading.facts.modality for reading in readings}:
            among = [i for i, read in enumerate(readings) if read.facts.modality is modality]
            for space in self._places(modality, spaces):
                wanted = self._wanted(space, modality)
                rows = [readings[i].features[wanted] for i in among]
                rows = rows if wanted.windows else [row[None] for row in rows]
                together = iter(self._project(np.concatenate(rows), space, modality))
                for i, some in zip(among, rows, strict=True):
                    embeddings = list(islice(together, len(some)))
                    placed[i][space] = _placed(embeddings, readings[i].places)
        return placed

    def takes_windows(self, space: str, modality: Modality) -> bool:
        """Whether a space compares windows of songs rather than whole items."""
        return self._wanted(space, modality).windows

    def cut(
        self,
        source: bytes | Path,
        modality: Modality,
        *,
        most: int | None = None,
        only: Place | None = None,
    ) -> Cutting:
        """Decode and cut in a worker process; see ``models.features.windows.windows_of``.

        Raises:
            MediaError: When the bytes are not such media.
            ProblemError: ``decoders-down`` when no worker starts.
        """
        with self._decoding():
            return self._loader.cut(source, modality, most=most, only=only)

    def project_all(
        self, features: Sequence[Float32Array], space: str, modality: Modality
    ) -> list[Embedding]:
        """Place the features of several windows, each (D,) or (T, D), in a space."""
        return self._project(np.stack(features), space, modality)

    def features(self, media: Media, space: str, modality: Modality) -> Float32Array:
        """Features of decoded media as the space was trained on: (D,), or (T, D) for sequences."""
        return features_of(media, self._wanted(space, modality))

    def project(self, features: Float32Array, space: str, modality: Modality) -> Embedding:
        """Place features, (D,) or (T, D), in a space."""
        return self._project(features[None, :], space, modality)[0]

    def embed(
        self, media: Media, modality: Modality, spaces: Sequence[str]
    ) -> dict[str, Embedding]:
        """Place media in several spaces; an extractor that they share runs once.

        Args:
            media: Decoded media.
            modality: What it is.
            spaces: Names of spaces that cover the modality.
        """
        rows: dict[RowsWanted, Float32Array] = {}
        placed: dict[str, Embedding] = {}
        for space in spaces:
            wanted = self._wanted(space, modality)
            if wanted not in rows:
                rows[wanted] = self.features(media, space, modality)
            placed[space] = self.project(rows[wanted], space, modality)
        return placed

    def _project(self, rows: Float32Array, space: str, modality: Modality) -> list[Embedding]:
        """Place features (B, D) or (B, T, D); a row has the same bits alone and in a batch."""
        opened = self._opened[space]
        vectors, typicality = opened.project(modality, rows), opened.typicality(modality, rows)
        return [Embedding(*pair) for pair in zip(vectors, typicality.tolist(), strict=True)]

    def _places(self, modality: Modality, spaces: Sequence[str] | None) -> list[str]:
        covering = self.space_names(modality)
        return [name for name in covering if spaces is None or name in spaces]

    def _all_wanted(
        self, modality: Modality, spaces: Sequence[str] | None
    ) -> tuple[RowsWanted, ...]:
        """What several spaces need of a modality; what they share comes once."""
        names = self._places(modality, spaces)
        return tuple(dict.fromkeys(self._wanted(name, modality) for name in names))

    def _wanted(self, space: str, modality: Modality) -> RowsWanted:
        folder = self.spaces[space]
        return RowsWanted(
            folder.extractor_name(modality),
            folder.view(modality).steps,
            folder.takes_windows(modality),
        )


def _placed(embeddings: Sequence[Embedding], places: Sequence[Place]) -> Placed:
    """A song of one window lies in a space as a whole."""
    if len(embeddings) == 1:
        return embeddings[0]
    return [
        replace(embedding, excerpt=Excerpt(position, place))
        for position, (embedding, place) in enumerate(zip(embeddings, places, strict=True), start=1)
    ]
