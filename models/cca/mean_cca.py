"""Mean-CCA: CCA of the class means, one pair per class (Rasiwasia et al., AISTATS 2014)."""

from collections.abc import Sequence

from models.cca.linalg import Projections, WhitenedMoments
from models.cca.pair_moments import mean_moments
from models.types import Float64Array, Int64Array


def fit_mean_cca(
    views: Sequence[Float64Array],
    labels: Sequence[Int64Array],
    *,
    n_components: int,
    ridge: float,
) -> Projections:
    """Fit CCA on the pairs of class means; the views need share only classes.

    C means have at most C - 1 directions of variance; further ones have correlation 0. Without a
    ridge every one of them has correlation 1, so the ridge does all the choosing.

    Args:
        views: M >= 2 arrays of shape (N_v, D_v).
        labels: Class of each row, shape (N_v,) per view; -1 where it is not known.
        n_components: K, at most the smallest D_v.
        ridge: Added to every variance of the means, in squared feature units, >= 0.

    Returns:
        Means (of the class means), weights and canonical correlations.

    Raises:
        ShapeError: If labels do not match the rows, no class is shared, or K is out of range.
    """
    moments = mean_moments(views, labels)
    return WhitenedMoments(moments).solve(n_components=n_components, ridge=ridge)
