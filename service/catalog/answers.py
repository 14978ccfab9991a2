"""Which items fit the filters that were asked last: right as long as the catalog stands still."""

import threading
from collections import OrderedDict
from collections.abc import Callable

from models.types import Int64Array
from service.catalog.records import Filter

_KEPT = 16


class RecentAnswers:
    """The numbers that fit the last few filters, each with the sequence it was read at."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[Filter, tuple[int, Int64Array]] = OrderedDict()

    def get(
        self, chosen: Filter, sequence: int, read: Callable[[Filter], Int64Array]
    ) -> Int64Array:
        """Return what was read at this sequence, or read it now and keep it.

        Args:
            chosen: The filter.
            sequence: The last change of the catalog before the question.
            read: Reads the numbers from the catalog.
        """
        with self._lock:
            known, numbers = self._kept.get(chosen, (-1, None))
        if numbers is None or known != sequence:
            numbers = read(chosen)
            numbers.setflags(write=False)
        with self._lock:
            self._kept[chosen] = (sequence, numbers)
            self._kept.move_to_end(chosen)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return numbers
