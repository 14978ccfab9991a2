"""The results file of ``kyomei compare --json``: every figure as values for programs."""

from typing import Any

import numpy as np

from training.evaluation.comparison import Comparison
from training.evaluation.comparison_report.curves import ClassCurves, class_curves
from training.evaluation.comparison_report.summary import (
    OverFolds,
    Pair,
    direction_pairs,
    main_metric,
    measured_protocols,
    over_folds,
    ranking,
    settled,
)
from training.evaluation.protocol import CLASS, CLASS_AVERAGED, INSTANCE

PROTOCOL_WORDS = {
    CLASS: "an answer is right when it has the class of the query; every query counts the same",
    CLASS_AVERAGED: (
        "as class, but the queries of each class are averaged first and then the classes, so that "
        "a large class does not outweigh a small one"
    ),
    INSTANCE: (
        "an answer is right when it is the true partner of the query, the row of the other view "
        "with the same id"
    ),
}


def results_file(comparison: Comparison, curves: ClassCurves | None = None) -> dict[str, Any]:
    """Return every figure over folds, ready for JSON; the format is in ``docs/compare.md``.

    Args:
        comparison: What was measured; incomplete methods are listed among the failures.
        curves: ``class_curves`` of the same comparison where they are known already.

    Raises:
        DataError: If no method has every fold and direction.
    """
    complete = settled(comparison)
    protocols = measured_protocols(complete)
    rows, chance = _rows(complete, protocols, curves or class_curves(complete))
    return {
        "data": complete.data,
        "protocol": {name: PROTOCOL_WORDS[name] for name in protocols},
        "seed": complete.seed,
        "folds": complete.n_folds,
        "chance": chance,
        "rows": rows,
        "ranking": {name: _ranked(complete, name) for name in protocols},
        "failures": complete.failures,
        "notes": list(complete.notes),
        "classes": list(complete.classes),
        "command": complete.command,
        "machine": complete.machine,
    }


def _rows(
    comparison: Comparison, protocols: list[str], curves: ClassCurves
) -> tuple[list[dict[str, Any]], dict[str, float]]:
    """Rows of every method, direction and metric, and chance by ``protocol/query->target/metric``.

    Chance depends on the rows of a fold alone, so it is the same for every method.
    """
    seconds = {
        method: float(np.mean([result.fit_seconds for result in comparison.of(method)]))
        for method in comparison.methods
    }
    rows: list[dict[str, Any]] = []
    chance: dict[str, float] = {}

    def add(method: str, protocol: str, pair: Pair, metric: str, figure: OverFolds) -> None:
        rows.append(
            {
                "method": method,
                "protocol": protocol,
                "query": pair[0],
                "target": pair[1],
                "metric": metric,
                "mean": figure.mean,
                "std": figure.std,
                "folds": [float(value) for value in figure.values],
                "fit_seconds": seconds[method],
            }
        )
        chance[f"{protocol}/{pair[0]}->{pair[1]}/{metric}"] = figure.mean_chance

    metrics = list(comparison.folds[0].directions[0].scores.as_dict())
    for method in comparison.methods:
        for protocol in protocols:
            for pair in direction_pairs(comparison, protocol):
                for metric in metrics:
                    figure = over_folds(comparison, method, protocol, metric, [pair])
                    add(method, protocol, pair, metric, figure)
    for curve in curves.scope:
        for number, k in enumerate(curve.x.astype(int).tolist()):
            figure = OverFolds(curve.values[:, number], curve.chance[:, number])
            add(curve.method, CLASS, curve.pair, f"precision@{k}", figure)
    return rows, chance


def _ranked(comparison: Comparison, protocol: str) -> list[dict[str, Any]]:
    """Methods, best first, by the main metric: mean over directions within each fold."""
    return [
        {
            "method": one.method,
            "metric": main_metric(protocol),
            "mean": one.figure.mean,
            "std": one.figure.std,
            "chance": one.figure.mean_chance,
        }
        for one in ranking(comparison, protocol)
    ]
