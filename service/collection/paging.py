"""Pages of a ranking: exact in length, stable while items come and go, each item once.

A page starts behind the last item of the one before it (its score and number), not at a count, and
a cursor leaves out what was added after the first page. So nothing is shown twice or passed over.
"""

import re
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from models.errors import DataError
from service.catalog.records import Excerpt, Item

_CURSOR = re.compile(r"([0-9]{1,18})\.([0-9a-f]{8})\.([0-9]{1,18})\.([0-9]{1,18})")


class Hit(NamedTuple):
    """What the index found.

    Attributes:
        item: The item.
        score: Inner product with the query.
        excerpt: The part of the item that was found; None for the whole item.
        own_number: Id of that excerpt in the index; None for the whole item.
        query: Which point of the query it is near to, from 0.
    """

    item: Item
    score: float
    excerpt: Excerpt | None = None
    own_number: int | None = None
    query: int = 0

    @property
    def number(self) -> int:
        """Id in the index."""
        return self.item.number if self.own_number is None else self.own_number


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page of a ranking ended.

    Attributes:
        rank: Of the last item, 1 for the best of all.
        score: Of the last item, a float32.
        number: Of the last item or its excerpt, in the index.
        sequence: The catalog when the first page was read.
    """

    rank: int
    score: float
    number: int
    sequence: int

    def __str__(self) -> str:
        """Text form for an address; ``parse_cursor`` reads it."""
        return f"{self.rank}.{struct.pack('>f', self.score).hex()}.{self.number}.{self.sequence}"

    def is_before(self, hit: Hit) -> bool:
        """Tell whether a hit comes later in the ranking."""
        return (-hit.score, hit.number) > (-self.score, self.number)


def parse_cursor(text: str) -> Cursor:
    """Read the text form of a cursor.

    Raises:
        DataError: When it is none.

    Example:
        >>> parse_cursor(str(Cursor(10, 0.5, 7, 99)))
        Cursor(rank=10, score=0.5, number=7, sequence=99)
    """
    match = _CURSOR.fullmatch(text)
    if match is None:
        raise DataError(f"cursor: expected `next` of the answer before, got {text[:80]!r}")
    rank, bits, number, sequence = match.groups()
    score = struct.unpack(">f", bytes.fromhex(bits))[0]
    return Cursor(int(rank), score, int(number), int(sequence))


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which part of a ranking is wanted.

    Attributes:
        k: Length of the page, >= 1.
        offset: How many of the best to leave out; 0 with a cursor.
        cursor: Where the page before ended.
        one_per_work: Whether a work is shown by its best item only.
        without: Number of an item to leave out.
    """

    k: int
    offset: int = 0
    cursor: Cursor | None = None
    one_per_work: bool = False
    without: int | None = None


@dataclass(frozen=True, slots=True)
class RankedPage:
    """A part of a ranking.

    Attributes:
        hits: Best first, each item once; shorter than asked only where the ranking ends.
        first_rank: Rank of the first, 1 for the best of all.
        next: Where to go on, None at the end.
    """

    hits: tuple[Hit, ...]
    first_rank: int
    next: Cursor | None


def ranked_page(
    search: Callable[[int], Sequence[Hit]], request: PageRequest, sequence: int
) -> RankedPage:
    """Cut a page out of a ranking that is read only as deep as it must be.

    Of an item with several excerpts only the best is shown.

    Args:
        search: Returns the best of a given count; fewer only when there are no more.
        request: Which part.
        sequence: The catalog now, for the cursors of a first page.
    """
    cursor = request.cursor
    start = request.offset if cursor is None else cursor.rank
    depth = start + request.k + 1
    while True:
        hits = search(depth)
        shown = list(_shown(hits, request))
        if cursor is None:
            found = shown[request.offset :]
        else:
            found = [hit for hit in shown if cursor.is_before(hit)]
        # One more than asked for tells whether there is a next page.
        if len(found) > request.k or len(hits) < depth:
            break
        depth *= 2
    page = tuple(found[: request.k])
    following = None
    if len(found) > request.k:
        last = page[-1]
        as_of = sequence if cursor is None else cursor.sequence
        following = Cursor(start + len(page), last.score, last.number, as_of)
    return RankedPage(page, start + 1, following)


def _shown(hits: Sequence[Hit], request: PageRequest) -> Iterator[Hit]:
    items: set[int] = set()
    works: set[str] = set()
    for hit in hits:
        item = hit.item
        if item.number == request.without or item.number in items:
            continue
        items.add(item.number)
        if request.cursor is not None and item.number > request.cursor.sequence:
            continue
        if request.one_per_work and item.work_id is not None:
            if item.work_id in works:
                continue
            works.add(item.work_id)
        yield hit
