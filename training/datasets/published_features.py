"""Tells VEGAS and AVE features by their size, and says what a reader of figures has to know."""

from collections.abc import Collection
from dataclasses import replace
from typing import Final

import numpy as np

from training.datasets import ave, vegas
from training.datasets.feature_data import FeatureData, FeatureView
from training.datasets.split import TEST, TRAIN, VALIDATION

_DIMENSIONS: Final = [128, 1024]  # VGGish and Inception V3
AVE_PROTOCOLS: Final = (
    "AVE: two protocols are in use whose figures must never be compared: 15 classes with "
    "1,766 training and 189 test rows (chance MAP 0.10), and what looks like a contiguous block "
    "of 391 test rows that holds only 3 classes (chance MAP 0.35; MAP near 0.9 comes from there)"
)


def describe_published(data: FeatureData) -> tuple[str, ...]:
    """Return the notes that belong beside every figure on VEGAS or AVE.

    Data count as VEGAS or AVE when they have two views of 128 and 1,024 features and 10 or 15
    classes. The notes say which split is there and whether it is a published one, which classes
    the test part lacks and, for AVE, that there are two protocols.

    Returns:
        One sentence or two for each note; empty for other data.
    """
    if _has_size(data, len(vegas.CLASSES)):
        return (_split_note(data, "VEGAS", vegas.SPLITS), *_missing_classes(data))
    if _has_size(data, len(ave.CLASSES)):
        return (_split_note(data, "AVE", ave.SPLITS), *_missing_classes(data), AVE_PROTOCOLS)
    return ()


def name_classes(data: FeatureData) -> FeatureData:
    """Give the 15 numbered classes of AVE their names; other data are returned as they are.

    Only a file of exactly 1,955 rows a view whose classes are numbered 0 to 14 is renamed. VEGAS
    stays numbered, because which of its labels is which class is not known.
    """
    numbered = data.classes == tuple(str(label) for label in range(len(ave.CLASSES)))
    complete = all(len(view) == ave.N_ROWS for view in data.views.values())
    if numbered and complete and _has_size(data, len(ave.CLASSES)):
        return replace(data, classes=ave.CLASSES)
    return data


def _has_size(data: FeatureData, n_classes: int) -> bool:
    dimensions = sorted(view.features.shape[-1] for view in data.views.values())
    return dimensions == _DIMENSIONS and len(data.classes) == n_classes


def _split_note(data: FeatureData, name: str, splits: Collection[tuple[int, int]]) -> str:
    found = {_counts(view): view_name for view_name, view in sorted(data.views.items())}
    rows = "; ".join(
        f"{train:,} training, {validation:,} validation and {test:,} test rows"
        + (f" in {view}" if len(found) > 1 else "")
        for (train, validation, test), view in found.items()
    )
    if all((train + validation, test) in splits for train, validation, test in found):
        return f"{name} features: {rows}. This has the size of a published split."
    known = " or ".join(f"{train:,} and {test:,}" for train, test in splits)
    return (
        f"{name} features: {rows}. This is not a published split ({known} rows outside and in "
        f"test), so figures of papers are no reference for it."
    )


def _counts(view: FeatureView) -> tuple[int, int, int]:
    train, validation, test = (
        int(np.count_nonzero(view.split == split)) for split in (TRAIN, VALIDATION, TEST)
    )
    return train, validation, test


def _missing_classes(data: FeatureData) -> tuple[str, ...]:
    """Warn when the test part of a view lacks classes."""
    tested = set(range(len(data.classes)))
    for view in data.views.values():
        if view.labels is not None:
            tested &= set(view.labels[view.split == TEST].tolist())
    if len(tested) == len(data.classes):
        return ()
    names = ", ".join(data.classes[label] for label in sorted(tested)) or "none"
    return (
        f"Warning: the test part holds {len(tested)} of the {len(data.classes)} classes "
        f"({names}); its figures are not figures of {len(data.classes)} classes.",
    )
