"""Adds that arrive together are committed together: one wait for the disk instead of one each."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from service.catalog.records import Item
from service.collection.media_files import StagedMedia
from service.collection.new_item import NewItem

Answer = list[tuple[Item, bool]]
Store = Callable[[Sequence[NewItem], Sequence[StagedMedia]], Answer]


class _Request:
    """One call of ``CommitQueue.store`` that waits for its turn."""

    def __init__(self, arrivals: Sequence[NewItem], staged: Sequence[StagedMedia]) -> None:
        self.arrivals = arrivals
        self.staged = staged
        self.outcome: Future[Answer] = Future()


class CommitQueue:
    """Whoever holds the lock stores what all others brought while they waited for it."""

    def __init__(self, lock: threading.RLock, store: Store) -> None:
        """Start with nothing waiting.

        Args:
            lock: Held by whoever changes the collection.
            store: Stores items in one transaction, all or none; called under the lock.
        """
        self._lock = lock
        self._store = store
        self._waiting: list[_Request] = []
        self._waiting_guard = threading.Lock()

    def store(self, arrivals: Sequence[NewItem], staged: Sequence[StagedMedia]) -> Answer:
        """Store items whose media are staged, all or none, and return what ``store`` returned.

        Raises:
            Exception: What ``store`` raised for these very items.
        """
        mine = _Request(arrivals, staged)
        with self._waiting_guard:
            self._waiting.append(mine)
        with self._lock:
            if not mine.outcome.done():
                with self._waiting_guard:
                    together, self._waiting = self._waiting, []
                self._store_together(together)
        return mine.outcome.result()

    def _store_together(self, requests: Sequence[_Request]) -> None:
        arrivals = [arrival for request in requests for arrival in request.arrivals]
        staged = [media for request in requests for media in request.staged]
        try:
            answers = iter(self._store(arrivals, staged))
        except Exception as error:  # noqa: BLE001  # it belongs to one of those who wait
            if len(requests) == 1:
                requests[0].outcome.set_exception(error)
                return
            # One of them is at fault, or the disk is full for all of them together.
            for request in requests:
                self._store_together([request])
        except BaseException as error:
            for request in requests:
                request.outcome.set_exception(error)
            raise
        else:
            for request in requests:
                request.outcome.set_result([next(answers) for _ in request.arrivals])
