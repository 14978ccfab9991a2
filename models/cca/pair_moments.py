"""First and second moments of corresponding rows, without ever writing the pairs down.

A CCA needs only the means and the second moments of the pairs it is given. For true pairs these
are sums over rows. For cluster-CCA every tuple of same-class rows is a correspondence; their
moments follow from class sums (Rasiwasia, Mahajan, Mahadevan, Aggarwal, "Cluster Canonical
Correlation Analysis", AISTATS 2014), so that the N_c^2 pairs of a class are never expanded.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from models.errors import ShapeError
from models.types import Float64Array, Int64Array


@dataclass(frozen=True, slots=True, eq=False)
class PairMoments:
    """Moments about the origin of M-tuples of corresponding rows, M views.

    Attributes:
        means: E[x_v], one array of shape (D_v,) per view.
        within: E[x_v x_v'], one array of shape (D_v, D_v) per view.
        between: E[x_v x_w'] of shape (D_v, D_w) for each pair of views v < w.
    """

    means: tuple[Float64Array, ...]
    within: tuple[Float64Array, ...]
    between: dict[tuple[int, int], Float64Array]

    def covariances(self) -> tuple[tuple[Float64Array, ...], dict[tuple[int, int], Float64Array]]:
        """Second moments about the means: (within per view, between per pair of views)."""
        within = tuple(
            second - np.outer(mean, mean)
            for second, mean in zip(self.within, self.means, strict=True)
        )
        between = {
            (v, w): second - np.outer(self.means[v], self.means[w])
            for (v, w), second in self.between.items()
        }
        return within, between


def paired_moments(views: Sequence[Float64Array]) -> PairMoments:
    """Moments of true pairs: row i of each view belongs together.

    Args:
        views: M >= 2 arrays of shape (N, D_v).

    Raises:
        ShapeError: If the views do not have the same number of rows.
    """
    _check_views(views)
    n_rows = len(views[0])
    if any(len(x) != n_rows for x in views):
        raise ShapeError(f"expected paired views of equal length, got {[x.shape for x in views]}")
    return PairMoments(
        means=tuple(x.mean(axis=0) for x in views),
        within=tuple(x.T @ x / n_rows for x in views),
        between={(v, w): views[v].T @ views[w] / n_rows for v, w in _view_pairs(len(views))},
    )


def cluster_moments(views: Sequence[Float64Array], labels: Sequence[Int64Array]) -> PairMoments:
    """Moments of all tuples of same-class rows, from class sums.

    With n_c^v rows of class c in view v and P = sum_c prod_v n_c^v tuples,
    E[x_v x_w'] = (1/P) sum_c (prod_u n_c^u) mu_c^v mu_c^w' and
    E[x_v x_v'] = (1/P) sum_c (prod_(u != v) n_c^u) sum_(j in c) x_j x_j'.

    Args:
        views: M >= 2 arrays of shape (N_v, D_v).
        labels: One array of shape (N_v,) per view. Rows of label -1 (not known) and of classes
            that some view lacks are ignored.

    Raises:
        ShapeError: If labels and rows do not match, or no class occurs in every view.
    """
    classes, class_means = _class_means(views, labels)
    counts = np.array([[np.count_nonzero(y == c) for c in classes] for y in labels], dtype=float)
    share = counts.prod(axis=0) / counts.prod(axis=0).sum()  # (C,) of all tuples
    return PairMoments(
        means=tuple(share @ mean for mean in class_means),
        within=tuple(
            _weighted_second_moment(x, y, dict(zip(classes, share / n, strict=True)))
            for x, y, n in zip(views, labels, counts, strict=True)
        ),
        between={
            (v, w): (class_means[v] * share[:, None]).T @ class_means[w]
            for v, w in _view_pairs(len(views))
        },
    )


def mean_moments(views: Sequence[Float64Array], labels: Sequence[Int64Array]) -> PairMoments:
    """Moments of the class means: one correspondence per class, all with the same weight.

    Args:
        views: M >= 2 arrays of shape (N_v, D_v).
        labels: One array of shape (N_v,) per view. Rows of label -1 (not known) and of classes
            that some view lacks are ignored.

    Raises:
        ShapeError: If labels and rows do not match, or no class occurs in every view.
    """
    return paired_moments(_class_means(views, labels)[1])


def mix_moments(paired: PairMoments, cluster: PairMoments, beta: float) -> PairMoments:
    """Moments when a correspondence is a true pair with probability beta, else a same-class pair.

    Args:
        paired: From ``paired_moments``.
        cluster: From ``cluster_moments`` of the same views.
        beta: Share of the true pairs, in [0, 1]; 0 is pure cluster-CCA, 1 plain CCA.

    Raises:
        ShapeError: If beta is out of range.
    """
    if not 0.0 <= beta <= 1.0:
        raise ShapeError(f"expected beta in [0, 1], got {beta}")

    def mixed(p: Float64Array, c: Float64Array) -> Float64Array:
        return beta * p + (1.0 - beta) * c

    return PairMoments(
        means=tuple(mixed(p, c) for p, c in zip(paired.means, cluster.means, strict=True)),
        within=tuple(mixed(p, c) for p, c in zip(paired.within, cluster.within, strict=True)),
        between={key: mixed(paired.between[key], cluster.between[key]) for key in paired.between},
    )


def common_classes(labels: Sequence[Int64Array]) -> list[int]:
    """Classes that occur in every view, ascending; -1 (not known) is none."""
    return sorted(set.intersection(*(set(y[y >= 0].tolist()) for y in labels)))


def _class_means(
    views: Sequence[Float64Array], labels: Sequence[Int64Array]
) -> tuple[list[int], list[Float64Array]]:
    """The classes of every view, and per view their means, shape (C, D_v)."""
    _check_views(views)
    if len(labels) != len(views) or any(
        y.shape != (len(x),) for x, y in zip(views, labels, strict=True)
    ):
        raise ShapeError(
            f"expected one label per row, got views {[x.shape for x in views]} "
            f"and labels {[y.shape for y in labels]}"
        )
    classes = common_classes(labels)
    if not classes:
        raise ShapeError("expected at least one class that occurs in every view, got none")
    means = [
        np.stack([x[y == c].mean(axis=0) for c in classes])
        for x, y in zip(views, labels, strict=True)
    ]
    return classes, means


def _weighted_second_moment(
    x: Float64Array, labels: Int64Array, weights: dict[int, float]
) -> Float64Array:
    """sum_i weight(label_i) x_i x_i', shape (D, D)."""
    row_weights = np.array([weights.get(c, 0.0) for c in labels.tolist()])
    scaled = x * np.sqrt(row_weights)[:, None]
    return scaled.T @ scaled


def _view_pairs(n_views: int) -> list[tuple[int, int]]:
    return list(combinations(range(n_views), 2))


def _check_views(views: Sequence[Float64Array]) -> None:
    if len(views) < 2 or any(x.ndim != 2 or len(x) == 0 for x in views):
        raise ShapeError(
            f"expected at least two non-empty views of shape (N, D), got {[x.shape for x in views]}"
        )
