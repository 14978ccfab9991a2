"""Is one method better than another? Paired tests over the folds of one comparison.

The folds share most of their training rows, so their figures are not independent and the ordinary
paired t-test finds differences too easily. The corrected test allows for that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy import stats

from models.errors import ShapeError
from models.types import Float64Array

MOST_FOLDS = 20  # of the exact test: 2^20 sign patterns
ROUNDING = 1e-12  # differences of means that are smaller count as equal


@dataclass(frozen=True, slots=True)
class PairedComparison:
    """Two methods on the same folds.

    Attributes:
        first: Name of a method.
        second: Name of the other.
        difference: Mean over folds of first - second.
        p_t: Two-sided p of the corrected resampled t-test.
        p_t_holm: The same, adjusted for the number of pairs that were compared.
        p_sign_flip: Two-sided p of the exact sign-flip test, at least 2 / 2^J for J folds.
        p_sign_flip_holm: The same, adjusted.
    """

    first: str
    second: str
    difference: float
    p_t: float
    p_t_holm: float
    p_sign_flip: float
    p_sign_flip_holm: float


def compare_methods(
    figures: Mapping[str, Sequence[float]], *, test_share: float
) -> list[PairedComparison]:
    """Test every pair of methods, in their order, with Holm's correction over the pairs.

    Args:
        figures: One figure per fold for each method, the same folds in the same order.
        test_share: Test rows / training rows of a fold, see ``corrected_resampled_t_test``.

    Raises:
        ShapeError: If there are fewer than two folds, or the methods differ in folds.
    """
    pairs = list(combinations(figures, 2))
    values = {name: np.asarray(figure, dtype=np.float64) for name, figure in figures.items()}
    by_t = [
        corrected_resampled_t_test(values[a], values[b], test_share=test_share) for a, b in pairs
    ]
    by_sign = [sign_flip_test(values[a], values[b]) for a, b in pairs]
    return [
        PairedComparison(a, b, float(np.mean(values[a] - values[b])), t, t_holm, sign, sign_holm)
        for (a, b), t, t_holm, sign, sign_holm in zip(
            pairs, by_t, holm_adjusted(by_t), by_sign, holm_adjusted(by_sign), strict=True
        )
    ]


def corrected_resampled_t_test(
    first: Float64Array, second: Float64Array, *, test_share: float
) -> float:
    """Two-sided p of t = mean(d) / sqrt((1/J + q) var(d)), d = first - second over J folds.

    var has the divisor J - 1, t has J - 1 degrees of freedom, and q = test rows / training rows
    stands for the correlation of folds that share training rows: 1 / (J - 1) for J-fold
    cross-validation. With q = 0 this is the ordinary paired t-test. Nadeau and Bengio, "Inference
    for the Generalization Error", Machine Learning 2003.

    Args:
        first: A figure of one method on each fold, shape (J,), J >= 2.
        second: The same of another method, shape (J,).
        test_share: q >= 0.

    Returns:
        In [0, 1]; without any variance 1 for equal methods and 0 for others.

    Raises:
        ShapeError: If shapes differ, there are fewer than two folds, or q is negative.
    """
    difference = _paired_differences(first, second)
    if test_share < 0.0:
        raise ShapeError(f"expected test_share >= 0, got {test_share}")
    n_folds, mean = len(difference), float(difference.mean())
    if np.ptp(difference) < ROUNDING:
        return 1.0 if abs(mean) < ROUNDING else 0.0
    variance = (1.0 / n_folds + test_share) * float(difference.var(ddof=1))
    return float(2.0 * stats.t.sf(abs(mean) / np.sqrt(variance), df=n_folds - 1))


def sign_flip_test(first: Float64Array, second: Float64Array) -> float:
    """Two-sided exact p: share of the 2^J sign patterns of d with a mean at least as far from 0.

    Under the null hypothesis each difference of a fold is as likely as its opposite. The smallest
    p is 2 / 2^J: 0.0625 for 5 folds, so 5 folds alone never reach 0.05.

    Args:
        first: A figure of one method on each fold, shape (J,), J from 2 to ``MOST_FOLDS``.
        second: The same of another method, shape (J,).

    Raises:
        ShapeError: If shapes differ or the number of folds is out of range.
    """
    difference = _paired_differences(first, second)
    if len(difference) > MOST_FOLDS:
        raise ShapeError(f"expected at most {MOST_FOLDS} folds, got {len(difference)}")
    sums = np.zeros(1)
    for value in difference.tolist():
        sums = np.concatenate([sums + value, sums - value])  # (2^j,) after j folds
    observed = abs(float(difference.sum()))
    return float(np.mean(np.abs(sums) >= observed - ROUNDING))


def holm_adjusted(p_values: Sequence[float]) -> list[float]:
    """Adjust p of M tests so that the chance of any false finding stays below the level.

    The i-th smallest p becomes the largest of (M - j + 1) p_(j) over j <= i, at most 1. Holm, "A
    simple sequentially rejective multiple test procedure", Scandinavian J. of Statistics 1979.

    Example:
        >>> holm_adjusted([0.04, 0.01])
        [0.04, 0.02]
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(steps, 1.0)
    return [float(value) for value in adjusted]


def _paired_differences(first: Float64Array, second: Float64Array) -> Float64Array:
    if first.shape != second.shape or first.ndim != 1 or len(first) < 2:
        raise ShapeError(
            f"expected one figure per fold for both methods, at least two folds, got "
            f"{first.shape} and {second.shape}"
        )
    return first - second
