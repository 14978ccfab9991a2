"""Random same-class pairs, for methods that need pairs where the data have none."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from itertools import zip_longest

import numpy as np

from models.errors import DataError
from training.datasets.feature_data import FeatureData, FeatureView
from training.datasets.seeded import rank_ids
from training.datasets.split import TRAIN

PREFIX = "pair/"

_Members = Mapping[tuple[str, int], Mapping[str, list[str]]]


def pair_by_class(data: FeatureData, *, seed: int) -> FeatureData:
    """Match training rows of different views at random, one to one, within each class.

    Rows that find no partner (those of the larger view, those of unknown class), validation rows
    and test rows keep their ids: pairs made at random are nothing to choose or to measure by. With
    M views, up to M rows share an id; a group lacks the views that have run out of rows. The
    choice depends on ids and seed, not on the order of rows.

    Args:
        data: Views with labels and without true pairs.
        seed: Another seed matches other rows.

    Returns:
        The same rows in the same order; matched rows have a new common id
        ``pair/SPLIT/CLASS/NUMBER``.

    Raises:
        DataError: If a view has no labels, there are true pairs already, or no class has training
            rows in two views.
    """
    _check(data)
    renamed = _renamed(_members(data, seed))
    if not any(one.startswith(f"{PREFIX}{TRAIN}/") for one in renamed.values()):
        raise DataError(
            "pairs by class: expected a class with labelled training rows in two views, found none"
        )
    return replace(data, views={name: _rename(view, renamed) for name, view in data.views.items()})


def _check(data: FeatureData) -> None:
    for name, view in data.views.items():
        if not view.labelled:
            raise DataError(f"pairs by class: expected labels in every view, found none in {name}")
        if np.char.startswith(view.ids, PREFIX).any():
            raise DataError(f"pairs by class: expected no id that begins with {PREFIX} in {name}")
    if data.paired:
        raise DataError("pairs by class: the data have true pairs; use those")


def _members(data: FeatureData, seed: int) -> _Members:
    """Ids of the training rows of each class by view, in random order."""
    members: dict[tuple[str, int], dict[str, list[str]]] = defaultdict(dict)
    for name, view in sorted(data.views.items()):
        label_of = dict(zip(view.ids.tolist(), np.asarray(view.labels).tolist(), strict=True))
        split_of = dict(zip(view.ids.tolist(), view.split.tolist(), strict=True))
        for one in rank_ids(label_of, seed=seed, purpose="pairs"):
            if split_of[one] == TRAIN and label_of[one] >= 0:
                members[split_of[one], label_of[one]].setdefault(name, []).append(one)
    return members


def _renamed(members: _Members) -> dict[str, str]:
    """New id of each row that finds a partner."""
    renamed: dict[str, str] = {}
    for (split, label), by_view in members.items():
        for number, group in enumerate(zip_longest(*by_view.values())):
            held = [one for one in group if one is not None]
            if len(held) > 1:
                renamed |= dict.fromkeys(held, f"{PREFIX}{split}/{label}/{number:06d}")
    return renamed


def _rename(view: FeatureView, renamed: Mapping[str, str]) -> FeatureView:
    return replace(
        view, ids=np.array([renamed.get(one, one) for one in view.ids.tolist()], dtype=np.str_)
    )
