"""Several data sets of features as one: for a space that knows all of their classes."""

from collections.abc import Mapping

import numpy as np

from models.errors import DataError
from training.datasets.feature_data import FeatureData, FeatureView


def merge_features(
    parts: Mapping[str, FeatureData], *, same: Mapping[str, str] | None = None
) -> FeatureData:
    """Put the rows of several data sets one after the other.

    Classes with one name become one class; without classes in any part there are none. Ids get the
    name of their part in front, so that true pairs stay pairs and nothing else becomes one.

    Args:
        parts: Data sets by a name of your choice.
        same: Class -> the class it is the same as, for example ``sea`` -> ``sea waves``.

    Raises:
        DataError: If there is no part, a view has another extractor or size in another part, a
            part alone has no classes, or ``same`` names a class that no part has.
    """
    if not parts:
        raise DataError("expected at least one feature file to merge, got none")
    renamed = same or {}
    known = [name for part in parts.values() for name in part.classes]
    unknown = sorted({*renamed, *renamed.values()} - set(known))
    if unknown:
        raise DataError(f"expected classes of {sorted(set(known))}, got {unknown[0]!r}")
    classes = tuple(dict.fromkeys(renamed.get(name, name) for name in known))
    collected: dict[str, list[FeatureView]] = {}
    extractors: dict[str, tuple[str, str]] = {}
    for name, part in parts.items():
        numbers = np.array([classes.index(renamed.get(one, one)) for one in part.classes])
        for view_name, view in part.views.items():
            if known and view.labels is None:
                raise DataError(f"{name}, {view_name}: expected classes, found none")
            _check(name, view_name, view, collected, extractors, part.extractors)
            collected.setdefault(view_name, []).append(_relabelled(name, view, numbers))
    return FeatureData(
        views={name: _joined(views) for name, views in collected.items()},
        classes=classes,
        source="; ".join(part.source for part in parts.values()),
        licence="; ".join(f"{name}: {part.licence}" for name, part in parts.items()),
        extractors=extractors,
        extractor_parameters={
            view: found
            for part in parts.values()
            for view, found in part.extractor_parameters.items()
        },
    )


def _check(
    part: str,
    name: str,
    view: FeatureView,
    collected: Mapping[str, list[FeatureView]],
    extractors: dict[str, tuple[str, str]],
    own: Mapping[str, tuple[str, str]],
) -> None:
    found = own.get(name, ("", ""))
    expected = extractors.setdefault(name, found)
    if found != expected:
        raise DataError(
            f"{part}, {name}: expected features of {' '.join(expected)}, found {' '.join(found)}"
        )
    shape = collected[name][0].features.shape[1:] if name in collected else view.features.shape[1:]
    if view.features.shape[1:] != shape:
        raise DataError(
            f"{part}, {name}: expected rows of shape {shape}, found {view.features.shape[1:]}"
        )


def _relabelled(part: str, view: FeatureView, numbers: np.ndarray) -> FeatureView:
    ids = np.array([f"{part}/{one}" for one in view.ids.tolist()], dtype=np.str_)
    labels = None
    if view.labels is not None:
        labels = np.where(view.labels < 0, -1, numbers[view.labels]).astype(np.int64)
    return FeatureView(view.features, ids, labels, view.split)


def _joined(views: list[FeatureView]) -> FeatureView:
    labels = [view.labels for view in views if view.labels is not None]
    return FeatureView(
        np.concatenate([view.features for view in views]),
        np.concatenate([view.ids for view in views]),
        np.concatenate(labels) if labels else None,
        np.concatenate([view.split for view in views]),
    )
