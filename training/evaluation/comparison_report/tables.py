"""The tables of a comparison: main figures per protocol, and every value as CSV."""

import csv
import io

from training.evaluation.comparison import Comparison
from training.evaluation.comparison_report.summary import (
    METRIC_NAMES,
    OverFolds,
    Pair,
    direction_pairs,
    main_metric,
    over_folds,
    ranking,
)
from training.evaluation.comparison_report.table import Table, latex_table, make_table
from training.evaluation.protocol import INSTANCE

_CSV_HEAD = ("method", "protocol", "query", "target", "metric", "fold", "value", "chance")
MOST_DIRECTIONS = 2  # columns that a page or a terminal has room for


def main_table(comparison: Comparison, protocol: str, *, narrow: bool = False) -> Table:
    """Methods, best first, against the main metric of each direction and further metrics.

    The first row is chance; the best of each column is stressed. Further metrics are means over
    directions: MRR and R@1 where a class makes an answer right, R@1, R@5 and R@10 for partners.

    Args:
        comparison: Complete, see ``settled``.
        protocol: One that was measured.
        narrow: Leave out the single directions where there are more than ``MOST_DIRECTIONS``.
    """
    pairs, metric = direction_pairs(comparison, protocol), main_metric(protocol)
    shown = [] if narrow and len(pairs) > MOST_DIRECTIONS else pairs
    columns: list[tuple[str, str, list[Pair]]] = [
        (f"{METRIC_NAMES[metric]} {query} → {target}", metric, [(query, target)])
        for query, target in shown
    ]
    columns.append((f"{METRIC_NAMES[metric]} mean", metric, pairs))
    further = ("recall@1", "recall@5", "recall@10") if protocol == INSTANCE else ("mrr", "recall@1")
    columns += [(METRIC_NAMES[name], name, pairs) for name in further]
    ranked = ranking(comparison, protocol)
    figures = [
        [over_folds(comparison, one.method, protocol, name, where) for _, name, where in columns]
        for one in ranked
    ]
    chance = ["chance", *(f"{figure.mean_chance:.3f}" for figure in figures[0]), ""]
    rows = [chance]
    for one, row in zip(ranked, figures, strict=True):
        rows.append([one.method, *map(spread, row), seconds(one.fit_seconds)])
    bold = {
        (number + 1, column + 1)
        for column in range(len(columns))
        for number in _best([row[column] for row in figures])
    }
    return make_table(["method", *(name for name, _, _ in columns), "fit s"], rows, bold)


def latex_tables(comparison: Comparison, protocols: list[str]) -> str:
    """Main table of each protocol, one ``table`` environment each."""
    parts = ["% Needs \\usepackage{booktabs,graphicx}. Made by kyomei compare.\n"]
    for protocol in protocols:
        caption = (
            f"{comparison.data}, protocol {protocol}: mean ± standard deviation over "
            f"{comparison.n_folds} folds, seed {comparison.seed}."
        )
        table = main_table(comparison, protocol, narrow=True)
        parts.append(latex_table(table, caption=caption, label=f"tab:{protocol}"))
    return "\n".join(parts)


def results_csv(comparison: Comparison) -> str:
    """Every figure of every fold in long format, one line each, with chance beside it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_CSV_HEAD)
    for result in comparison.folds:
        for d in result.directions:
            chance = d.chance.as_dict()
            for metric, value in d.scores.as_dict().items():
                head = (result.method, d.protocol, d.query, d.target, metric, result.fold)
                writer.writerow((*head, repr(float(value)), repr(float(chance[metric]))))
    return text.getvalue()


def spread(figure: OverFolds) -> str:
    """Mean ± standard deviation over folds; the mean alone for one fold."""
    if len(figure.values) == 1:
        return f"{figure.mean:.3f}"
    return f"{figure.mean:.3f} ± {figure.std:.3f}"


def seconds(value: float) -> str:
    """Seconds with two or three digits that matter."""
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"


def _best(column: list[OverFolds]) -> list[int]:
    """Rows that print as the highest mean of a column (metrics here are better when higher)."""
    means = [round(figure.mean, 3) for figure in column]
    return [number for number, mean in enumerate(means) if mean == max(means)]
