"""One thread for small arrays."""

from contextlib import AbstractContextManager
from typing import Any

from threadpoolctl import threadpool_limits


def one_thread() -> AbstractContextManager[Any]:
    """Keep BLAS and OpenMP to one thread inside.

    Rows of a few dozen dimensions are too little work for more, and threads that wait for each
    other on a busy machine make t-SNE and small matrix products ten times slower.
    """
    return threadpool_limits(limits=1)
