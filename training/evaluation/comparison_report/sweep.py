"""Retrieval against one setting: components, margin, batches (the figures of the papers)."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from models.errors import DataError
from training.evaluation.figures import line_style, new_panels, save_figure

SweepPoint = tuple[float, str, str, float]  # setting, method, direction, value
_DECADE = 10.0  # settings that span more are drawn on a logarithmic axis
_MOST_TICKS = 12


def write_sweep(
    points: Sequence[SweepPoint],
    path: Path,
    *,
    setting: str,
    metric: str = "MAP",
    chance: float | None = None,
) -> None:
    """Draw a figure against a setting, a panel per direction and a line per method.

    Args:
        points: (value of the setting, method, direction such as ``audio → visual``, figure).
            Several points of one place, such as folds, give their mean with its spread.
        path: PNG that is written.
        setting: Name under the horizontal axis.
        metric: Name beside the vertical axis.
        chance: Drawn dotted where given.

    Raises:
        DataError: If there are no points.
    """
    if not points:
        raise DataError("expected points to draw, got none")
    directions = list(dict.fromkeys(direction for _, _, direction, _ in points))
    methods = list(dict.fromkeys(method for _, method, _, _ in points))
    figure, panels = new_panels(
        len(directions), columns=len(directions), width=1.5 + 4.2 * len(directions), height=4.2
    )
    settings = sorted({point[0] for point in points})
    for panel, direction in zip(panels, directions, strict=True):
        for number, method in enumerate(methods):
            own = [(p[0], p[3]) for p in points if p[1:3] == (method, direction)]
            x, means, spreads = _over_repeats(own)
            style = line_style(number)
            panel.errorbar(
                x, means, yerr=spreads, marker="o", markersize=4, capsize=2, label=method, **style
            )
        if chance is not None:
            panel.axhline(chance, color="black", linestyle=":", label="chance")
        if 0.0 < settings[0] * _DECADE < settings[-1]:
            panel.set_xscale("log")
        if len(settings) <= _MOST_TICKS:
            panel.set_xticks(settings, [f"{x:g}" for x in settings])
            panel.set_xticks([], minor=True)
        panel.set_xlabel(setting)
        panel.set_title(direction)
    panels[0].set_ylabel(metric)
    found, names = panels[0].get_legend_handles_labels()
    handles = dict(zip(names, found, strict=True))
    order = [*methods, *(["chance"] if chance is not None else [])]
    figure.legend(
        [handles[name] for name in order],
        order,
        loc="outside right upper",
        fontsize="small",
        frameon=False,
    )
    save_figure(figure, path)


def _over_repeats(own: Sequence[tuple[float, float]]) -> tuple[list[float], ...]:
    """Settings in ascending order, the mean of each and its standard deviation (0 for one)."""
    by_setting: dict[float, list[float]] = defaultdict(list)
    for x, value in own:
        by_setting[x].append(value)
    ordered = sorted(by_setting)
    means = [float(np.mean(by_setting[x])) for x in ordered]
    spreads = [
        float(np.std(by_setting[x], ddof=1)) if len(by_setting[x]) > 1 else 0.0 for x in ordered
    ]
    return ordered, means, spreads
