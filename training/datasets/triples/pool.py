"""Which triples can be told apart, so that one of them can be the right answer."""

from collections.abc import Iterable
from typing import Any

import numpy as np


def distinct_rows(
    rows: Iterable[dict[str, Any]], split: str, seed: int, size: int | None = None
) -> list[dict[str, Any]]:
    """Return rows of a split of which no two have the same notes or the same words, by seed.

    Strophes repeat their music and refrains their words; of equal ones nobody could tell which is
    meant.

    Args:
        rows: The table of a folder of triples.
        split: ``train``, ``validation`` or ``test``.
        seed: Another seed gives another choice.
        size: At most so many; None for all.
    """
    own = [row for row in rows if row["split"] == split]
    taken: set[tuple[str, str]] = set()
    kept = []
    for number in np.random.default_rng(seed).permutation(len(own)).tolist():
        keys = {("melody", own[number]["melody"]), ("words", own[number]["words"])}
        if not keys & taken:
            kept.append(number)
        taken |= keys
    return [own[number] for number in sorted(kept[:size])]
