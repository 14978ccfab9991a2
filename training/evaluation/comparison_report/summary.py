"""Figures of a comparison over its folds: means, spread, chance, and the order of the methods.

Everywhere in the report a figure is first averaged over directions within a fold, then over folds;
the spread is the sample standard deviation over folds (0 for a single fold).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from models.errors import DataError
from models.types import Float64Array
from training.evaluation.comparison import Comparison, FoldResult
from training.evaluation.protocol import CLASS, INSTANCE, Direction

MAP, MRR = "map", "mrr"
METRIC_NAMES = {
    MAP: "MAP", MRR: "MRR", "recall@1": "R@1", "recall@5": "R@5", "recall@10": "R@10",
    "median_rank": "median rank", "ndcg@10": "nDCG@10",
}  # fmt: skip
Pair = tuple[str, str]
BASELINE = "cca"


@dataclass(frozen=True, slots=True, eq=False)
class OverFolds:
    """One metric over folds.

    Attributes:
        values: One per fold, shape (F,).
        chance: What a random order reaches in each fold, shape (F,).
    """

    values: Float64Array
    chance: Float64Array

    @property
    def mean(self) -> float:
        """Mean over folds."""
        return float(np.mean(self.values))

    @property
    def std(self) -> float:
        """Sample standard deviation over folds; 0 for one fold."""
        return float(np.std(self.values, ddof=1)) if len(self.values) > 1 else 0.0

    @property
    def mean_chance(self) -> float:
        """Mean of chance over folds."""
        return float(np.mean(self.chance))


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """A method, its main figure under one protocol and its time.

    Attributes:
        method: Name.
        figure: Main metric, mean over directions.
        fit_seconds: Mean over folds.
    """

    method: str
    figure: OverFolds
    fit_seconds: float


def settled(comparison: Comparison) -> Comparison:
    """Leave out methods that lack a fold or a direction, and say so among the failures.

    Figures of such a method are means over something else than those of the others.

    Raises:
        DataError: If no method is left, or nothing was measured.
    """
    folds = list(dict.fromkeys(result.fold for result in comparison.folds))
    wanted = {_key(d) for result in comparison.folds for d in result.directions}
    failures = dict(comparison.failures)
    for method in comparison.methods:
        results = comparison.of(method)
        if len(results) != len(folds):
            failures.setdefault(method, f"has {len(results)} of {len(folds)} folds")
        covered = {_key(d) for result in results for d in result.directions}
        if covered != wanted:
            reason = f"covers {len(covered)} of {len(wanted)} directions and protocols"
            failures.setdefault(method, reason)
    kept = [result for result in comparison.folds if result.method not in failures]
    if not kept:
        raise DataError(f"expected a method with every fold and direction, got none: {failures}")
    complete = replace(comparison, folds=kept, failures=failures)
    if not measured_protocols(complete):
        raise DataError(
            f"expected figures under a protocol of {list(comparison.protocols)}, got none"
        )
    return complete


def direction_pairs(comparison: Comparison, protocol: str) -> list[Pair]:
    """(query, target) views measured under a protocol, in order."""
    first = comparison.folds[0].directions
    return [(d.query, d.target) for d in first if d.protocol == protocol]


def measured_protocols(comparison: Comparison) -> list[str]:
    """Protocols under which something was measured, in the order of the comparison."""
    found = {d.protocol for d in comparison.folds[0].directions}
    return [protocol for protocol in comparison.protocols if protocol in found]


def find_direction(result: FoldResult, protocol: str, pair: Pair) -> Direction:
    """The figures of one fold in one direction."""
    return next(d for d in result.directions if _key(d) == (protocol, *pair))


def over_folds(
    comparison: Comparison, method: str, protocol: str, metric: str, pairs: Sequence[Pair]
) -> OverFolds:
    """One metric of one method, averaged over the given directions within each fold."""
    found = [
        [find_direction(result, protocol, pair) for pair in pairs]
        for result in comparison.of(method)
    ]
    values = np.array([[d.scores.as_dict()[metric] for d in row] for row in found])
    chance = np.array([[d.chance.as_dict()[metric] for d in row] for row in found])
    return OverFolds(values.mean(axis=1), chance.mean(axis=1))


def main_metric(protocol: str) -> str:
    """MAP where a class makes an answer right, MRR where only the true partner does."""
    return MRR if protocol == INSTANCE else MAP


def main_protocol(comparison: Comparison) -> str:
    """The protocol that decides which method is best: ``class`` where it applies, else the first.

    So it is class MAP where there are classes and the MRR of true partners otherwise.
    """
    measured = measured_protocols(comparison)
    return CLASS if CLASS in measured else measured[0]


def ranking(comparison: Comparison, protocol: str) -> list[Ranked]:
    """Methods by the mean of the main metric over directions and folds, best first."""
    pairs, metric = direction_pairs(comparison, protocol), main_metric(protocol)
    ranked = [
        Ranked(
            method,
            over_folds(comparison, method, protocol, metric, pairs),
            float(np.mean([result.fit_seconds for result in comparison.of(method)])),
        )
        for method in comparison.methods
    ]
    return sorted(ranked, key=lambda one: -one.figure.mean)


def best_method(comparison: Comparison) -> str:
    """The first of the ranking under the main protocol."""
    return ranking(comparison, main_protocol(comparison))[0].method


def baseline_method(comparison: Comparison) -> str:
    """``cca`` where it was fitted, else the first method asked for."""
    return BASELINE if BASELINE in comparison.methods else comparison.methods[0]


def _key(direction: Direction) -> tuple[str, str, str]:
    return direction.protocol, direction.query, direction.target
