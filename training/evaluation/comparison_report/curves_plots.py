"""Plots of curves: a panel per direction, a line per method, chance dotted."""

from collections.abc import Sequence
from pathlib import Path

from training.evaluation.comparison_report.curves import MethodCurve
from training.evaluation.figures import line_style, new_panels, save_figure

_PANEL_INCHES = 4.6
_LEGEND_ROW_INCHES = 0.215
_MOST_COLUMNS = 3


def plot_precision_recall(curves: Sequence[MethodCurve], path: Path) -> None:
    """Draw interpolated precision against recall; ``curves`` best method first."""
    _plot(curves, path, ("recall", "precision"), logarithmic=False)


def plot_precision_scope(curves: Sequence[MethodCurve], path: Path) -> None:
    """Draw the precision of the first k answers against k; ``curves`` best method first."""
    _plot(curves, path, ("k (answers looked at)", "precision of the first k"), logarithmic=True)


def plot_partner_recall(curves: Sequence[MethodCurve], path: Path) -> None:
    """Draw the share of queries with their partner among the first k against k."""
    words = ("k (answers looked at)", "share of partners among the first k")
    _plot(curves, path, words, logarithmic=True)


def _plot(
    curves: Sequence[MethodCurve], path: Path, words: tuple[str, str], *, logarithmic: bool
) -> None:
    pairs = list(dict.fromkeys(curve.pair for curve in curves))
    methods = list(dict.fromkeys(curve.method for curve in curves))
    columns = min(len(pairs), _MOST_COLUMNS)
    rows = -(-len(pairs) // columns)
    figure, panels = new_panels(
        len(pairs),
        columns=columns,
        width=2.2 + _PANEL_INCHES * columns,
        height=max(4.4 * rows, 0.8 + _LEGEND_ROW_INCHES * (len(methods) + 1)),
    )
    for panel, pair in zip(panels, pairs, strict=True):
        own = [curve for curve in curves if curve.pair == pair]
        for number, curve in reversed(list(enumerate(own))):  # the best is drawn last, on top
            width = 2.4 if number == 0 else 1.3
            mean = curve.values.mean(axis=0)
            panel.plot(curve.x, mean, linewidth=width, label=curve.method, **line_style(number))
        panel.plot(own[0].x, own[0].chance.mean(axis=0), "k:", linewidth=1.3, label="chance")
        panel.set_title(f"{pair[0]} → {pair[1]}")
        panel.set_xlabel(words[0])
        panel.set_ylabel(words[1])
        panel.set_ylim(0.0, 1.02)
        if logarithmic:
            panel.set_xscale("log")
            panel.xaxis.set_major_formatter("{x:g}")
    handles, labels = panels[0].get_legend_handles_labels()
    handles, labels = [*handles[-2::-1], handles[-1]], [*labels[-2::-1], labels[-1]]
    figure.legend(handles, labels, loc="outside right upper", fontsize="small", frameon=False)
    save_figure(figure, path)
