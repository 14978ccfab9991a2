"""Features in memory: views of rows with ids, labels and a split."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import DataError
from models.types import Float32Array, Int64Array
from training.datasets.split import SPLITS, TEST, TRAIN, VALIDATION, take_share

StrArray = NDArray[np.str_]


@dataclass(frozen=True, slots=True, eq=False)
class FeatureView:
    """One view (modality) of a data set.

    Attributes:
        features: Rows, shape (N, D) or (N, T, D), float32, finite.
        ids: Name of each row, unique within the view, shape (N,). Rows of two views with the same
            id are a true pair.
        labels: Index into the classes, shape (N,), int64; -1 for a row whose class is not known
            (semi-supervised training); None for a view without labels.
        split: ``train``, ``validation`` or ``test`` for each row, shape (N,).
    """

    features: Float32Array
    ids: StrArray
    labels: Int64Array | None
    split: StrArray

    def __len__(self) -> int:
        """Number of rows N."""
        return len(self.ids)

    @property
    def labelled(self) -> bool:
        """True when the class of any row is known."""
        return self.labels is not None and bool((self.labels >= 0).any())

    def take(self, rows: NDArray[np.bool_]) -> "FeatureView":
        """Return the rows where ``rows``, shape (N,), is true, in file order."""
        labels = None if self.labels is None else self.labels[rows]
        return FeatureView(self.features[rows], self.ids[rows], labels, self.split[rows])

    def only(self, split: str) -> "FeatureView":
        """Return the rows of one split, in file order."""
        return self.take(self.split == split)


@dataclass(frozen=True, slots=True, eq=False)
class FeatureData:
    """A data set of features.

    Attributes:
        views: View of each name; a name that is a ``Modality`` can be served.
        classes: Name of each class; empty without labels.
        source: Where the media or features came from.
        licence: What may be done with them.
        extractors: Name and fingerprint of the extractor of each view, where known.
        extractor_parameters: Its parameters, the hash of its weights among them, where known.
    """

    views: dict[str, FeatureView]
    classes: tuple[str, ...] = ()
    source: str = ""
    licence: str = ""
    extractors: dict[str, tuple[str, str]] = field(default_factory=dict)
    extractor_parameters: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def paired(self) -> bool:
        """True when any id occurs in two views."""
        ids = [identifier for view in self.views.values() for identifier in view.ids.tolist()]
        return len(set(ids)) < len(ids)

    def for_selection(self) -> "FeatureData":
        """Return the same data without its test rows: all that training and choosing may see."""
        views = {name: view.take(view.split != TEST) for name, view in self.views.items()}
        return replace(self, views=views)

    def true_pairs(self, first: str, second: str) -> tuple[Int64Array, Int64Array]:
        """Find the rows of two views that have the same id.

        Returns:
            Row numbers in ``first``, ascending, and those of their partners in ``second``, both of
            shape (number of pairs,).
        """
        _, rows_a, rows_b = np.intersect1d(
            self.views[first].ids, self.views[second].ids, assume_unique=True, return_indices=True
        )
        order = np.argsort(rows_a)
        return rows_a[order].astype(np.int64), rows_b[order].astype(np.int64)


def rows_of_common_ids(views: Mapping[str, FeatureView]) -> dict[str, Int64Array]:
    """Row numbers of the items that every view holds, in one order for all views."""
    ids = [set(view.ids.tolist()) for view in views.values()]
    common = np.array(sorted(set.intersection(*ids)), dtype=np.str_)
    rows = {}
    for name, view in views.items():
        order = np.argsort(view.ids)
        rows[name] = order[np.searchsorted(view.ids, common, sorter=order)].astype(np.int64)
    return rows


@dataclass(frozen=True, slots=True, eq=False)
class RawView:
    """A view as it lies in a file; ``split`` is None where the file does not tell."""

    features: Float32Array
    ids: StrArray
    labels: Int64Array | None
    split: StrArray | None


def settle_splits(
    views: Mapping[str, RawView], *, seed: int, validation_share: float
) -> dict[str, FeatureView]:
    """Give every row a split: the file's own one, with what is missing carved out of train.

    Both rows of a true pair go to the same side. Each class of each view gives its share. A file
    without any split also gets a test part; it depends on the ids alone and not on ``seed``, so
    that no choice of seed ever trains on it.

    Args:
        views: Views of one file.
        seed: Chooses the validation rows.
        validation_share: Part of the training rows a missing validation split takes, in [0, 1).

    Raises:
        DataError: If views contradict each other, or one has no rows to train on or to test on.
    """
    if not 0.0 <= validation_share < 1.0:
        raise DataError(f"validation_share: expected a number in [0, 1), got {validation_share}")
    for name, view in views.items():
        _check_ids(name, view)
    strata = strata_of(views)
    split_of = _file_splits(views)
    if not split_of:
        tested = take_share(strata, share=0.15, seed=0)
        split_of = {one: TEST if one in tested else TRAIN for one in strata}
    if VALIDATION not in split_of.values():
        pool = {one: stratum for one, stratum in strata.items() if split_of[one] == TRAIN}
        for one in take_share(pool, share=validation_share, seed=seed):
            split_of[one] = VALIDATION
    settled = {
        name: FeatureView(
            view.features,
            view.ids,
            view.labels,
            np.array([split_of[one] for one in view.ids.tolist()], dtype=np.str_),
        )
        for name, view in views.items()
    }
    _check_sides(settled)
    return settled


def _check_ids(name: str, view: RawView) -> None:
    names, counts = np.unique(view.ids, return_counts=True)
    if len(names) < len(view.ids):
        twice = names[counts > 1]
        raise DataError(
            f"{name}/ids: expected a different id for each of the {len(view.ids)} rows, found "
            f"{str(twice[0])!r} {counts[counts > 1][0]} times"
        )


def strata_of(
    views: Mapping[str, RawView | FeatureView],
) -> dict[str, tuple[tuple[str, ...], int]]:
    """Return (the views that hold it, its class or -1) of each id.

    Raises:
        DataError: If the rows of a true pair have different classes.
    """
    holders: dict[str, list[str]] = {}
    label_of: dict[str, tuple[str, int]] = {}
    for name, view in views.items():
        for one in view.ids.tolist():
            holders.setdefault(one, []).append(name)
        if view.labels is None:
            continue
        for one, label in zip(view.ids.tolist(), view.labels.tolist(), strict=True):
            other, expected = label_of.setdefault(one, (name, label))
            if label != expected:
                raise DataError(
                    f"{name}/labels: id {one!r} has class {label}, but {other} gives its partner "
                    f"class {expected}; a true pair has one class"
                )
    return {one: (tuple(held), label_of.get(one, ("", -1))[1]) for one, held in holders.items()}


def _file_splits(views: Mapping[str, RawView]) -> dict[str, str]:
    with_split = [name for name, view in views.items() if view.split is not None]
    if with_split and len(with_split) < len(views):
        missing = next(name for name in views if name not in with_split)
        raise DataError(
            f"{missing}/split: missing, but {with_split[0]} has one; expected all or none"
        )
    split_of: dict[str, tuple[str, str]] = {}
    for name, view in views.items():
        if view.split is None:
            continue
        unknown = sorted(set(view.split.tolist()) - set(SPLITS))
        if unknown:
            raise DataError(
                f"{name}/split: expected one of {', '.join(SPLITS)}, found {unknown[0]!r}"
            )
        for one, split in zip(view.ids.tolist(), view.split.tolist(), strict=True):
            other, expected = split_of.setdefault(one, (name, split))
            if split != expected:
                raise DataError(
                    f"{name}/split: id {one!r} is in {split}, but {other} has its partner in "
                    f"{expected}; both rows of a true pair belong to the same side"
                )
    return {one: split for one, (_, split) in split_of.items()}


def _check_sides(views: Mapping[str, FeatureView]) -> None:
    present = {name: set(view.split.tolist()) for name, view in views.items()}
    for name, splits in present.items():
        for needed in (TRAIN, TEST):
            if needed not in splits:
                raise DataError(
                    f"{name}/split: expected rows of train and test, found none of {needed} "
                    f"among {len(views[name])} rows"
                )
    validated = [name for name, splits in present.items() if VALIDATION in splits]
    if validated and len(validated) < len(views):
        missing = next(name for name in views if name not in validated)
        raise DataError(f"{missing}/split: no validation rows, but {validated[0]} has some")
