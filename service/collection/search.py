"""From points of a space to items: one question to the index, one to the catalog."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.errors import ShapeError
from models.types import Float32Array
from service.catalog.catalog import Catalog
from service.catalog.records import Filter
from service.collection.paging import Hit
from service.index.protocol import VectorIndex


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a ranking is wanted.

    Attributes:
        k: Length of the answer, >= 1.
        offset: How many of the best to leave out, >= 0.
        chosen: Which items may be found; None for all.
    """

    k: int
    offset: int
    chosen: Filter | None


def search_items(
    catalog: Catalog, index: VectorIndex, queries: Float32Array, page: Page
) -> list[list[Hit]]:
    """Return what is near to each query (B, K), best first; see ``Collection.search``.

    Raises:
        ShapeError: When the queries are not (B, K) and finite, k < 1 or offset < 0.
    """
    if page.k < 1 or page.offset < 0:
        raise ShapeError(f"expected k >= 1 and offset >= 0, got {page.k} and {page.offset}")
    chosen = page.chosen or Filter()
    allowed = None if chosen == Filter() else catalog.numbers(chosen)
    wanted = extended = page.offset + page.k
    while True:
        n_stored = len(index)
        depth = max(1, min(extended, n_stored))
        hits = index.search(queries, depth, allowed=allowed)
        numbers = np.unique(hits.ids[hits.ids >= 0]).tolist()
        found = _found(catalog, numbers)
        n_deleted = len(numbers) - len(found)
        if depth - n_deleted >= wanted or n_deleted == 0 or depth >= n_stored:
            break
        # Just deleted: gone from the catalog, not yet from the index. The next ones move up.
        extended = wanted + n_deleted
    rankings = (
        [found[n]._replace(score=s, query=query) for n, s in zip(*one, strict=True) if n in found]
        for query, one in enumerate(zip(hits.ids.tolist(), hits.scores.tolist(), strict=True))
    )
    return [ranking[page.offset : wanted] for ranking in rankings]


def nearest_to_any(rankings: Sequence[Sequence[Hit]], depth: int) -> list[Hit]:
    """Join the rankings of several queries: what was found comes once, with its best score.

    Args:
        rankings: The best ``depth`` of each query.
        depth: Length of the answer, which is exact then.
    """
    if len(rankings) == 1:
        return list(rankings[0])
    best: dict[int, Hit] = {}
    for ranking in rankings:
        for hit in ranking:
            if hit.number not in best or hit.score > best[hit.number].score:
                best[hit.number] = hit
    return sorted(best.values(), key=lambda hit: (-hit.score, hit.number))[:depth]


def _found(catalog: Catalog, numbers: Sequence[int]) -> dict[int, Hit]:
    """Return what the numbers of an index stand for: items, and excerpts of items."""
    items = catalog.by_numbers(numbers)
    found = {number: Hit(item, 0.0) for number, item in items.items()}
    others = [number for number in numbers if number not in items]
    excerpts = catalog.embeddings.excerpts(others) if others else {}
    songs = catalog.by_numbers(sorted({song for song, _ in excerpts.values()}))
    for number, (song, excerpt) in excerpts.items():
        if song in songs:
            found[number] = Hit(songs[song], 0.0, excerpt, number)
    return found
