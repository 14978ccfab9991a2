"""The standardised rows that a gradient method is trained and validated on."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from models.cca.standardise import Standardiser, fit_standardiser
from models.cca.typicality import TypicalityModel, fit_typicality
from models.errors import DataError
from models.types import View
from training.datasets.feature_data import FeatureData, FeatureView, rows_of_common_ids
from training.datasets.split import TEST, TRAIN, VALIDATION
from training.evaluation.protocol import pooled_rows


@dataclass(frozen=True, slots=True, eq=False)
class NetworkProblem:
    """Train and validation rows of every view, standardised by the training rows.

    Attributes:
        train: Rows that give gradients.
        validation: Rows that stop the training.
        standardisers: Mean and scale of each view.
        views: Name, D, T and extractor of each view.
        n_classes: C, 0 without labels.
    """

    train: dict[str, FeatureView]
    validation: dict[str, FeatureView]
    standardisers: dict[str, Standardiser]
    views: dict[str, View]
    n_classes: int

    @property
    def labelled(self) -> bool:
        """True when any training row of every view has a known class."""
        return all(_labelled(view) for view in self.train.values())

    @property
    def paired(self) -> bool:
        """True when training rows of two views share an id."""
        return _paired(self.train)

    @property
    def mostly_paired(self) -> bool:
        """True when any two views share at least half of the items of the smaller one."""
        ids = [set(view.ids.tolist()) for view in self.train.values()]
        return all(2 * len(a & b) >= min(len(a), len(b)) for a, b in combinations(ids, 2))

    @property
    def complete(self) -> bool:
        """True when two training items or more have a row in every view, for a CCA of pairs."""
        return len(next(iter(rows_of_common_ids(self.train).values()))) >= 2

    @property
    def validation_paired(self) -> bool:
        """True when validation rows of two views share an id."""
        return _paired(self.validation)

    def typicality(self, name: str) -> TypicalityModel:
        """Distance model of a view, fitted on training rows, its threshold on validation rows."""
        parts = (self.train[name].only(TRAIN), self.validation[name])
        train, held_out = (pooled_rows(part).astype(np.float64) for part in parts)
        return fit_typicality(train, held_out)


def pose_problem(data: FeatureData, *, sequences: bool, join: bool = False) -> NetworkProblem:
    """Prepare the rows of a data set.

    Args:
        data: Without test rows.
        sequences: Keep (N, T, D) features; otherwise they are averaged over time.
        join: Train on validation rows too (they are still there for the typicality).

    Raises:
        DataError: If there are fewer than two views, test rows, or a view lacks rows to train or
            to validate on.
    """
    if len(data.views) < 2:
        raise DataError(f"expected at least two views, found {sorted(data.views)}")
    raw = {name: _shaped(view, sequences=sequences) for name, view in data.views.items()}
    for name, view in raw.items():
        _check_splits(name, view)
    kept = (TRAIN, VALIDATION) if join else (TRAIN,)
    fitted_on = {name: _rows(view, kept) for name, view in raw.items()}
    standardisers = {name: _standardiser(view) for name, view in fitted_on.items()}
    return NetworkProblem(
        train={n: _standardised(v, standardisers[n]) for n, v in fitted_on.items()},
        validation={n: _standardised(v.only(VALIDATION), standardisers[n]) for n, v in raw.items()},
        standardisers=standardisers,
        views={n: _view(n, v, data) for n, v in raw.items()},
        n_classes=_n_classes(data),
    )


def _shaped(view: FeatureView, *, sequences: bool) -> FeatureView:
    return view if sequences else replace(view, features=pooled_rows(view))


def _check_splits(name: str, view: FeatureView) -> None:
    if np.any(view.split == TEST):
        raise DataError(f"{name}: expected no test rows while choosing, found some")
    for split in (TRAIN, VALIDATION):
        if not np.any(view.split == split):
            raise DataError(f"expected {split} rows in every view, found none in {name}")


def _rows(view: FeatureView, splits: tuple[str, ...]) -> FeatureView:
    kept = np.isin(view.split, splits)
    labels = None if view.labels is None else view.labels[kept]
    return FeatureView(view.features[kept], view.ids[kept], labels, view.split[kept])


def _standardiser(view: FeatureView) -> Standardiser:
    return fit_standardiser(view.features.reshape(-1, view.features.shape[-1]).astype(np.float64))


def _standardised(view: FeatureView, standardiser: Standardiser) -> FeatureView:
    return replace(view, features=standardiser(view.features.astype(np.float64)).astype(np.float32))


def _view(name: str, view: FeatureView, data: FeatureData) -> View:
    extractor, fingerprint = data.extractors.get(name, (None, None))
    steps = view.features.shape[1] if view.features.ndim == 3 else None
    return View(name, view.features.shape[-1], extractor, fingerprint, steps)


def _n_classes(data: FeatureData) -> int:
    highest = [int(v.labels.max()) for v in data.views.values() if v.labels is not None]
    return max([len(data.classes), *(label + 1 for label in highest)])


def _labelled(view: FeatureView) -> bool:
    return view.labels is not None and bool(np.any(view.labels >= 0))


def _paired(views: Mapping[str, FeatureView]) -> bool:
    ids = [one for view in views.values() for one in view.ids.tolist()]
    return len(set(ids)) < len(ids)
