"""How sure the order of the methods is: intervals over queries, tests over folds."""

import numpy as np

from models.types import Float64Array
from training.evaluation.bootstrap import Interval, bootstrap_interval
from training.evaluation.comparison import Comparison
from training.evaluation.comparison_report.summary import (
    METRIC_NAMES,
    direction_pairs,
    find_direction,
    main_metric,
    ranking,
)
from training.evaluation.comparison_report.table import Table, make_table
from training.evaluation.protocol import INSTANCE
from training.evaluation.significance import (
    MOST_FOLDS,
    corrected_resampled_t_test,
    holm_adjusted,
    sign_flip_test,
)

LEVEL = 0.05


def certainty_table(comparison: Comparison, protocol: str) -> Table:
    """Methods, best first: bootstrap interval, and the test of the best against each other one.

    The interval is over queries, all folds together, each direction with the same weight. p is of
    the corrected resampled t-test over folds, adjusted by Holm for the number of other methods;
    with more than ``MOST_FOLDS`` folds the sign-flip test is left out.
    """
    ranked = ranking(comparison, protocol)
    best = ranked[0].figure.values
    name = f"{METRIC_NAMES[main_metric(protocol)]} mean"
    head = ["method", name, "95 % interval", "minus the best", "p", "p (Holm)", "p (sign flips)"]
    p_values = _p_values(comparison, [one.figure.values for one in ranked])
    rows = []
    for number, one in enumerate(ranked):
        found = query_interval(comparison, one.method, protocol)
        row = [one.method, f"{one.figure.mean:.3f}", f"{found.low:.3f} to {found.high:.3f}"]
        if number:
            row.append(f"{one.figure.mean - float(np.mean(best)):+.3f}")
            row += [probability(value) for value in p_values[number - 1]]
        rows.append(row + [""] * (len(head) - len(row)))
    return make_table(head, rows)


def not_told_apart(comparison: Comparison, protocol: str) -> list[str]:
    """Methods whose difference to the best has p >= ``LEVEL`` after Holm; none for one fold."""
    ranked = ranking(comparison, protocol)
    tests = _p_values(comparison, [one.figure.values for one in ranked])
    return [
        one.method
        for one, (_, holm, _) in zip(ranked[1:], tests, strict=True)
        if holm is not None and holm >= LEVEL
    ]


def query_interval(comparison: Comparison, method: str, protocol: str) -> Interval:
    """Percentile bootstrap over the queries of all folds, each direction resampled by itself."""
    values, direction_of = [], []
    for number, pair in enumerate(direction_pairs(comparison, protocol)):
        for result in comparison.of(method):
            scores = find_direction(result, protocol, pair).scores
            found = 1.0 / scores.ranks if protocol == INSTANCE else scores.average_precisions
            values.append(found)
            direction_of.append(np.full(len(found), number))
    return bootstrap_interval(
        np.concatenate(values),
        generator=np.random.default_rng(comparison.seed),
        strata=np.concatenate(direction_of),
    )


def share_of_test_rows(comparison: Comparison) -> float:
    """Test rows / rows that the fit saw, in the first fold, all views together."""
    first = comparison.folds[0]
    return sum(len(view.ids) for view in first.embedded.values()) / first.n_fitted


def probability(value: float | None) -> str:
    """A p with three digits; small values as a bound, nothing for None.

    Example:
        >>> probability(0.0421), probability(0.00042)
        ('0.042', '< 0.001')
    """
    if value is None:
        return ""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _p_values(
    comparison: Comparison, by_method: list[Float64Array]
) -> list[tuple[float | None, float | None, float | None]]:
    """(t-test, t-test after Holm, sign flips) of the first against each other; None for one fold.

    Args:
        comparison: Where the sizes of the folds come from.
        by_method: Figure of each fold, shape (F,), one array per method, the best first.
    """
    best, others = by_method[0], by_method[1:]
    if len(best) < 2:
        return [(None, None, None)] * len(others)
    share = share_of_test_rows(comparison)
    by_t = [corrected_resampled_t_test(best, other, test_share=share) for other in others]
    few = len(best) <= MOST_FOLDS
    by_sign = [sign_flip_test(best, other) if few else None for other in others]
    return list(zip(by_t, holm_adjusted(by_t), by_sign, strict=True))
