"""How sure a mean over queries is: percentile bootstrap."""

from dataclasses import dataclass

import numpy as np

from models.errors import ShapeError
from models.types import Float64Array
from training.evaluation.retrieval import AnyLabels

DRAWS_AT_ONCE = 1_000_000  # bounds the memory of the resamples


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with its confidence interval.

    Attributes:
        mean: Of the values, or of the class means.
        low: Lower end.
        high: Upper end.
        confidence: Share of intervals made in this way that hold the true mean, in (0, 1).
    """

    mean: float
    low: float
    high: float
    confidence: float


def bootstrap_interval(
    values: Float64Array,
    *,
    generator: np.random.Generator,
    strata: AnyLabels | None = None,
    confidence: float = 0.95,
    n_resamples: int = 2_000,
) -> Interval:
    """Percentile bootstrap of the mean: quantiles of the means of resamples with replacement.

    It covers the choice of queries only, with the trained space and the gallery as they are; how
    much a new training set would change is said by the folds of a comparison. Efron and
    Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.

    Args:
        values: A figure of each query, for example ``RetrievalScores.average_precisions``, (Q,).
        generator: Draws the resamples.
        strata: Class of each query, shape (Q,): each class is resampled by itself and the class
            means are averaged, as in the protocol ``class-averaged``. None: all queries alike.
        confidence: In (0, 1).
        n_resamples: At least 1.

    Raises:
        ShapeError: If there are no values, one is not finite, strata differ in number, or
            ``confidence`` or ``n_resamples`` is out of range.

    Example:
        >>> interval = bootstrap_interval(np.full(9, 0.5), generator=np.random.default_rng(0))
        >>> (interval.low, interval.high)
        (0.5, 0.5)
    """
    groups = np.zeros(len(values)) if strata is None else strata
    if values.ndim != 1 or not len(values) or groups.shape != values.shape:
        raise ShapeError(f"expected values (Q,) and their strata, got {values.shape}")
    if not np.isfinite(values).all():
        raise ShapeError("expected finite values, got NaN or infinity")
    if not 0.0 < confidence < 1.0 or n_resamples < 1:
        raise ShapeError(
            f"expected confidence in (0, 1) and n_resamples >= 1, got {confidence}, {n_resamples}"
        )
    parts = [values[groups == group] for group in np.unique(groups)]
    means = np.mean([_resampled_means(p, n_resamples, generator) for p in parts], axis=0)
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(means, [tail, 1.0 - tail])
    mean = float(np.mean([part.mean() for part in parts]))
    return Interval(mean, float(low), float(high), confidence)


def _resampled_means(
    values: Float64Array, n_resamples: int, generator: np.random.Generator
) -> Float64Array:
    """Means of resamples of the same size, shape (n_resamples,)."""
    at_once = max(1, DRAWS_AT_ONCE // len(values))
    means = []
    for start in range(0, n_resamples, at_once):
        n_rows = min(at_once, n_resamples - start)
        drawn = generator.integers(0, len(values), size=(n_rows, len(values)))
        means.append(values[drawn].mean(axis=1))
    return np.concatenate(means)
