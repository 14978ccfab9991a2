"""The rows and correspondences that a closed-form method is fitted on."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from models.cca.pair_moments import (
    PairMoments,
    cluster_moments,
    common_classes,
    mean_moments,
    mix_moments,
    paired_moments,
)
from models.cca.standardise import Standardiser, fit_standardiser
from models.cca.typicality import TypicalityModel, fit_typicality
from models.errors import DataError
from models.types import Float32Array, Float64Array, Int64Array, View
from training.datasets.feature_data import FeatureData, FeatureView, rows_of_common_ids
from training.datasets.split import TRAIN, VALIDATION
from training.evaluation.protocol import pooled_rows, validation_score

CCA = "cca"
CLUSTER_CCA = "c-cca"
MEAN_CCA = "mean-cca"
KERNEL_CCA = "kcca"
KERNEL_CLUSTER_CCA = "c-kcca"
SEMANTIC_MATCHING = "sm"
SEMANTIC_CORRELATION_MATCHING = "scm"
UNSUPERVISED = (CCA, KERNEL_CCA)


class LinearProblem:
    """Train and validation rows of every view, checked for what the method needs.

    Attributes:
        method: Name of the method, said in messages.
        train: Rows of the train split by view.
        validation: Rows of the validation split by view.
        both: The two together.
        use_labels: False for the methods that are not given labels.
        paired: True when rows of all views share ids.
        classes: Classes that occur in the training rows of every view.
    """

    def __init__(self, method: str, data: FeatureData) -> None:
        if len(data.views) < 2:
            raise DataError(f"expected at least two views, found {sorted(data.views)}")
        self.method = method
        self._data = data
        self.train = _rows_of(data, TRAIN)
        self.validation = _rows_of(data, VALIDATION)
        self.both = {name: _joined(self.train[name], self.validation[name]) for name in data.views}
        self.use_labels = method not in UNSUPERVISED
        self.paired = _n_common(self.train) >= 2
        self.classes = common_classes([_labels(view) for view in self.train.values()])
        if not self.use_labels and not self.paired:
            raise DataError(
                f"{method} needs true pairs (equal ids in all views), found none; "
                f"with labels use {CLUSTER_CCA}"
            )
        if self.use_labels and len(self.classes) < 2:
            raise DataError(
                f"{method} needs labels of at least two classes in every view, found "
                f"{len(self.classes)}; with pairs use {CCA}"
            )

    def views(self) -> dict[str, View]:
        """Name, D and extractor of each view."""
        return {
            name: View(name, pooled_rows(view).shape[1], *self._data.extractors.get(name, ()))
            for name, view in self.train.items()
        }

    def betas(self, wanted: Sequence[float]) -> tuple[float, ...]:
        """Shares of true pairs that make sense: 1 without labels, 0 where nothing is paired."""
        if not self.use_labels:
            return (1.0,)
        return tuple(wanted) if self.paired and self.method != MEAN_CCA else (0.0,)

    def component_numbers(self, beta: float, wanted: Sequence[int], limit: int) -> list[int]:
        """Values of K to try, ascending; same-class pairs alone carry at most C - 1 directions.

        Args:
            beta: Share of true pairs.
            wanted: Sizes asked for.
            limit: The smallest number of features of a view.
        """
        if beta == 0.0:
            return [min(limit, len(self.classes) - 1)]
        return sorted({min(limit, k) for k in wanted})

    def moments(
        self,
        views: Mapping[str, FeatureView],
        rows: Mapping[str, Float64Array],
        betas: Sequence[float],
    ) -> Iterator[tuple[float, PairMoments]]:
        """Moments of corresponding rows for each share of true pairs.

        Args:
            views: Ids and labels.
            rows: The features of the same rows, after any map, (N_v, D_v) per view.
            betas: Shares of true pairs; the others are same-class pairs. Mean-CCA has class means.

        Yields:
            The share and the moments.
        """
        features, labels = list(rows.values()), [_labels(view) for view in views.values()]
        if self.method == MEAN_CCA:
            yield 0.0, mean_moments(features, labels)
        elif max(betas) == 0.0:
            yield 0.0, cluster_moments(features, labels)
        else:
            common = rows_of_common_ids(views)
            paired = paired_moments([rows[name][common[name]] for name in views])
            cluster = cluster_moments(features, labels) if min(betas) < 1.0 else paired
            for beta in betas:
                yield beta, mix_moments(paired, cluster, beta)

    def score(self, embedded: Mapping[str, Float32Array]) -> float:
        """How well the validation rows, embedded as unit rows, find each other.

        A method without labels is judged by true pairs alone, or by class where there are none.
        """
        labels = self.use_labels or not _n_common(self.validation)
        return validation_score(embedded, self.validation, use_labels=labels)


class StandardisedRows:
    """Rows of every view in double precision, standardised by the rows that are fitted.

    Attributes:
        standardisers: Mean and scale of each view.
        fitted: The rows that are fitted, (N_v, D_v) per view.
    """

    def __init__(self, fitted: Mapping[str, FeatureView]) -> None:
        raw = {name: _doubles(view) for name, view in fitted.items()}
        self.standardisers = {name: fit_standardiser(rows) for name, rows in raw.items()}
        self.fitted = {name: self.standardisers[name](rows) for name, rows in raw.items()}

    def of(self, views: Mapping[str, FeatureView]) -> dict[str, Float64Array]:
        """Other rows of the same views, (N_v, D_v) per view."""
        return {name: self.standardisers[name](_doubles(view)) for name, view in views.items()}


def fit_view_typicality(
    problem: LinearProblem, name: str, standardiser: Standardiser
) -> TypicalityModel:
    """Distance model of a view, fitted on training rows, its threshold on validation rows."""
    parts = (problem.train[name], problem.validation[name])
    train, held_out = (standardiser(_doubles(part)) for part in parts)
    return fit_typicality(train, held_out)


def _doubles(view: FeatureView) -> Float64Array:
    """Pooled rows (N, D) in double precision."""
    return pooled_rows(view).astype(np.float64)


def _rows_of(data: FeatureData, split: str) -> dict[str, FeatureView]:
    """Rows of one split by view.

    Raises:
        DataError: If a view has none.
    """
    views = {name: view.only(split) for name, view in data.views.items()}
    empty = sorted(name for name, view in views.items() if not len(view))
    if empty:
        raise DataError(f"expected {split} rows in every view, found none in {empty}")
    return views


def _labels(view: FeatureView) -> Int64Array:
    """Class of each row, -1 where it is not known, shape (N,)."""
    return np.full(len(view), -1) if view.labels is None else view.labels


def _n_common(views: Mapping[str, FeatureView]) -> int:
    """Number of items that every view holds."""
    return len(next(iter(rows_of_common_ids(views).values())))


def _joined(a: FeatureView, b: FeatureView) -> FeatureView:
    unlabelled = a.labels is None
    return FeatureView(
        np.concatenate([a.features, b.features]),
        np.concatenate([a.ids, b.ids]),
        None if unlabelled else np.concatenate([_labels(a), _labels(b)]),
        np.concatenate([a.split, b.split]),
    )
