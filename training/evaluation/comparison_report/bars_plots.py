"""Plots of one figure per method: bars with chance, and quality against the time of a fit."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.types import Float64Array
from training.evaluation.comparison_report.summary import METRIC_NAMES, Ranked
from training.evaluation.figures import COLOURS, new_figure, save_figure

_ROW_INCHES = 0.27
_LABEL_HEIGHT = 0.045  # of the panel: what a line of text needs


def plot_bars(ranked: Sequence[Ranked], path: Path, *, metric: str) -> None:
    """Draw a bar per method, best on top, with its spread over folds and chance dotted.

    Args:
        ranked: Methods, best first.
        path: PNG that is written.
        metric: Key in ``METRIC_NAMES``.
    """
    figure, axes = new_figure(height=1.3 + _ROW_INCHES * len(ranked))
    places = np.arange(len(ranked))[::-1]
    means = [one.figure.mean for one in ranked]
    spreads = [one.figure.std for one in ranked]
    axes.barh(places, means, xerr=spreads, color=COLOURS[0], alpha=0.85, ecolor="black", height=0.7)
    axes.axvline(ranked[0].figure.mean_chance, color="black", linestyle=":", label="chance")
    ends = [mean + std for mean, std in zip(means, spreads, strict=True)]
    for place, mean, end in zip(places, means, ends, strict=True):
        axes.annotate(
            f"{mean:.3f}", (end, place), (4, 0), textcoords="offset points", va="center", fontsize=8
        )
    axes.set_yticks(places, [one.method for one in ranked])
    axes.set_xlim(0.0, 1.12 * max(*ends, ranked[0].figure.mean_chance))
    axes.set_ylim(-0.7, len(ranked) - 0.3)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(f"{METRIC_NAMES[metric]}, mean of all directions; whiskers: std over folds")
    figure.legend(loc="outside upper right", fontsize="small", frameon=False)
    save_figure(figure, path)


def plot_fit_seconds(ranked: Sequence[Ranked], path: Path, *, metric: str) -> None:
    """Draw quality against the mean time of a fit; names stand right of the points, spread out.

    Args:
        ranked: Methods, best first.
        path: PNG that is written.
        metric: Key in ``METRIC_NAMES``.
    """
    figure, axes = new_figure(width=8.0, height=max(4.5, 1.5 + 0.22 * len(ranked)))
    seconds = np.array([max(one.fit_seconds, 1e-3) for one in ranked])
    means = np.array([one.figure.mean for one in ranked])
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    for number, (x, y) in enumerate(zip(seconds, means, strict=True)):
        axes.scatter(x, y, s=36, color=COLOURS[number % len(COLOURS)], zorder=3)
    axes.axhline(ranked[0].figure.mean_chance, color="black", linestyle=":", linewidth=1)
    axes.annotate(
        "chance", (0.0, ranked[0].figure.mean_chance), (4, 3), xycoords=("axes fraction", "data"),
        textcoords="offset points", fontsize=8,
    )  # fmt: skip
    low, high = axes.get_ylim()
    names = spread_out((means - low) / (high - low), gap=_LABEL_HEIGHT)
    for number, (one, x, y, name) in enumerate(zip(ranked, seconds, means, names, strict=True)):
        _name_beside(axes, one.method, (x, y), name, COLOURS[number % len(COLOURS)])
    axes.set_xlabel("seconds of a fit, mean over folds (choices on validation included)")
    axes.set_ylabel(f"{METRIC_NAMES[metric]}, mean of all directions and folds")
    save_figure(figure, path)


def spread_out(wanted: Float64Array, *, gap: float) -> Float64Array:
    """Places at least ``gap`` apart, in the same order, near those wanted and centred on them.

    Args:
        wanted: Places wanted, descending, shape (N,).
        gap: Least distance, > 0.

    Returns:
        Descending places, shape (N,).
    """
    blocks: list[list[float]] = []  # runs of touching places: [mean of wanted middle, size]
    for place in wanted:
        blocks.append([float(place), 1.0])
        while len(blocks) > 1 and _too_near(blocks[-2], blocks[-1], gap):
            (upper, n_upper), (lower, n_lower) = blocks[-2], blocks[-1]
            middle = (upper * n_upper + lower * n_lower) / (n_upper + n_lower)
            blocks[-2:] = [[middle, n_upper + n_lower]]
    places = [
        middle + gap * ((size - 1) / 2 - offset)
        for middle, size in blocks
        for offset in range(int(size))
    ]
    return np.array(places)


def _too_near(upper: Sequence[float], lower: Sequence[float], gap: float) -> bool:
    half_sizes = (upper[1] + lower[1]) / 2
    return upper[0] - lower[0] < gap * half_sizes


def _name_beside(
    axes: Any, name: str, point: tuple[float, float], height: float, colour: str
) -> None:
    axes.annotate(
        name, point, (1.03, height), xycoords="data", textcoords="axes fraction", va="center",
        fontsize=8, annotation_clip=False,
        arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.6, "alpha": 0.7},
    )  # fmt: skip
