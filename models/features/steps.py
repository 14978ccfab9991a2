"""Sequences of any length as a fixed number of steps."""

import numpy as np

from models.types import Float32Array


def resample_steps(sequence: Float32Array, steps: int) -> Float32Array:
    """Average a sequence of any length into a fixed number of equal parts.

    Args:
        sequence: Rows in order, shape (N, D), N >= 1.
        steps: Number of parts T >= 1. Part t is the mean of rows floor(t N / T) up to, not
            including, ceil((t + 1) N / T); rows repeat when N is below T.

    Returns:
        Shape (T, D), float32.
    """
    numbers = np.arange(steps + 1) * len(sequence)
    starts, ends = numbers[:-1] // steps, -(-numbers[1:] // steps)
    return np.stack(
        [sequence[start:end].mean(axis=0) for start, end in zip(starts, ends, strict=True)]
    ).astype(np.float32)
