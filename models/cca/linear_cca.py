"""Plain CCA of paired rows, two or more views (Hotelling, Biometrika 1936; Kettenring 1971)."""

from collections.abc import Sequence

from models.cca.linalg import Projections, WhitenedMoments
from models.cca.pair_moments import paired_moments
from models.types import Float64Array


def fit_linear_cca(
    views: Sequence[Float64Array], *, n_components: int, ridge: float
) -> Projections:
    """Fit CCA in closed form: rows with the same number belong together, no labels needed.

    Args:
        views: M >= 2 arrays of shape (N, D_v).
        n_components: K, at most the smallest D_v.
        ridge: Added to every variance, in squared feature units, >= 0.

    Returns:
        Means, weights and canonical correlations.

    Raises:
        ShapeError: If the views do not pair up or K is out of range.

    Example:
        >>> import numpy as np
        >>> x = np.random.default_rng(0).normal(size=(50, 3))
        >>> fit = fit_linear_cca([x, x @ np.diag([1.0, 2.0, 3.0])], n_components=2, ridge=0.0)
        >>> [round(float(r), 6) for r in fit.correlations]
        [1.0, 1.0]
    """
    return WhitenedMoments(paired_moments(views)).solve(n_components=n_components, ridge=ridge)
