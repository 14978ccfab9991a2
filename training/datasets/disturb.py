"""Data made worse on purpose: missing partners and noise, to see what a method stands."""

import math
from collections import defaultdict
from collections.abc import Collection
from dataclasses import replace

import numpy as np

from models.errors import DataError
from models.types import Float32Array
from training.datasets.feature_data import FeatureData, FeatureView
from training.datasets.seeded import random_stream, rank_ids
from training.datasets.split import SPLITS, TRAIN


def drop_partners(data: FeatureData, *, share: float, seed: int) -> FeatureData:
    """Take one view away from a share of the training items that have several.

    ``round(share * n)`` of the ``n`` training ids held by two views or more lose one of their
    views, each view in turn, so that all views lose equally many. Items are taken in random order:
    a greater share takes away all that a smaller one does. Validation and test rows stay. The
    choice depends on ids and seed, not on the order of rows.

    Args:
        data: Data with true pairs.
        share: In [0, 1].
        seed: Another seed takes other items.

    Returns:
        The rows that are left, in the same order.

    Raises:
        DataError: If no training id is held by two views, or ``share`` is out of range.
    """
    if not 0.0 <= share <= 1.0:
        raise DataError(f"share of missing partners: expected a number in [0, 1], got {share}")
    holders: dict[str, list[str]] = defaultdict(list)
    for name, view in sorted(data.views.items()):
        for one in view.ids[view.split == TRAIN].tolist():
            holders[one].append(name)
    paired = [one for one, names in holders.items() if len(names) > 1]
    if not paired:
        raise DataError("missing partners: expected training rows that are true pairs, found none")
    lost: dict[str, list[str]] = defaultdict(list)
    chosen = rank_ids(paired, seed=seed, purpose="partners")[: round(share * len(paired))]
    for number, one in enumerate(chosen):
        lost[holders[one][number % len(holders[one])]].append(one)
    views = {
        name: view.take(~np.isin(view.ids, np.array(lost[name], dtype=np.str_)))
        for name, view in data.views.items()
    }
    return replace(data, views=views)


def add_noise(
    data: FeatureData, *, level: float, seed: int, splits: Collection[str]
) -> FeatureData:
    """Add Gaussian noise to the features of some splits.

    The standard deviation is ``level`` times that of each of the D features over the training rows
    (and steps, for sequences) as they came. Another level scales the same noise. The noise of a row
    depends on ids and seed, not on the order of rows.

    Args:
        data: Features, which are not changed.
        level: 0 or more; 1 is as much noise as there is signal.
        seed: Another seed gives other noise.
        splits: Of ``train``, ``validation`` and ``test``, those that get noise.

    Raises:
        DataError: If ``level`` is no such number, a split is unknown, or a view has no training
            rows.
    """
    if not (math.isfinite(level) and level >= 0.0):
        raise DataError(f"level of noise: expected a number >= 0, got {level}")
    unknown = sorted(set(splits) - set(SPLITS))
    if unknown:
        raise DataError(f"noise: expected splits of {', '.join(SPLITS)}, got {unknown[0]!r}")
    views = {
        name: replace(view, features=_noisy(name, view, level, seed, splits))
        for name, view in data.views.items()
    }
    return replace(data, views=views)


def _noisy(
    name: str, view: FeatureView, level: float, seed: int, splits: Collection[str]
) -> Float32Array:
    trained = view.features[view.split == TRAIN]
    if not len(trained):
        raise DataError(f"noise: expected training rows in view {name}, found none")
    deviation = trained.std(axis=tuple(range(trained.ndim - 1)), dtype=np.float64)
    rows = np.flatnonzero(np.isin(view.split, sorted(splits)))
    rows = rows[np.argsort(view.ids[rows])]
    noise = random_stream(seed, f"noise/{name}").standard_normal((len(rows), *trained.shape[1:]))
    features = view.features.copy()
    features[rows] += (level * deviation * noise).astype(np.float32)
    return features
