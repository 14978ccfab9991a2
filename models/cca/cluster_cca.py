"""Cluster-CCA: every pair of rows of one class is a correspondence (Rasiwasia et al. 2014)."""

from collections.abc import Sequence

from models.cca.linalg import Projections, WhitenedMoments
from models.cca.pair_moments import cluster_moments
from models.types import Float64Array, Int64Array


def fit_cluster_cca(
    views: Sequence[Float64Array],
    labels: Sequence[Int64Array],
    *,
    n_components: int,
    ridge: float,
) -> Projections:
    """Fit cluster-CCA in closed form from class sums; the result equals CCA on all pairs.

    The views need not have the same rows, only the same classes. At most C - 1 directions carry
    correlation; further ones have correlation 0.

    Args:
        views: M >= 2 arrays of shape (N_v, D_v).
        labels: Class of each row, shape (N_v,) per view.
        n_components: K, at most the smallest D_v.
        ridge: Added to every variance, in squared feature units, >= 0.

    Returns:
        Means (weighted as in the pairs), weights and canonical correlations.

    Raises:
        ShapeError: If labels do not match the rows, no class is shared, or K is out of range.
    """
    moments = cluster_moments(views, labels)
    return WhitenedMoments(moments).solve(n_components=n_components, ridge=ridge)
