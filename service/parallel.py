"""The same work on many values, several at a time, results in the order of the values."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

ValueT = TypeVar("ValueT")
ResultT = TypeVar("ResultT")


def in_order(
    function: Callable[[ValueT], ResultT],
    values: Iterable[ValueT],
    *,
    workers: int,
    ahead: int | None = None,
) -> Generator[tuple[ValueT, "Future[ResultT]"], None, None]:
    """Run a function in threads and yield (value, finished future), a bounded number ahead.

    Args:
        function: Safe to call from any thread.
        values: What to call it with.
        workers: Number of threads.
        ahead: How many values are taken before the first is yielded; 2 x workers when left out.

    Example:
        >>> [future.result() for _, future in in_order(abs, [-1, -2, 3], workers=2)]
        [1, 2, 3]
    """
    with ThreadPoolExecutor(workers) as pool:
        started: deque[tuple[ValueT, Future[ResultT]]] = deque()
        most = ahead or 2 * workers
        try:
            for value in values:
                started.append((value, pool.submit(function, value)))
                if len(started) >= most:
                    yield _finished(*started.popleft())
            while started:
                yield _finished(*started.popleft())
        finally:
            for _, future in started:
                future.cancel()


def _finished(value: ValueT, future: "Future[ResultT]") -> tuple[ValueT, "Future[ResultT]"]:
    future.exception()  # waits
    return value, future
