"""Figures without pyplot: a canvas of panels, the style of many lines, and writing whole files."""

import io
from pathlib import Path
from typing import Any

from models.checkpoint import write_bytes_atomically

DOTS_PER_INCH = 110
COLOURS = (
    "#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd",
    "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf",
)  # fmt: skip
CLASS_COLOURS = (
    "#e6194b", "#3cb44b", "#4363d8", "#f58231", "#911eb4", "#17becf", "#f032e6", "#808000",
    "#9a6324", "#000075", "#ffc400", "#808080", "#008080", "#800000", "#a6d854", "#e78ac3",
)  # fmt: skip
LINE_STYLES = ("-", "--", "-.", (0, (1, 1)))


def new_figure(width: float = 7.0, height: float = 4.5) -> tuple[Any, Any]:
    """Return a figure of one panel with a light grid, and the panel; sizes in inches."""
    figure, panels = new_panels(1, width=width, height=height)
    return figure, panels[0]


def new_panels(
    n_panels: int,
    *,
    columns: int = 1,
    width: float = 7.0,
    height: float = 4.5,
    sharex: bool = False,
) -> tuple[Any, list[Any]]:
    """Return a figure of several panels with a light grid, and the panels row by row.

    Args:
        n_panels: Panels wanted, >= 1; places left over in the last row stay empty.
        columns: Panels in a row, >= 1.
        width: Of the whole figure, in inches.
        height: Of the whole figure, in inches.
        sharex: Panels share the horizontal axis.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    rows = -(-n_panels // columns)
    places = list(figure.subplots(rows, columns, sharex=sharex, squeeze=False).flat)
    for panel in places[:n_panels]:
        panel.grid(alpha=0.3)
        panel.set_axisbelow(True)
    for spare in places[n_panels:]:
        spare.set_axis_off()
    return figure, places[:n_panels]


def line_style(number: int) -> dict[str, Any]:
    """Colour and dashes of the number-th line: 40 that differ, ten colours before new dashes."""
    dashes = LINE_STYLES[number // len(COLOURS) % len(LINE_STYLES)]
    return {"color": COLOURS[number % len(COLOURS)], "linestyle": dashes}


def class_colours(n_classes: int) -> list[Any]:
    """Colour of each class: picked by hand up to 16, spread over a colour map beyond."""
    from matplotlib import colormaps

    if n_classes <= len(CLASS_COLOURS):
        return list(CLASS_COLOURS[:n_classes])
    spread = colormaps["nipy_spectral"]
    return [spread(0.05 + 0.9 * number / (n_classes - 1)) for number in range(n_classes)]


def save_figure(figure: Any, path: Path) -> None:
    """Write a PNG, whole or not at all."""
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=DOTS_PER_INCH)
    write_bytes_atomically(path, drawn.getvalue())
