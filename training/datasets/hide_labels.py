"""Labels for a share of the items: what semi-supervised training is given."""

from collections import defaultdict
from collections.abc import Collection, Hashable
from dataclasses import replace

import numpy as np

from models.errors import DataError
from training.datasets.feature_data import FeatureData, FeatureView, strata_of
from training.datasets.seeded import rank_ids
from training.datasets.split import TEST


def hide_labels(data: FeatureData, *, share: float, seed: int) -> FeatureData:
    """Keep the labels of a share of the training and validation ids; the others become -1.

    Both rows of a true pair keep their label or lose it. Labels of test rows stay, because they
    are what a method is measured with. Of ``n`` ids of one class and split (held by the same
    views) ``round(share * n)`` keep their label, but at least one where ``share > 0``. A greater
    share keeps all that a smaller one keeps. The choice depends on ids and seed, not on the order
    of rows.

    Args:
        data: Features with or without labels.
        share: In [0, 1]. 1 returns the data as they are; after 0 no view of
            ``data.for_selection()`` is ``labelled``.
        seed: Another seed keeps other labels.

    Raises:
        DataError: If ``share`` is out of range.
    """
    if not 0.0 <= share <= 1.0:
        raise DataError(f"share of labels: expected a number in [0, 1], got {share}")
    if share == 1.0:
        return data
    kept = _kept_ids(data, share, seed) if share > 0.0 else frozenset()
    return replace(data, views={name: _hide(view, kept) for name, view in data.views.items()})


def _kept_ids(data: FeatureData, share: float, seed: int) -> frozenset[str]:
    split_of = {
        one: split
        for view in data.views.values()
        for one, split in zip(view.ids.tolist(), view.split.tolist(), strict=True)
    }
    members: dict[Hashable, list[str]] = defaultdict(list)
    for one, stratum in strata_of(data.views).items():
        members[stratum, split_of[one]].append(one)
    kept: set[str] = set()
    for ids in members.values():
        count = max(1, round(share * len(ids)))
        kept.update(rank_ids(ids, seed=seed, purpose="labels")[:count])
    return frozenset(kept)


def _hide(view: FeatureView, kept: Collection[str]) -> FeatureView:
    if view.labels is None:
        return view
    shown = (view.split == TEST) | np.isin(view.ids, sorted(kept))
    return replace(view, labels=np.where(shown, view.labels, np.int64(-1)))
