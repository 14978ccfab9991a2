"""The classes of one method: a table of their MAP, and which are taken for which others."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from models.types import Float64Array
from training.evaluation.comparison import Comparison
from training.evaluation.comparison_report.summary import Pair, direction_pairs, find_direction
from training.evaluation.comparison_report.table import Table, make_table
from training.evaluation.figures import new_panels, save_figure
from training.evaluation.per_class import confusion_matrix, per_class_table
from training.evaluation.protocol import CLASS

_MOST_NUMBERED = 16  # with more classes the cells are too small for figures
_NUMBERED_INCHES, _BARE_INCHES = 0.36, 0.24
_MOST_COLUMNS = 2


def class_table(comparison: Comparison, method: str) -> Table:
    """MAP of the queries of each class in each direction, all folds together, chance beside it."""
    pairs = direction_pairs(comparison, CLASS)
    head = ["class"]
    columns = []
    for query, target in pairs:
        head += [f"{query} queries", f"MAP {query} → {target}", "chance"]
        columns.append(_pooled(comparison, method, (query, target)))
    head.append("mean")
    rows = []
    for name in comparison.classes:
        found = [column[name] for column in columns if name in column]
        if not found:
            continue
        row = [name]
        for column in columns:
            n_queries, value, chance = column.get(name, (0.0, 0.0, 0.0))
            known = [f"{n_queries:.0f}", f"{value:.3f}", f"{chance:.3f}"]
            row += known if n_queries else ["0", "", ""]
        rows.append([*row, f"{np.mean([value for _, value, _ in found]):.3f}"])
    return make_table(head, rows)


def confusions(comparison: Comparison, method: str) -> dict[Pair, Float64Array]:
    """Count class of the query by class of the first answer, all folds, (C, C) per direction."""
    counts: dict[Pair, Float64Array] = {}
    n_classes = len(comparison.classes)
    for pair in direction_pairs(comparison, CLASS):
        counts[pair] = np.zeros((n_classes, n_classes))
        for result in comparison.of(method):
            query, target = (result.embedded[name] for name in pair)
            if query.labels is not None and target.labels is not None:
                counts[pair] += confusion_matrix(
                    query.embedding,
                    target.embedding,
                    query.labels,
                    target.labels,
                    n_classes=n_classes,
                )
    return counts


def plot_confusions(
    counts: dict[Pair, Float64Array], classes: tuple[str, ...], path: Path, *, title: str
) -> None:
    """Draw the share of each class's queries whose first answer is of each class.

    Args:
        counts: Of ``confusions``.
        classes: Name of each class; classes without queries and answers are left out.
        path: PNG that is written.
        title: Heading.
    """
    used = np.any([c.any(axis=0) | c.any(axis=1) for c in counts.values()], axis=0)
    names = [name for name, is_used in zip(classes, used, strict=True) if is_used]
    columns = min(len(counts), _MOST_COLUMNS)
    rows = -(-len(counts) // columns)
    inches = _NUMBERED_INCHES if len(names) <= _MOST_NUMBERED else _BARE_INCHES
    side = max(3.8, 2.0 + inches * len(names))
    figure, panels = new_panels(
        len(counts), columns=columns, width=side * columns, height=side * rows
    )
    for panel, ((query, target), table) in zip(panels, counts.items(), strict=True):
        shares = table[np.ix_(used, used)]
        shares = shares / np.maximum(shares.sum(axis=1, keepdims=True), 1e-12)
        _draw_matrix(panel, shares, names)
        panel.set_title(f"{query} → {target}")
        panel.set_ylabel(f"class of the {query} query")
        panel.set_xlabel(f"class of the first {target} answer")
    figure.suptitle(title, fontsize="medium")
    save_figure(figure, path)


def _pooled(
    comparison: Comparison, method: str, pair: Pair
) -> dict[str, tuple[float, float, float]]:
    """(queries, MAP, chance) of each class over the queries of all folds."""
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    for result in comparison.of(method):
        direction = find_direction(result, CLASS, pair)
        for one in per_class_table(direction, comparison.classes):
            total = sums[one.name]
            total[0] += one.n_queries
            total[1] += one.n_queries * one.map
            total[2] += one.n_queries * one.chance
    return {name: (n, value / n, chance / n) for name, (n, value, chance) in sums.items()}


def _draw_matrix(panel: Any, shares: Float64Array, names: list[str]) -> None:
    panel.grid(visible=False)
    panel.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0)
    panel.set_xticks(range(len(names)), names, rotation=90, fontsize=8)
    panel.set_yticks(range(len(names)), names, fontsize=8)
    if len(names) > _MOST_NUMBERED:
        return
    for (row, column), share in np.ndenumerate(shares):
        if share >= 0.005:
            colour = "white" if share > 0.5 else "black"
            text = f"{100 * share:.0f}"
            panel.text(column, row, text, ha="center", va="center", fontsize=7, color=colour)
