"""The same work on many values, several at a time, results in the order of the values."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

ValueT = TypeVar("ValueT")
ResultT = TypeVar("ResultT")


def in_order(
    function: Callable[[ValueT], ResultT], values: Iterable[ValueT], *, workers: int
) -> Generator[tuple[ValueT, "Future[ResultT]"], None, None]:
    """Run a function in threads and yield (value, finished future), at most 2 x workers ahead.

    Args:
        function: Safe to call from any thread.
        values: What to call it with.
        workers: Number of threads.

    Example:
        >>> [future.result() for _, future in in_order(abs, [-1, -2, 3], workers=2)]
        [1, 2, 3]
    """
    with ThreadPoolExecutor(workers) as pool:
        ahead: deque[tuple[ValueT, Future[ResultT]]] = deque()
        try:
            for value in values:
                ahead.append((value, pool.submit(function, value)))
                if len(ahead) >= 2 * workers:
                    yield _finished(*ahead.popleft())
            while ahead:
                yield _finished(*ahead.popleft())
        finally:
            for _, future in ahead:
                future.cancel()


def _finished(value: ValueT, future: "Future[ResultT]") -> tuple[ValueT, "Future[ResultT]"]:
    future.exception()  # waits
    return value, future
