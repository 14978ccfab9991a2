"""Folds: every row is tested once, and the true pairs stay together."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from models.errors import DataError
from models.types import Int64Array
from training.datasets.feature_data import FeatureData, FeatureView, strata_of
from training.datasets.feature_file import read_feature_file
from training.datasets.seeded import rank_ids
from training.datasets.split import TEST, TRAIN, VALIDATION, take_share

Strata = Mapping[str, tuple[tuple[str, ...], int]]


def make_folds(
    data: FeatureData, *, n_folds: int, seed: int, validation_share: float = 0.15
) -> list[FeatureData]:
    """Divide all rows into stratified folds; the split of the file is not looked at.

    Both rows of a true pair go to the same side. The test rows of a class in a view differ by at
    most 1 between folds. (With three views or more that hold different items, counts that meet
    this for all views may not exist; then they are as even as dealing one by one makes them.) The
    choice depends on ids and seed, not on the order of rows.

    Args:
        data: All rows.
        n_folds: Number of folds K; 1 keeps the split of the data as it is.
        seed: Chooses folds and validation rows.
        validation_share: Part of the rows outside the test fold that validate, in [0, 1), of each
            class.

    Returns:
        K data sets with the same rows in the same order and other splits; each id is tested in
        exactly one. The features are shared, not copied.

    Raises:
        DataError: If a class has fewer rows than there are folds, or a number is out of range.
    """
    _check(data, n_folds, validation_share)
    if n_folds == 1:
        return [data]
    strata = strata_of({name: data.views[name] for name in sorted(data.views)})
    fold_of = _deal(strata, n_folds, seed)
    folds = []
    for fold in range(n_folds):
        rest = {one: stratum for one, stratum in strata.items() if fold_of[one] != fold}
        validated = take_share(rest, share=validation_share, seed=seed * n_folds + fold)
        split_of = {
            one: TEST if one not in rest else VALIDATION if one in validated else TRAIN
            for one in strata
        }
        views = {name: _divided(view, split_of) for name, view in data.views.items()}
        folds.append(replace(data, views=views))
    return folds


def read_folds(paths: Sequence[Path], seed: int = 0) -> list[FeatureData]:
    """Read one feature file for each fold, as VEGAS was published.

    Args:
        paths: Files with the same views and classes; the split of each file is kept.
        seed: Chooses the validation rows where a file has none.

    Raises:
        DataError: If there is no file, one cannot be read, or views, their dimensions or classes
            are not those of the first.
    """
    if not paths:
        raise DataError("expected at least one feature file, got none")
    folds = [read_feature_file(path, seed=seed) for path in paths]
    expected = _layout(folds[0])
    for path, fold in zip(paths, folds, strict=True):
        if _layout(fold) != expected:
            raise DataError(
                f"{path}: expected the views, dimensions and classes of {paths[0]}, "
                f"{expected}, found {_layout(fold)}"
            )
    return folds


def _layout(data: FeatureData) -> str:
    shapes = [f"{name} {view.features.shape[1:]}" for name, view in sorted(data.views.items())]
    return f"{', '.join(shapes)} with classes {', '.join(data.classes) or 'unknown'}"


def _check(data: FeatureData, n_folds: int, validation_share: float) -> None:
    if n_folds < 1:
        raise DataError(f"n_folds: expected 1 or more, got {n_folds}")
    if not 0.0 <= validation_share < 1.0:
        raise DataError(f"validation_share: expected a number in [0, 1), got {validation_share}")
    for name, view in data.views.items():
        for what, count in _class_sizes(view, data.classes):
            if count < n_folds:
                raise DataError(
                    f"n_folds: expected at most {count}, the number of rows of {what} in view "
                    f"{name}, got {n_folds}; take fewer folds or leave that class out"
                )


def _class_sizes(view: FeatureView, classes: tuple[str, ...]) -> list[tuple[str, int]]:
    """Number of rows of each known class, or of the view where no class is known."""
    if view.labels is None or not view.labelled:
        return [("any class", len(view))]
    labels, counts = np.unique(view.labels[view.labels >= 0], return_counts=True)
    named = [classes[label] if label < len(classes) else str(label) for label in labels.tolist()]
    return [(f"class {name!r}", count) for name, count in zip(named, counts.tolist(), strict=True)]


def _deal(strata: Strata, n_folds: int, seed: int) -> dict[str, int]:
    """Deal ids one by one to the fold with the fewest rows of their class, then of any class.

    Pairs come before rows of a single view, which then fill up what the pairs left uneven.
    """
    members: dict[tuple[tuple[str, ...], int], list[str]] = defaultdict(list)
    for one, stratum in strata.items():
        members[stratum].append(one)
    of_class: dict[tuple[str, int], Int64Array] = defaultdict(
        lambda: np.zeros(n_folds, dtype=np.int64)
    )
    of_view: dict[str, Int64Array] = defaultdict(lambda: np.zeros(n_folds, dtype=np.int64))
    fold_of: dict[str, int] = {}
    for held, label in sorted(members, key=lambda stratum: (-len(stratum[0]), stratum)):
        for one in rank_ids(members[held, label], seed=seed, purpose="folds"):
            in_class = np.sum([of_class[name, label] for name in held], axis=0)
            in_all = np.sum([of_view[name] for name in held], axis=0)
            fold_of[one] = fold = int(np.lexsort((in_all, in_class))[0])
            for name in held:
                of_class[name, label][fold] += 1
                of_view[name][fold] += 1
    return fold_of


def _divided(view: FeatureView, split_of: Mapping[str, str]) -> FeatureView:
    return replace(
        view, split=np.array([split_of[one] for one in view.ids.tolist()], dtype=np.str_)
    )
