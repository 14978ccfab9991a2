"""Closed-form CCA of network outputs: the last step of the deep CCA family."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.cca.linalg import Projections, WhitenedMoments
from models.cca.pair_moments import (
    PairMoments,
    cluster_moments,
    common_classes,
    mix_moments,
    paired_moments,
)
from models.errors import DataError
from models.types import Float32Array, Float64Array
from training.datasets.feature_data import FeatureView, rows_of_common_ids


@dataclass(frozen=True, slots=True)
class HeadOptions:
    """How outputs are correlated.

    Attributes:
        n_components: K; at most the width of the outputs, and C - 1 for same-class pairs alone.
        ridge: Added to the variances of outputs scaled to a mean variance of 1.
        beta: Share of true pairs, the rest same-class pairs: 1 is CCA, 0 cluster-CCA.
        power: Directions are scaled by their correlation to this power.
    """

    n_components: int
    ridge: float
    beta: float
    power: float = 1.0


def correlation_head(
    outputs: Mapping[str, Float32Array],
    views: Mapping[str, FeatureView],
    options: HeadOptions,
) -> Projections:
    """Fit CCA, cluster-CCA or their mix on rows (N, D) of every view.

    Args:
        outputs: Network outputs, or any rows, by view.
        views: Ids and labels of these rows. Rows of class -1 take part in true pairs only.
        options: See there.

    Raises:
        DataError: If the correspondences that are asked for do not exist.
    """
    scales = {name: _deviation(rows) for name, rows in outputs.items()}
    rows = {name: x.astype(np.float64) / scales[name] for name, x in outputs.items()}
    moments = _moments(rows, views, options.beta)
    limit = min(x.shape[1] for x in rows.values())
    if options.beta == 0.0:
        limit = min(limit, max(_n_classes(views) - 1, 1))
    k = min(options.n_components, limit)
    solved = WhitenedMoments(moments).solve(n_components=k, ridge=options.ridge)
    strength = solved.correlations**options.power
    return replace(
        solved,
        means=tuple(m * scales[n] for n, m in zip(rows, solved.means, strict=True)),
        weights=tuple(w * strength / scales[n] for n, w in zip(rows, solved.weights, strict=True)),
    )


def _moments(
    rows: Mapping[str, Float64Array], views: Mapping[str, FeatureView], beta: float
) -> PairMoments:
    parts = []
    if beta > 0.0:
        positions = rows_of_common_ids(views)
        if len(next(iter(positions.values()))) < 2:
            raise DataError(f"expected true pairs for beta = {beta}, found none; use beta = 0")
        parts.append(paired_moments([rows[name][positions[name]] for name in views]))
    if beta < 1.0:
        known = {name: _known(view) for name, view in views.items()}
        labels = [
            view.labels[known[name]] for name, view in views.items() if view.labels is not None
        ]
        if len(labels) < len(views):
            raise DataError(f"expected labels in every view for beta = {beta}, found none")
        if not common_classes(labels):
            raise DataError(f"expected a class that every view has for beta = {beta}, found none")
        parts.append(cluster_moments([rows[name][known[name]] for name in views], labels))
    return parts[0] if len(parts) == 1 else mix_moments(parts[0], parts[1], beta)


def _known(view: FeatureView) -> NDArray[np.bool_]:
    return np.zeros(len(view), dtype=bool) if view.labels is None else view.labels >= 0


def _n_classes(views: Mapping[str, FeatureView]) -> int:
    labels = [
        set(view.labels.tolist()) - {-1} for view in views.values() if view.labels is not None
    ]
    return len(set.intersection(*labels))


def _deviation(rows: Float32Array) -> float:
    return float(np.sqrt(np.mean(rows.astype(np.float64).var(axis=0)))) or 1.0
