"""Random choices that depend on seed and id alone, never on the order of rows."""

import hashlib
from collections.abc import Iterable

import numpy as np


def rank_ids(ids: Iterable[str], *, seed: int, purpose: str) -> list[str]:
    """Order ids at random, by a hash.

    Args:
        ids: Different names, in any order.
        seed: Another seed gives another order.
        purpose: Keeps choices apart: the ids that validate are not the ones that keep labels.

    Returns:
        The ids; a subset of them comes in the same relative order.
    """
    return sorted(ids, key=lambda one: (_digest(f"{purpose}:{seed}:{one}"), one))


def random_stream(seed: int, purpose: str) -> np.random.Generator:
    """Return a generator of its own for each seed (any whole number) and purpose."""
    return np.random.default_rng(int.from_bytes(_digest(f"{purpose}:{seed}")))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def named_generator(seed: int, name: str) -> np.random.Generator:
    """Randomness of one thing with a name: independent of all others and of the order of work."""
    return np.random.default_rng(int.from_bytes(_digest(f"{seed}:{name}")[:8]))
