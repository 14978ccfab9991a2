"""Synthetic unit vectors in clusters, with queries from the same clusters."""

import numpy as np


def clustered(n, n_queries, *, dimension, seed, n_clusters=60, spread=0.4):
    """Return vectors (n, dimension) and queries (n_queries, dimension)."""
    generator = np.random.default_rng(seed)
    centres = generator.standard_normal((n_clusters, dimension))
    chosen = centres[generator.integers(0, n_clusters, n + n_queries)]
    rows = chosen + spread * generator.standard_normal(chosen.shape)
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return rows[:n], rows[n:]
