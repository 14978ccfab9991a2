"""From points of a space to items: one question to the index, one to the catalog."""

from dataclasses import dataclass

import numpy as np

from models.errors import ShapeError
from models.types import Float32Array
from service.catalog.catalog import Catalog
from service.catalog.records import Filter, Item
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
) -> list[list[tuple[Item, float]]]:
    """Return (item, score) for each query (B, K), best first; see ``Collection.search``.

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
        items = catalog.by_numbers(numbers)
        n_deleted = len(numbers) - len(items)
        if depth - n_deleted >= wanted or n_deleted == 0 or depth >= n_stored:
            break
        # Just deleted: gone from the catalog, not yet from the index. The next ones move up.
        extended = wanted + n_deleted
    rankings = (
        [(items[n], score) for n, score in zip(*ranking, strict=True) if n in items]
        for ranking in zip(hits.ids.tolist(), hits.scores.tolist(), strict=True)
    )
    return [ranking[page.offset : wanted] for ranking in rankings]
