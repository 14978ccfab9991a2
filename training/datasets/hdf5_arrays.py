"""HDF5 data sets -> checked arrays; every refusal names the key, what was expected and found."""

from typing import Any

import h5py
import numpy as np

from models.errors import DataError
from models.types import Float32Array, Int64Array
from training.datasets.feature_data import StrArray


def read_features(dataset: h5py.Dataset, key: str) -> Float32Array:
    """Read rows of shape (N, D) or (N, T, D) from any number type.

    Args:
        dataset: Where they lie.
        key: Its name in messages.

    Returns:
        The rows in C order, float32, finite.

    Raises:
        DataError: If they are no numbers, have another shape, no row or no column, or are not
            finite as float32.
    """
    if dataset.dtype.kind not in "fiub":
        raise DataError(f"{key}: expected numbers, found type {dataset.dtype}")
    if dataset.ndim not in (2, 3) or 0 in dataset.shape:
        raise DataError(f"{key}: expected shape (N, D) or (N, T, D), none 0, found {dataset.shape}")
    with np.errstate(over="ignore"):
        features = np.ascontiguousarray(dataset[...], dtype=np.float32)
    finite = np.isfinite(features).reshape(len(features), -1).all(axis=1)
    if not finite.all():
        raise DataError(
            f"{key}: expected finite float32 numbers, found NaN or infinity in "
            f"{np.count_nonzero(~finite)} of {len(features)} rows, the first of them row "
            f"{int(finite.argmin())}"
        )
    return features


def read_labels(dataset: h5py.Dataset, key: str) -> Int64Array:
    """Read class numbers written as (N,), (N, 1) or one-hot (N, C), whole or floating.

    Returns:
        Class numbers >= 0, shape (N,), int64.

    Raises:
        DataError: If they are none of these.
    """
    if dataset.dtype.kind not in "fiub" or dataset.ndim not in (1, 2):
        raise DataError(
            f"{key}: expected class numbers of shape (N,), (N, 1) or one-hot (N, C), "
            f"found {dataset.shape} of type {dataset.dtype}"
        )
    values = np.asarray(dataset[...], dtype=np.float64)
    if values.ndim == 2 and values.shape[1] != 1:
        return _from_one_hot(values, key)
    values = values.reshape(-1)
    wrong = ~((values >= 0) & (values == np.floor(values)) & np.isfinite(values))
    if wrong.any():
        raise DataError(
            f"{key}: expected whole numbers >= 0, found {values[wrong][0]:g} in row "
            f"{int(wrong.argmax())}"
        )
    return values.astype(np.int64)


def read_strings(dataset: h5py.Dataset, key: str) -> StrArray:
    """Read text of shape (N,).

    Raises:
        DataError: If it is no UTF-8 text of that shape.
    """
    if h5py.check_string_dtype(dataset.dtype) is None or dataset.ndim != 1:
        raise DataError(
            f"{key}: expected text of shape (N,), found {dataset.shape} of type {dataset.dtype}"
        )
    try:
        return np.array(dataset.asstr()[...].tolist(), dtype=np.str_)
    except UnicodeDecodeError as error:
        raise DataError(f"{key}: expected UTF-8 text, found {error}") from error


def read_text_attribute(attributes: h5py.AttributeManager, name: str) -> str:
    """Return one text attribute, empty where there is none."""
    return _text(attributes.get(name, ""))


def read_class_names(attributes: h5py.AttributeManager, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the list of class names under the first of ``names`` that is there, or nothing.

    Raises:
        DataError: If two classes have the same name.
    """
    for name in names:
        if name in attributes:
            classes = tuple(_text(one) for one in np.atleast_1d(attributes[name]).tolist())
            if len(set(classes)) < len(classes):
                raise DataError(
                    f"attribute {name}: expected different class names, found {classes}"
                )
            return classes
    return ()


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _from_one_hot(values: np.ndarray[Any, np.dtype[np.float64]], key: str) -> Int64Array:
    one_hot = ((values == 0) | (values == 1)).all(axis=1) & (values.sum(axis=1) == 1)
    if not one_hot.all():
        raise DataError(
            f"{key}: expected one-hot rows of shape (N, C), found row {int(one_hot.argmin())} "
            f"without exactly one 1"
        )
    return values.argmax(axis=1).astype(np.int64)
