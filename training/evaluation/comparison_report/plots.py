"""Every plot of the report folder, with one line on how to read it."""

import re
from dataclasses import dataclass
from pathlib import Path

from training.evaluation.comparison import Comparison
from training.evaluation.comparison_report.bars_plots import plot_bars, plot_fit_seconds
from training.evaluation.comparison_report.classes import confusions, plot_confusions
from training.evaluation.comparison_report.curves import ClassCurves, partner_curves
from training.evaluation.comparison_report.curves_plots import (
    plot_partner_recall,
    plot_precision_recall,
    plot_precision_scope,
)
from training.evaluation.comparison_report.embedding_map import plot_embedding_map
from training.evaluation.comparison_report.summary import (
    METRIC_NAMES,
    baseline_method,
    best_method,
    main_metric,
    main_protocol,
    measured_protocols,
    ranking,
)
from training.evaluation.protocol import CLASS, CLASS_AVERAGED, INSTANCE


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot of the folder.

    Attributes:
        name: File name.
        title: What it shows.
        reading: How to read it, one line.
    """

    name: str
    title: str
    reading: str


def write_plots(comparison: Comparison, curves: ClassCurves, folder: Path) -> list[Plot]:
    """Draw everything that the protocols allow; files are PNG.

    Args:
        comparison: Complete, see ``settled``.
        curves: ``class_curves`` of the same comparison.
        folder: Where the files go.
    """
    plots = _figure_plots(comparison, folder)
    protocols = measured_protocols(comparison)
    if CLASS in protocols:
        plots += _class_plots(comparison, curves, folder)
    if INSTANCE in protocols:
        plots += _partner_plots(comparison, folder)
    return plots + _map_plots(comparison, folder) + sweep_plots(folder)


def file_name(kind: str, method: str) -> str:
    """Name of the plot of one method, safe on every file system.

    Example:
        >>> file_name("confusion", "tnn-c-cca@published")
        'confusion_tnn-c-cca_published.png'
    """
    return f"{kind}_{re.sub('[^A-Za-z0-9._-]', '_', method)}.png"


def sweep_plots(folder: Path) -> list[Plot]:
    """List the plots of ``write_sweep`` that lie in the folder as ``sweep_SETTING.png``."""
    reading = "Other settings as they are, first fold only; nothing was chosen by this plot."
    return [
        Plot(path.name, f"MAP against {path.stem.removeprefix('sweep_')}", reading)
        for path in sorted(folder.glob("sweep_*.png"))
    ]


def _figure_plots(comparison: Comparison, folder: Path) -> list[Plot]:
    plots = []
    for protocol in measured_protocols(comparison):
        if protocol == CLASS_AVERAGED:
            continue
        metric = main_metric(protocol)
        name = f"{metric}_bars.png"
        plot_bars(ranking(comparison, protocol), folder / name, metric=metric)
        reading = "Bars end at the mean of all directions and folds; left of chance is no better."
        title = f"{METRIC_NAMES[metric]} of each method, protocol {protocol}"
        plots.append(Plot(name, title, reading))
    protocol = main_protocol(comparison)
    metric = main_metric(protocol)
    plot_fit_seconds(ranking(comparison, protocol), folder / "fit_seconds.png", metric=metric)
    reading = "Up is better, left is faster; a method below and right of another is not worth it."
    plots.append(Plot("fit_seconds.png", "Quality against the time of a fit", reading))
    return plots


def _class_plots(comparison: Comparison, curves: ClassCurves, folder: Path) -> list[Plot]:
    best = best_method(comparison)
    confusion = file_name("confusion", best)
    plot_precision_recall(curves.recall, folder / "precision_recall.png")
    plot_precision_scope(curves.scope, folder / "precision_scope.png")
    plot_confusions(
        confusions(comparison, best),
        comparison.classes,
        folder / confusion,
        title=f"{best}: class of the first answer, % of a row, all folds",
    )
    return [
        Plot(
            "precision_recall.png",
            "Precision against recall",
            "Interpolated precision once a share of the right answers is found, mean over queries "
            "and folds (at most 1,000 queries of a fold); the right end tells who finds the last.",
        ),
        Plot(
            "precision_scope.png",
            "Precision against scope",
            "Share of right answers among the first k; the left end is what a user sees first, at "
            "the right end everything is shown and every method is at chance.",
        ),
        Plot(
            confusion,
            f"Confusion of {best}",
            "A row holds the queries of a class, a column the class of the first answer; dark off "
            "the diagonal are classes taken for others.",
        ),
    ]


def _partner_plots(comparison: Comparison, folder: Path) -> list[Plot]:
    plot_partner_recall(partner_curves(comparison), folder / "recall_at_k.png")
    reading = (
        "Share of queries whose true partner is among the first k answers; the left end is R@1."
    )
    return [Plot("recall_at_k.png", "Partners found against the answers looked at", reading)]


def _map_plots(comparison: Comparison, folder: Path) -> list[Plot]:
    plots = []
    for method in dict.fromkeys([best_method(comparison), baseline_method(comparison)]):
        name = file_name("embedding_map", method)
        title = f"Space of {method}, test rows of the first fold"
        plot_embedding_map(
            comparison.of(method)[0].embedded,
            comparison.classes,
            folder / name,
            title=f"{title} (t-SNE)",
            seed=comparison.seed,
        )
        reading = (
            "Colour is the class, marker the view. Good: each colour in one place with both "
            "markers mixed. Markers apart: modality gap. Distances between far groups say nothing."
        )
        plots.append(Plot(name, title, reading))
    return plots
