"""Kernel CCA: CCA between the features of a kernel (Lai and Fyfe 2000; Bach and Jordan 2002).

With the feature map of ``kernel_map`` the kernel problem is a linear one: the ridge r on a
direction w = sum_i a_i phi(x_i) is r w'w = r a'Ka, the penalty of regularised kernel CCA (Bach and
Jordan, "Kernel Independent Component Analysis", JMLR 2002). The cluster version takes all
same-class pairs for correspondences, as linear cluster-CCA does.
"""

from collections.abc import Sequence

from models.cca.kernel_map import KernelMap
from models.cca.linalg import Projections, WhitenedMoments
from models.cca.pair_moments import cluster_moments, paired_moments
from models.types import Float64Array, Int64Array


def fit_kernel_cca(
    views: Sequence[Float64Array],
    maps: Sequence[KernelMap],
    *,
    n_components: int,
    ridge: float,
) -> Projections:
    """Fit kernel CCA of paired rows in closed form.

    Args:
        views: M >= 2 arrays of shape (N, D_v); rows with the same number belong together.
        maps: Feature map of each view, R_v directions.
        n_components: K, at most the smallest R_v.
        ridge: Added to every variance of the feature vectors, whose sum is at most 1; >= 0.

    Returns:
        Means (R_v,), weights (R_v, K) and canonical correlations in the feature spaces.

    Raises:
        ShapeError: If the views do not pair up or K is out of range.
    """
    mapped = [phi(x) for phi, x in zip(maps, views, strict=True)]
    return WhitenedMoments(paired_moments(mapped)).solve(n_components=n_components, ridge=ridge)


def fit_kernel_cluster_cca(
    views: Sequence[Float64Array],
    labels: Sequence[Int64Array],
    maps: Sequence[KernelMap],
    *,
    n_components: int,
    ridge: float,
) -> Projections:
    """Fit kernel cluster-CCA: every pair of rows of one class is a correspondence.

    Args:
        views: M >= 2 arrays of shape (N_v, D_v).
        labels: Class of each row, shape (N_v,) per view; -1 where it is not known.
        maps: Feature map of each view, R_v directions.
        n_components: K, at most the smallest R_v.
        ridge: Added to every variance of the feature vectors, whose sum is at most 1; >= 0.

    Returns:
        Means (R_v,), weights (R_v, K) and canonical correlations in the feature spaces.

    Raises:
        ShapeError: If labels do not match the rows, no class is shared, or K is out of range.
    """
    moments = cluster_moments([phi(x) for phi, x in zip(maps, views, strict=True)], labels)
    return WhitenedMoments(moments).solve(n_components=n_components, ridge=ridge)
