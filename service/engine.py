"""The path of a query: decode -> features -> project -> search."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from models.types import Modality, Place, Window
from service.artefacts import SpaceFolder, find_spaces
from service.catalog.records import Embedding, Excerpt, Filter, Item
from service.collection.collection import Collection
from service.collection.paging import Cursor, PageRequest
from service.embedder import Embedder
from service.errors import ProblemError
from service.facts import MediaFacts, describe
from service.index.options import MilvusAddress
from service.settings import DEFAULT_COLLECTION, Settings
from service.stopwatch import Stopwatch
from service.warmup import warm_up

_logger = logging.getLogger(__name__)

LOW_TYPICALITY = 0.5
MOST_QUERY_WINDOWS = 32
FAR_NOTE = "far from what this space was trained on: treat the answers with care"


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """What a caller may ask of a search.

    Attributes:
        k: Most results, >= 1.
        offset: Results to leave out from the start.
        space: Name of the space; None: the first that covers the pair.
        min_score: Results below are left out; in [-1, 1].
        filter: Which items may be results; its ``modality`` is set by the search.
        cursor: Where the answer before ended; ``offset`` is 0 then.
        one_per_work: Whether a work is shown by its best item only.
    """

    k: int = 10
    offset: int = 0
    space: str | None = None
    min_score: float | None = None
    filter: Filter = field(default_factory=Filter)
    cursor: Cursor | None = None
    one_per_work: bool = False


@dataclass(frozen=True, slots=True)
class Ranked:
    """One result.

    Attributes:
        rank: 1 for the best.
        score: Cosine similarity times the typicality of the query, in [-1, 1].
        item: What was found.
        excerpt: The part of it that was found; None for the whole item.
        query_place: The part of the query that found it; None for a query of one window.
    """

    rank: int
    score: float
    item: Item
    excerpt: Excerpt | None = None
    query_place: Place | None = None


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """What came of a query.

    Attributes:
        query: Facts of the file that was sent, or the stored item that was the query.
        typicality: How much the query looks like what the space was trained on, in (0, 1].
        space: Name of the space that was searched.
        took_ms: Milliseconds of each step, and ``total``.
        results: Best first.
        next: Where to go on, None at the end.
    """

    query: MediaFacts | Item
    typicality: float
    space: str
    took_ms: dict[str, float]
    results: tuple[Ranked, ...]
    next: Cursor | None

    @property
    def note(self) -> str | None:
        """A warning when the query is far from everything the space has seen."""
        return FAR_NOTE if self.typicality < LOW_TYPICALITY else None


class Engine:
    """A collection, the spaces it lies in, and the way from a file to its nearest items.

    Attributes:
        name: Of the collection, in addresses.
        settings: What it was opened with.
        embedder: Media to embeddings.
        collection: Items, media and vectors.
    """

    def __init__(
        self,
        settings: Settings,
        embedder: Embedder,
        collection: Collection,
        name: str = DEFAULT_COLLECTION,
    ) -> None:
        self.name = name
        self.settings = settings
        self.embedder = embedder
        self.collection = collection
        self._waiting_for: str | None = "the extractors are warming up"

    @classmethod
    def open(
        cls,
        settings: Settings,
        spaces: tuple[SpaceFolder, ...] | None = None,
        name: str = DEFAULT_COLLECTION,
    ) -> "Engine":
        """Read weights, open the collection and start the decoding processes.

        Args:
            settings: Folders, limits and index.
            spaces: The spaces, when their manifests were read already.
            name: Of the collection, in addresses.

        Raises:
            ArtefactError: When a space is broken or does not fit the extractors or the indexes.
        """
        found = find_spaces(settings) if spaces is None else spaces
        collection = Collection(
            settings.data,
            [space.ref for space in found],
            backend=settings.index_backend,
            device=settings.index_device,
            threads=settings.threads,
            recall=settings.index_recall,
            memory_bytes=settings.index_memory_bytes,
            database_url=settings.database_url,
            milvus=MilvusAddress.of(settings),
        )
        try:
            return cls(settings, Embedder(found, settings), collection, name)
        except BaseException:
            collection.close()
            raise

    def close(self) -> None:
        """End the decoding processes, write the indexes and release the data folder."""
        self.embedder.close()
        self.collection.close()

    def warm_up(self) -> None:
        """Run one tiny file of every modality through, so that the first request is fast."""
        start = time.perf_counter()
        try:
            warm_up(self.embedder, workers=self.embedder.workers)
        except Exception as error:
            self._waiting_for = f"the warm-up failed: {error}"
            raise
        self._waiting_for = None
        _logger.info("warmed up in %.1f s", time.perf_counter() - start)

    @property
    def waiting_for(self) -> str | None:
        """Why the engine is not ready yet, or None when it is."""
        return self._waiting_for

    def search(
        self, query: bytes | Path, source: Modality, target: Modality, options: SearchOptions
    ) -> SearchAnswer:
        """Find the nearest items of one modality to a file of another.

        Args:
            query: The encoded file, or where it lies.
            source: What to take the file as; a video taken as audio gives its sound track.
            target: What to look for.
            options: How many, from where, in which space, and which items may answer.

        Raises:
            MediaError: When the file is not such media.
            ProblemError: ``unknown-space``, or ``busy`` when no worker is free.
        """
        space = self.embedder.choose_space(source, target, options.space)
        watch = Stopwatch()
        with self.embedder.slot():
            with watch.step("decode"):
                facts, windows = self._decoded(query, source, space)
            with watch.step("features"):
                features = [self.embedder.features(w.media, space, source) for w in windows]
        with watch.step("project"):
            points = self.embedder.project_all(features, space, source)
        with watch.step("search"):
            places = [window.place for window in windows]
            results, following = self._nearest(points, space, target, options, places=places)
        took = watch.took_ms()
        return SearchAnswer(facts, _typicality(points), space, took, results, following)

    def _decoded(
        self, query: bytes | Path, source: Modality, space: str
    ) -> tuple[MediaFacts, tuple[Window, ...]]:
        """Return what the query is, and the windows that a space of songs compares, or it whole."""
        if self.embedder.takes_windows(space, source):
            cutting = self.embedder.cut(query, source, most=MOST_QUERY_WINDOWS)
            return describe(query, source, cutting.media, cutting.media_type), cutting.windows
        media = self.embedder.decode(query, source)
        media_type = self.embedder.probe(query).media_type
        return describe(query, source, media, media_type), (Window(Place(), media),)

    def similar(
        self, item: Item, target: Modality, options: SearchOptions, *, include_self: bool
    ) -> SearchAnswer:
        """Find the nearest items of one modality to a stored item, by its stored embedding.

        Args:
            item: The query.
            target: What to look for.
            options: As for ``search``.
            include_self: Whether the item itself may be a result.

        Raises:
            ProblemError: ``unknown-space``, or ``no-embedding`` when the item was never placed
                in that space.
        """
        watch = Stopwatch()
        with watch.step("search"):
            space, points = self._stored(item, target, options.space)
            places = [Place() if one.excerpt is None else one.excerpt.place for one in points]
            without = None if include_self else item
            results, following = self._nearest(
                points, space, target, options, places=places, without=without
            )
        took = watch.took_ms()
        return SearchAnswer(item, _typicality(points), space, took, results, following)

    def _stored(
        self, item: Item, target: Modality, name: str | None
    ) -> tuple[str, Sequence[Embedding]]:
        """Return the first space that fits and holds the item, and where the item lies in it."""
        self.embedder.choose_space(item.modality, target, name)
        fitting = self.embedder.space_names(item.modality, target) if name is None else [name]
        for space in fitting:
            found = self.collection.embeddings_of(item, space)
            if found:
                return space, found
        raise ProblemError("no-embedding", f"Item {item.id} lies in none of {', '.join(fitting)}")

    def _nearest(
        self,
        points: Sequence[Embedding],
        space: str,
        target: Modality,
        options: SearchOptions,
        *,
        places: Sequence[Place],
        without: Item | None = None,
    ) -> tuple[tuple[Ranked, ...], Cursor | None]:
        """Rank items by cosine x typicality, so that a query like nothing known scores low.

        The best window of the query counts, each by its own typicality.
        """
        most = _typicality(points)
        weights = [1.0 if most == 0.0 else point.typicality / most for point in points]
        vectors = np.stack([p.vector * np.float32(w) for p, w in zip(points, weights, strict=True)])
        page = self.collection.ranking(
            space,
            target,
            vectors,
            PageRequest(
                options.k,
                options.offset,
                options.cursor,
                options.one_per_work,
                None if without is None else without.number,
            ),
            options.filter,
        )
        floor = float("-inf") if options.min_score is None else options.min_score
        ranked = (
            Ranked(
                rank,
                hit.score * most,
                hit.item,
                hit.excerpt,
                places[hit.query] if len(places) > 1 else None,
            )
            for rank, hit in enumerate(page.hits, start=page.first_rank)
        )
        results = tuple(hit for hit in ranked if hit.score >= floor)
        is_last = len(results) < len(page.hits) or (
            page.next is not None and page.next.rank > self.settings.max_offset
        )
        return results, None if is_last else page.next


def _typicality(points: Sequence[Embedding]) -> float:
    """That of a query: of its most typical window."""
    return max(point.typicality for point in points)
