"""The rows and correspondences that a linear method is fitted on."""

from collections.abc import Mapping, Sequence

import numpy as np

from models.cca.pair_moments import PairMoments, cluster_moments, mix_moments, paired_moments
from models.cca.standardise import Standardiser
from models.errors import DataError
from models.types import Float64Array, Int64Array, View
from training.datasets.feature_data import FeatureData, FeatureView, StrArray
from training.evaluation.protocol import pooled_rows

CCA = "cca"
CLUSTER_CCA = "c-cca"


class LinearProblem:
    """Train and validation rows of every view, checked for what the method needs.

    Attributes:
        method: ``cca`` or ``c-cca``.
        train: Rows of the train split by view.
        validation: Rows of the validation split by view.
        both: The two together.
        paired: True when rows of all views share ids.
    """

    def __init__(self, method: str, data: FeatureData) -> None:
        if len(data.views) < 2:
            raise DataError(f"expected at least two views, found {sorted(data.views)}")
        self.method = method
        self._data = data
        self.train = {name: view.only("train") for name, view in data.views.items()}
        self.validation = {name: view.only("validation") for name, view in data.views.items()}
        for split, views in (("train", self.train), ("validation", self.validation)):
            empty = sorted(name for name, view in views.items() if not len(view))
            if empty:
                raise DataError(f"expected {split} rows in every view, found none in {empty}")
        self.both = {name: _joined(self.train[name], self.validation[name]) for name in data.views}
        labelled = all(view.labels is not None for view in data.views.values())
        self.paired = len(_common_ids(self.train)) >= 2
        if method == CCA and not self.paired:
            raise DataError(
                "cca needs true pairs (equal ids in all views), found none; with labels use c-cca"
            )
        if method == CLUSTER_CCA and not labelled:
            raise DataError("c-cca needs labels in every view, found none; with pairs use cca")

    def views(self) -> dict[str, View]:
        """Name, D and extractor of each view."""
        return {
            name: View(name, pooled_rows(view).shape[1], *self._data.extractors.get(name, ()))
            for name, view in self.train.items()
        }

    def betas(self, wanted: Sequence[float]) -> tuple[float, ...]:
        """Shares of true pairs that make sense: 1 for plain CCA, 0 where nothing is paired."""
        if self.method == CCA:
            return (1.0,)
        return tuple(wanted) if self.paired else (0.0,)

    def component_numbers(self, beta: float, wanted: Sequence[int]) -> list[int]:
        """Values of K to try, ascending; same-class pairs alone carry at most C - 1 directions."""
        limit = min(pooled_rows(view).shape[1] for view in self.train.values())
        if beta == 0.0:
            return [min(limit, max(1, len(self._data.classes) - 1))]
        return sorted({min(limit, k) for k in wanted})

    def moments(
        self,
        views: Mapping[str, FeatureView],
        standardisers: Mapping[str, Standardiser],
        beta: float,
    ) -> PairMoments:
        """Moments of standardised corresponding rows: true pairs, same-class pairs or both."""
        rows = {name: standardisers[name](doubles(view)) for name, view in views.items()}
        if beta == 0.0:
            return self._cluster_moments(views, rows)
        common = _common_ids(views)
        paired = paired_moments([rows[n][_positions(v.ids, common)] for n, v in views.items()])
        if beta == 1.0:
            return paired
        return mix_moments(paired, self._cluster_moments(views, rows), beta)

    @staticmethod
    def _cluster_moments(
        views: Mapping[str, FeatureView], rows: Mapping[str, Float64Array]
    ) -> PairMoments:
        return cluster_moments(list(rows.values()), [_labels(view) for view in views.values()])


def doubles(view: FeatureView) -> Float64Array:
    """Pooled rows (N, D) in double precision."""
    return pooled_rows(view).astype(np.float64)


def _labels(view: FeatureView) -> Int64Array:
    if view.labels is None:
        raise DataError("expected labels, found none")
    return view.labels


def _common_ids(views: Mapping[str, FeatureView]) -> StrArray:
    """Ids that occur in every view, sorted."""
    ids = [set(view.ids.tolist()) for view in views.values()]
    return np.array(sorted(set.intersection(*ids)), dtype=np.str_)


def _positions(ids: StrArray, wanted: StrArray) -> Int64Array:
    """Row number of each wanted id."""
    order = np.argsort(ids)
    return order[np.searchsorted(ids, wanted, sorter=order)]


def _joined(a: FeatureView, b: FeatureView) -> FeatureView:
    both = a.labels is not None and b.labels is not None
    return FeatureView(
        np.concatenate([a.features, b.features]),
        np.concatenate([a.ids, b.ids]),
        np.concatenate([_labels(a), _labels(b)]) if both else None,
        np.concatenate([a.split, b.split]),
    )
