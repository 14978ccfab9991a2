"""Which rows of a table may answer: those that are not deleted and pass the filter."""

import numpy as np
from numpy.typing import NDArray

from models.types import Int64Array
from service.index.rows import Rows

Mask = NDArray[np.bool_]


class Eligible:
    """Rows that may answer. Never changes; what is worked out on the way is kept.

    Attributes:
        count: How many they are.
        n_rows: N of the table.
    """

    def __init__(
        self, n_rows: int, *, mask: Mask | None = None, positions: Int64Array | None = None
    ) -> None:
        """Take all rows, those where a mask (N,) is true, or those at ascending positions."""
        self.n_rows = n_rows
        self._mask = mask
        self._positions = positions
        self._bits: NDArray[np.uint8] | None = None
        if positions is not None:
            self.count = len(positions)
        else:
            self.count = n_rows if mask is None else int(np.count_nonzero(mask))

    def within(self, rows: Rows, allowed: Int64Array) -> "Eligible":
        """Return those of the rows whose id is among ``allowed`` (ascending, each once)."""
        positions = rows.positions(allowed)
        if self._mask is not None:
            positions = positions[self._mask[positions]]
        return Eligible(self.n_rows, positions=positions)

    @property
    def is_all(self) -> bool:
        """Whether every row may answer."""
        return self.count == self.n_rows

    @property
    def share(self) -> float:
        """Part of the rows that may answer, in [0, 1]."""
        return self.count / max(1, self.n_rows)

    @property
    def positions(self) -> Int64Array:
        """Where they stand, ascending, shape (count,)."""
        if self._positions is None:
            self._positions = np.flatnonzero(self.mask)
        return self._positions

    @property
    def mask(self) -> Mask:
        """True where a row may answer, shape (N,)."""
        if self._mask is None:
            mask = np.full(self.n_rows, self._positions is None)
            if self._positions is not None:
                mask[self._positions] = True
            self._mask = mask
        return self._mask

    @property
    def bits(self) -> NDArray[np.uint8]:
        """The mask with eight rows in a byte, the first in the lowest bit."""
        if self._bits is None:
            self._bits = np.packbits(self.mask, bitorder="little")
        return self._bits

    def without_others(self, positions: Int64Array) -> Int64Array:
        """Return positions (B, C) with -1 instead of each row that may not answer."""
        return positions if self.is_all else np.where(self.mask[positions], positions, -1)


def sorted_ids(ids: Int64Array) -> Int64Array:
    """Return ids in ascending order, each once."""
    return ids if bool((ids[1:] > ids[:-1]).all()) else np.unique(ids)
