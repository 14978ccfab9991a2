"""The feature file: HDF5 with a group per view, or the published layout of VEGAS and AVE.

``VIEW/features`` (N, D) or (N, T, D), ``VIEW/ids`` (N,), optional ``VIEW/labels`` (N,) and
``VIEW/split`` (N,); group attributes ``extractor``, ``extractor_fingerprint`` and
``extractor_parameters``; file attributes ``classes``, ``source``, ``licence``. See
docs/feature_file.md.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np

from models.errors import DataError
from training.datasets import ave, vegas
from training.datasets.feature_data import FeatureData, FeatureView, RawView, settle_splits
from training.datasets.hdf5_arrays import (
    read_class_names,
    read_features,
    read_labels,
    read_strings,
    read_text_attribute,
)
from training.datasets.published_layout import read_published

__all__ = [
    "FeatureData",
    "FeatureHeader",
    "FeatureView",
    "read_feature_file",
    "write_feature_file",
    "write_views",
]

NAME: Final = "feature-file"
LICENCE: Final = "that of the media the features were made from; see the file attribute `licence`"
CITATION: Final = "that of the media the features were made from; see the file attribute `source`"
HOW_TO_GET: Final = "kyomei extract DATASET --out F.h5, or a published VEGAS or AVE feature file"

FORMAT: Final = "kyomei-features-1"
_PARAMETERS: Final = "extractor_parameters"
_KEYS: Final = ("features", "ids", "labels", "split")
_PUBLISHED: Final = {vegas.NAME: vegas.HOW_TO_GET, ave.NAME: ave.HOW_TO_GET}


@dataclass(frozen=True, slots=True)
class FeatureHeader:
    """What a feature file says about all its rows; see ``FeatureData`` for the fields."""

    classes: tuple[str, ...] = ()
    source: str = ""
    licence: str = ""
    extractors: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    extractor_parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def read_feature_file(path: Path, *, seed: int = 0, validation_share: float = 0.15) -> FeatureData:
    """Read a feature file whole into memory.

    Args:
        path: HDF5 file in the layout of Kyomei or of the published VEGAS and AVE files.
        seed: Chooses the validation rows where the file has none.
        validation_share: Part of the training rows they take, in [0, 1), of each class.

    Returns:
        Views in alphabetical order, rows in file order; labels count from 0 in ``classes``.

    Raises:
        DataError: If the file is not there, not HDF5, or contradicts itself; the message names
            the key, what was expected and what was found. ``vegas`` and ``ave`` in place of a path
            say where their files are to be had.
    """
    where = _PUBLISHED.get(str(path).lower())
    if where is not None and not path.exists():
        raise DataError(f"{path}: expected a feature file, found none; {where}")
    try:
        with h5py.File(path, "r") as file:
            views, header = _read(file)
    except OSError as error:
        raise DataError(f"{path}: expected a readable HDF5 feature file, found: {error}") from error
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    try:
        views, classes = _number_classes(views, header.classes)
        settled = settle_splits(views, seed=seed, validation_share=validation_share)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    parameters = {name: dict(words) for name, words in header.extractor_parameters.items()}
    extractors = dict(header.extractors)
    return FeatureData(settled, classes, header.source, header.licence, extractors, parameters)


def write_feature_file(path: Path, data: FeatureData) -> None:
    """Write a feature file, atomically: after a crash the old file or none is there.

    Raises:
        DataError: If the views contradict each other (see ``read_feature_file``).
    """
    raw = {name: RawView(v.features, v.ids, v.labels, v.split) for name, v in data.views.items()}
    for name, view in raw.items():
        _check_view(name, view, len(data.classes))
    settle_splits(raw, seed=0, validation_share=0.0)
    header = FeatureHeader(
        data.classes, data.source, data.licence, data.extractors, data.extractor_parameters
    )
    write_views(path, raw, header)


def write_views(path: Path, views: Mapping[str, RawView], header: FeatureHeader) -> None:
    """Write views whose split may still be open, atomically; the bytes depend on the values only.

    Raises:
        DataError: If arrays of one view do not belong together, or a label has no class.
    """
    for name, view in views.items():
        _check_view(name, view, len(header.classes))
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with h5py.File(temporary, "w", libver=("earliest", "v110")) as file:
            file.attrs["format"] = FORMAT
            file.attrs["classes"] = np.array(header.classes, dtype=h5py.string_dtype())
            file.attrs["source"] = header.source
            file.attrs["licence"] = header.licence
            for name, view in sorted(views.items()):
                _write_view(file.create_group(name), view)
                _write_extractor(file[name].attrs, name, header)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _read(file: h5py.File) -> tuple[dict[str, RawView], FeatureHeader]:
    groups = [key for key in file if isinstance(file[key], h5py.Group)]
    datasets = [key for key in file if key not in groups]
    if groups and datasets:
        raise DataError(
            f"expected a group per view or the published layout, found group {groups[0]} "
            f"beside data set {datasets[0]}"
        )
    if not groups and not datasets:
        raise DataError("expected at least one view, found an empty file")
    views = {key: _read_group(file[key], key) for key in groups} or read_published(file)
    header = FeatureHeader(
        classes=read_class_names(file.attrs, ("classes", "class_names")),
        source=read_text_attribute(file.attrs, "source"),
        licence=read_text_attribute(file.attrs, "licence"),
        extractors={
            key: (
                read_text_attribute(file[key].attrs, "extractor"),
                read_text_attribute(file[key].attrs, "extractor_fingerprint"),
            )
            for key in groups
            if "extractor" in file[key].attrs
        },
        extractor_parameters={
            key: _read_parameters(file[key].attrs, key)
            for key in groups
            if _PARAMETERS in file[key].attrs
        },
    )
    return views, header


def _read_group(group: h5py.Group, name: str) -> RawView:
    unknown = sorted(set(group) - set(_KEYS))
    if unknown:
        raise DataError(f"{name}/{unknown[0]}: unknown key, expected {', '.join(_KEYS)}")
    for key in ("features", "ids"):
        if not isinstance(group.get(key), h5py.Dataset):
            raise DataError(f"{name}/{key}: missing, found {', '.join(group) or 'nothing'}")
    view = RawView(
        read_features(group["features"], f"{name}/features"),
        read_strings(group["ids"], f"{name}/ids"),
        read_labels(group["labels"], f"{name}/labels") if "labels" in group else None,
        read_strings(group["split"], f"{name}/split") if "split" in group else None,
    )
    _check_rows(name, view)
    return view


def _check_rows(name: str, view: RawView) -> None:
    for key in ("ids", "labels", "split"):
        column = getattr(view, key)
        if column is not None and column.shape != (len(view.features),):
            raise DataError(
                f"{name}/{key}: expected shape ({len(view.features)},) as {name}/features has "
                f"rows, found {column.shape}"
            )


def _check_view(name: str, view: RawView, n_classes: int) -> None:
    if view.features.ndim not in (2, 3) or view.features.dtype != np.float32:
        raise DataError(
            f"{name}/features: expected float32 of shape (N, D) or (N, T, D), found "
            f"{view.features.dtype} of shape {view.features.shape}"
        )
    if not np.isfinite(view.features).all():
        raise DataError(f"{name}/features: expected finite numbers, found NaN or infinity")
    _check_rows(name, view)
    if view.labels is not None and len(view.labels):
        low, high = int(view.labels.min()), int(view.labels.max())
        if low < 0 or high >= n_classes:
            raise DataError(
                f"{name}/labels: expected 0 to {n_classes - 1} for {n_classes} classes, found "
                f"{low} to {high}"
            )


def _write_view(group: h5py.Group, view: RawView) -> None:
    text = h5py.string_dtype()
    group.create_dataset("features", data=view.features)
    group.create_dataset("ids", data=view.ids.astype(object), dtype=text)
    if view.labels is not None:
        group.create_dataset("labels", data=view.labels.astype(np.int64))
    if view.split is not None:
        group.create_dataset("split", data=view.split.astype(object), dtype=text)


def _write_extractor(attributes: h5py.AttributeManager, view: str, header: FeatureHeader) -> None:
    if view in header.extractors:
        attributes["extractor"], attributes["extractor_fingerprint"] = header.extractors[view]
    if view in header.extractor_parameters:
        words = dict(header.extractor_parameters[view])
        attributes[_PARAMETERS] = json.dumps(words, sort_keys=True)


def _read_parameters(attributes: h5py.AttributeManager, view: str) -> dict[str, Any]:
    """The parameters of an extractor, written as JSON."""
    try:
        found = json.loads(read_text_attribute(attributes, _PARAMETERS))
    except ValueError as error:
        raise DataError(f"{view}: expected JSON in attribute {_PARAMETERS}: {error}") from error
    if not isinstance(found, dict):
        raise DataError(f"{view}: expected a JSON object in attribute {_PARAMETERS}, got {found!r}")
    return found


def _number_classes(
    views: Mapping[str, RawView], classes: tuple[str, ...]
) -> tuple[dict[str, RawView], tuple[str, ...]]:
    """Check labels against the named classes; without names, number the values that occur."""
    labelled = {name: view.labels for name, view in views.items() if view.labels is not None}
    if classes:
        for name, labels in labelled.items():
            if int(labels.max()) >= len(classes):
                raise DataError(
                    f"{name}/labels: expected 0 to {len(classes) - 1} for the {len(classes)} "
                    f"classes of the file, found {int(labels.max())}"
                )
        return dict(views), classes
    if not labelled:
        return dict(views), ()
    values = np.unique(np.concatenate(list(labelled.values())))
    numbered = {
        name: RawView(
            view.features,
            view.ids,
            None if view.labels is None else np.searchsorted(values, view.labels).astype(np.int64),
            view.split,
        )
        for name, view in views.items()
    }
    return numbered, tuple(str(value) for value in values.tolist())
