"""The layout of the published VEGAS and AVE retrieval features: a data set per view and split.

``audio_train, visual_train, lab_train, audio_test, visual_test, lab_test`` (row i of every view is
the same clip), or matched by class, with ``lab_audio_train, lab_visual_train, ...`` (no pairs).
Rows are (N, D) or sequences (N, T, D). VGGish and Inception features were stored as 8-bit numbers;
rows of type uint8 become (x - 128) / 256, as the authors' code does for averaged rows.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

import h5py
import numpy as np

from models.errors import DataError
from models.types import Float32Array, Int64Array
from training.datasets.feature_data import RawView
from training.datasets.hdf5_arrays import read_features, read_labels
from training.datasets.split import SPLITS, TEST, TRAIN, VALIDATION

_SUFFIXES = {"train": TRAIN, "validation": VALIDATION, "valid": VALIDATION, "val": VALIDATION}
_SUFFIXES["test"] = TEST
_LABELS, _FILES = "lab", "file"

ValueT = TypeVar("ValueT")


@dataclass(frozen=True, slots=True)
class _Keys:
    """Keys of the rows and labels: by view and split, or by split where all views share them."""

    views: dict[str, dict[str, str]]
    shared_labels: dict[str, str]
    view_labels: dict[str, dict[str, str]]


def read_published(file: h5py.File) -> dict[str, RawView]:
    """Read every view of an open file.

    Rows are true pairs (equal ids) when the labels are shared or there are none, and are related
    by class only (ids differ) when each view has labels of its own.

    Raises:
        DataError: If keys are unknown or missing, or row counts differ.
    """
    keys = _sort_keys(file)
    _check_keys(keys)
    views = {name: _read_view(file, name, keys) for name in keys.views}
    if not keys.view_labels:
        _check_row_counts(file, keys)
    return views


def _sort_keys(file: h5py.File) -> _Keys:
    keys = _Keys({}, {}, {})
    for key in file:
        prefix, _, suffix = key.rpartition("_")
        kind, _, view = prefix.partition("_")
        if suffix not in _SUFFIXES or not prefix:
            raise DataError(
                f"{key}: unknown key; expected groups with features and ids, or the published "
                f"layout: VIEW_train, VIEW_test, lab_train, lab_test (or lab_VIEW_train, ...)"
            )
        split = _SUFFIXES[suffix]
        if kind == _FILES:
            continue  # names of the source files: for people, not for training
        if prefix == _LABELS:
            keys.shared_labels[split] = key
        elif kind == _LABELS:
            keys.view_labels.setdefault(view, {})[split] = key
        else:
            keys.views.setdefault(prefix, {})[split] = key
    return keys


def _check_keys(keys: _Keys) -> None:
    if keys.shared_labels and keys.view_labels:
        raise DataError(
            "expected either labels shared by all views (lab_train, true pairs) or labels of each "
            f"view (lab_VIEW_train, no pairs), found {_first(keys.shared_labels.values())} and "
            f"{_first(_first(keys.view_labels.values()).values())}"
        )
    for view in keys.view_labels:
        if view not in keys.views:
            raise DataError(f"lab_{view}_train: labels of a view {view!r} that is not in the file")
    if not keys.views:
        raise DataError("expected at least one view (VIEW_train, VIEW_test), found labels only")
    splits = {split for by_split in keys.views.values() for split in by_split} | {TRAIN, TEST}
    for name, by_split in keys.views.items():
        _require(splits, by_split, prefix=name)
        if keys.view_labels:
            _require(splits, keys.view_labels.get(name, {}), prefix=f"lab_{name}")
    if keys.shared_labels:
        _require(splits, keys.shared_labels, prefix=_LABELS)


def _require(splits: Iterable[str], found: dict[str, str], *, prefix: str) -> None:
    for split in sorted(splits):
        if split not in found:
            there = ", ".join(sorted(found.values())) or "nothing"
            raise DataError(f"{prefix}_{split}: missing; found {there}")


def _read_view(file: h5py.File, name: str, keys: _Keys) -> RawView:
    parts: list[Float32Array] = []
    ids: list[str] = []
    splits: list[str] = []
    labels: list[Int64Array] = []
    label_keys = keys.view_labels.get(name, keys.shared_labels)
    own = f"{name}/" if keys.view_labels else ""
    for split, key in sorted(keys.views[name].items(), key=lambda item: SPLITS.index(item[0])):
        part = _read_rows(file, key, like=next(iter(keys.views[name].values())))
        if parts and part.shape[1:] != parts[0].shape[1:]:
            raise DataError(
                f"{key}: expected rows of shape {parts[0].shape[1:]}, found {part.shape[1:]}"
            )
        parts.append(part)
        ids += [f"{own}{split}/{row:06d}" for row in range(len(part))]
        splits += [split] * len(part)
        if label_keys:
            labels.append(_labels_of(file, label_keys[split], n_rows=len(part), of=key))
    return RawView(
        np.concatenate(parts),
        np.array(ids, dtype=np.str_),
        np.concatenate(labels) if labels else None,
        np.array(splits, dtype=np.str_),
    )


def _read_rows(file: h5py.File, key: str, *, like: str) -> Float32Array:
    """Read the rows of one split; 8-bit rows are put on the scale of the published features."""
    quantised, expected = (file[one].dtype == np.uint8 for one in (key, like))
    if quantised != expected:
        raise DataError(
            f"{key}: expected all splits of a view as uint8 or none, found {file[key].dtype} "
            f"beside {file[like].dtype} in {like}"
        )
    rows = read_features(file[key], key)
    return (rows - np.float32(128)) / np.float32(256) if quantised else rows


def _labels_of(file: h5py.File, key: str, *, n_rows: int, of: str) -> Int64Array:
    labels = read_labels(file[key], key)
    if len(labels) != n_rows:
        raise DataError(f"{key}: expected {n_rows} labels as {of} has rows, found {len(labels)}")
    return labels


def _check_row_counts(file: h5py.File, keys: _Keys) -> None:
    """Without labels of their own, rows can only be related by position."""
    first = _first(keys.views.values())
    for by_split in keys.views.values():
        for split, key in by_split.items():
            expected = file[first[split]].shape[0]
            if file[key].shape[0] != expected:
                raise DataError(
                    f"{key}: expected {expected} rows as {first[split]} has, found "
                    f"{file[key].shape[0]}; rows of files without lab_VIEW_{split} are true pairs"
                )


def _first(values: Iterable[ValueT]) -> ValueT:
    return next(iter(values))
