"""Figures as a table for people, as JSON for programs, and as plots."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from training.evaluation.corrections import CorrectedFigure
from training.evaluation.figures import new_figure, new_panels, save_figure
from training.evaluation.protocol import Direction
from training.evaluation.retrieval import RetrievalScores

_COLUMNS = ("map", "mrr", "recall@1", "recall@5", "recall@10", "median_rank")
_EPOCH_CURVES = {"validation_score": "validation score", "loss": "training loss"}


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
    return "\n".join([*_aligned(rows), "chance level in brackets"])


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


def corrections_table(figures: Sequence[CorrectedFigure]) -> str:
    """One line per direction and protocol, the gain over no correction beside each figure."""
    names = list(dict.fromkeys(figure.correction for figure in figures))
    by_line: dict[tuple[str, str, str], dict[str, CorrectedFigure]] = {}
    for figure in figures:
        key = (figure.protocol, f"{figure.query} -> {figure.target}", figure.metric)
        by_line.setdefault(key, {})[figure.correction] = figure
    rows = [["protocol", "query -> target", "metric", *names]]
    for line, found in by_line.items():
        cells = [f"{found[name].value:.3f} ({found[name].gain:+.3f})" for name in names]
        rows.append([*line, *cells])
    return "\n".join([*_aligned(rows), "gain over no correction in brackets"])


def plot_recall(directions: Sequence[Direction], path: Path) -> None:
    """Draw recall at k against k for every direction, with chance dashed."""
    figure, axes = new_figure()
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
    save_figure(figure, path)


def plot_history(history: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw the history of a fit: what each setting or each epoch reached on validation.

    Args:
        history: Entries with ``validation_score``. With ``epoch`` (gradient methods) that score
            and ``loss`` are drawn against the epoch; with ``ridge`` (and ``beta``) the best score
            of each ridge is drawn; any other setting by its number in the order tried.
        path: PNG that is written.
    """
    if any("epoch" in entry for entry in history):
        _plot_epochs([entry for entry in history if "epoch" in entry], path)
    elif history and all("ridge" in entry for entry in history):
        _plot_ridges(history, path)
    else:
        _plot_settings(history, path)


def _plot_ridges(history: Sequence[dict[str, Any]], path: Path) -> None:
    """Validation score against the ridge, one line per share of true pairs."""
    best: dict[tuple[float, float], float] = {}
    for setting in history:
        key = (float(setting.get("beta", 1.0)), float(setting["ridge"]))
        score = float(setting["validation_score"])
        best[key] = max(best.get(key, score), score)
    figure, axes = new_figure()
    for beta in sorted({b for b, _ in best}):
        ridges = sorted(r for b, r in best if b == beta)
        axes.plot(ridges, [best[beta, r] for r in ridges], marker="o", label=f"beta {beta:g}")
    if min(ridge for _, ridge in best) > 0.0:
        axes.set_xscale("log")
    axes.set_xlabel("ridge (in variances of a standardised feature)")
    axes.set_ylabel("validation score")
    axes.set_title("What was tried on the validation split")
    axes.legend(fontsize="small", frameon=False, title="share of true pairs")
    save_figure(figure, path)


def _plot_epochs(history: Sequence[dict[str, Any]], path: Path) -> None:
    """Validation score above, training loss below, against the epoch; the best epoch dotted.

    Each strength of dropout that was tried has a line, and so has the refit.
    """
    figure, panels = new_panels(2, height=5.5, sharex=True)
    runs: dict[str, list[dict[str, Any]]] = {}
    for entry in history:
        runs.setdefault(_run_of(entry), []).append(entry)
    for panel, (key, label) in zip(panels, _EPOCH_CURVES.items(), strict=True):
        for number, (run, entries) in enumerate(runs.items()):
            known = [(int(entry["epoch"]), float(entry[key])) for entry in entries if key in entry]
            x, y = [epoch for epoch, _ in known], [value for _, value in known]
            panel.plot(x, y, marker=".", color=f"C{number}", label=run)
        panel.set_ylabel(label)
    panels[1].legend(fontsize="small", frameon=False)
    best = max(history, key=lambda entry: float(entry.get("validation_score", -np.inf)))
    for panel in panels:
        panel.axvline(int(best["epoch"]), color="black", linestyle=":", linewidth=1)
    panels[0].set_title(f"Fit by epoch, best on the validation split: epoch {best['epoch']}")
    panels[1].set_xlabel("epoch")
    save_figure(figure, path)


def _run_of(entry: dict[str, Any]) -> str:
    """Which training run an epoch belongs to, in words."""
    if "phase" in entry:
        return "train and validation rows"
    return f"train rows, dropout {entry['dropout']:g}" if "dropout" in entry else "train rows"


def _plot_settings(history: Sequence[dict[str, Any]], path: Path) -> None:
    """Validation score of each setting, in the order tried."""
    figure, axes = new_figure()
    axes.plot([float(entry["validation_score"]) for entry in history], marker="o", linestyle="")
    axes.set_xlabel("number of the setting, in the order tried")
    axes.set_ylabel("validation score")
    axes.set_title("What was tried on the validation split")
    save_figure(figure, path)


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table in columns of equal width."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    padded = [[cell.ljust(w) for cell, w in zip(row, widths, strict=True)] for row in rows]
    return ["  ".join(row).rstrip() for row in padded]


def _recall_curve(scores: RetrievalScores) -> list[float]:
    ordered = np.sort(scores.ranks)
    k = np.arange(1, scores.n_gallery + 1)
    return [float(x) for x in np.searchsorted(ordered, k, side="right") / len(ordered)]
