"""Figures as a table for people, as JSON for programs, and as plots."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from training.evaluation.protocol import Direction
from training.evaluation.retrieval import RetrievalScores

_COLUMNS = ("map", "mrr", "recall@1", "recall@5", "recall@10", "median_rank")


def results_table(directions: Sequence[Direction]) -> str:
    """One line per direction and protocol, chance in brackets beside each figure."""
    head = ["protocol", "query -> target", "queries", "gallery", *_COLUMNS]
    rows = [head]
    for d in directions:
        found, random = d.scores.as_dict(), d.chance.as_dict()
        cells = [f"{found[c]:.3f} ({random[c]:.3f})" for c in _COLUMNS[:-1]]
        cells.append(f"{found['median_rank']:.0f} ({random['median_rank']:.0f})")
        sizes = [str(d.scores.n_queries), str(d.scores.n_gallery)]
        rows.append([d.protocol, f"{d.query} -> {d.target}", *sizes, *cells])
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) for row in rows]
    return "\n".join([*(line.rstrip() for line in lines), "chance level in brackets"])


def results_json(directions: Sequence[Direction], *, split: str) -> dict[str, Any]:
    """The same figures as values: one row per direction, protocol and metric."""
    rows = [
        {
            "protocol": d.protocol,
            "query": d.query,
            "target": d.target,
            "metric": metric,
            "value": value,
            "chance": d.chance.as_dict()[metric],
            "n_queries": d.scores.n_queries,
            "n_gallery": d.scores.n_gallery,
        }
        for d in directions
        for metric, value in d.scores.as_dict().items()
    ]
    return {"split": split, "rows": rows}


def plot_recall(directions: Sequence[Direction], path: Path) -> None:
    """Draw recall at k against k for every direction, with chance dashed."""
    figure, axes = _figure()
    for number, d in enumerate(directions):
        k = np.arange(1, d.scores.n_gallery + 1)
        colour = f"C{number % 10}"
        label = f"{d.protocol}: {d.query} → {d.target}"
        axes.plot(k, _recall_curve(d.scores), color=colour, label=label)
        known = sorted(d.chance.recall)
        axes.plot(known, [d.chance.recall[x] for x in known], color=colour, linestyle=":")
    axes.set_xscale("log")
    axes.set_ylim(0.0, 1.02)
    axes.set_xlabel("k (answers looked at)")
    axes.set_ylabel("share of queries with a right answer")
    axes.set_title("Recall at k, chance dotted")
    axes.legend(fontsize="small", frameon=False)
    _save(figure, path)


def plot_history(history: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw the validation score against the ridge, the best setting of each ridge and beta."""
    best: dict[tuple[float, float], float] = {}
    for setting in history:
        key = (float(setting["beta"]), float(setting["ridge"]))
        best[key] = max(best.get(key, 0.0), float(setting["validation_score"]))
    figure, axes = _figure()
    for beta in sorted({b for b, _ in best}):
        ridges = sorted(r for b, r in best if b == beta)
        axes.plot(ridges, [best[beta, r] for r in ridges], marker="o", label=f"beta {beta:g}")
    axes.set_xscale("log")
    axes.set_xlabel("ridge (in variances of a standardised feature)")
    axes.set_ylabel("validation score")
    axes.set_title("What was tried on the validation split")
    axes.legend(fontsize="small", frameon=False, title="share of true pairs")
    _save(figure, path)


def _recall_curve(scores: RetrievalScores) -> list[float]:
    ordered = np.sort(scores.ranks)
    k = np.arange(1, scores.n_gallery + 1)
    return [float(x) for x in np.searchsorted(ordered, k, side="right") / len(ordered)]


def _figure() -> tuple[Any, Any]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.0, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.grid(alpha=0.3)
    return figure, axes


def _save(figure: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
