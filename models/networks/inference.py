"""Running a fixed network so that an item's bits depend on nothing but the item."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def fixed_inference() -> Iterator[None]:
    """No gradients, and one torch thread for the calling thread only.

    Convolutions and matrix products split their sums by the number of threads and by the size of
    the batch, and so round differently. With one thread and one fixed batch shape the bits are
    those of the item. Other threads keep their own number; work runs in parallel over items, in
    processes or in the threads of a server. A kernel of a GPU is not affected by this.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode():
            yield
    finally:
        torch.set_num_threads(before)
