"""A curve of any length as a fixed number of parts."""

import numpy as np

from models.types import Float64Array


def segment_means(rows: Float64Array, n_segments: int) -> Float64Array:
    """Return the mean of each of ``n_segments`` equal parts of time, shape (n_segments, D).

    A part may begin or end inside a row, which then counts by the share that lies in the part; so
    one row is enough for any number of parts.

    Args:
        rows: Values over time, shape (T, D), T >= 1.
        n_segments: Number of parts, >= 1.
    """
    total = np.concatenate([np.zeros((1, rows.shape[1])), np.cumsum(rows, axis=0)])  # (T + 1, D)
    cuts = np.linspace(0.0, len(rows), n_segments + 1)
    whole = np.minimum(cuts.astype(np.int64), len(rows) - 1)
    at_cut = total[whole] + (cuts - whole)[:, None] * rows[whole]  # (n_segments + 1, D)
    return np.diff(at_cut, axis=0) * (n_segments / len(rows))


def active_range(level: Float64Array, *, drop: float) -> tuple[int, int]:
    """Return start and end (exclusive) of the part from the first to the last loud row.

    A row is loud when it is at most ``drop`` below the loudest.

    Args:
        level: Loudness over time on a logarithmic scale, shape (T,), T >= 1.
        drop: Distance from the maximum, in the unit of ``level``, > 0.
    """
    loud = np.flatnonzero(level >= level.max() - drop)
    return int(loud[0]), int(loud[-1]) + 1
