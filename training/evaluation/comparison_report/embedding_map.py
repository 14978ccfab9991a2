"""A flat map of a shared space: t-SNE of the test rows of all views together."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.errors import ShapeError
from models.types import Float32Array, Float64Array, Int64Array
from training.datasets.feature_data import StrArray
from training.evaluation.comparison import EmbeddedView
from training.evaluation.comparison_report.threads import one_thread
from training.evaluation.figures import class_colours, new_figure, save_figure

MAXIMUM_ROWS = 1000  # over all views: t-SNE takes a few seconds, and more points hide each other
MARKERS = ("o", "^", "s", "D", "P")
PERPLEXITY = 30.0
UNKNOWN = "#9a9a9a"
_POINTS = {"alpha": 0.8, "s": 26, "linewidths": 0.4, "edgecolors": "white"}


@dataclass(frozen=True, slots=True, eq=False)
class MapRows:
    """Rows of several views, one after the other.

    Attributes:
        embedding: Unit rows, shape (N, K).
        labels: Class of each row or -1, shape (N,).
        views: Name of the view of each row, shape (N,).
    """

    embedding: Float32Array
    labels: Int64Array
    views: StrArray


def sample_rows(views: dict[str, EmbeddedView], *, rng: np.random.Generator) -> MapRows:
    """Take at most ``MAXIMUM_ROWS`` rows by lot, the same number of each view where there are."""
    share = MAXIMUM_ROWS // len(views)
    embeddings, labels, names = [], [], []
    for name, view in views.items():
        n_rows = min(share, len(view.ids))
        rows = np.sort(rng.choice(len(view.ids), size=n_rows, replace=False))
        embeddings.append(view.embedding[rows])
        unknown = np.full(n_rows, -1, dtype=np.int64)
        labels.append(unknown if view.labels is None else view.labels[rows])
        names.append(np.full(n_rows, name))
    return MapRows(np.concatenate(embeddings), np.concatenate(labels), np.concatenate(names))


def flat_map(embedding: Float32Array, *, seed: int) -> Float64Array:
    """Lay rows out in the plane by t-SNE, neighbours near each other.

    L. van der Maaten, G. Hinton, "Visualizing Data using t-SNE", JMLR 2008. On unit rows the order
    by Euclidean distance is the order by cosine.

    Args:
        embedding: Unit rows, shape (N, K), N >= 4.
        seed: Of the optimisation.

    Returns:
        Places, shape (N, 2); distances between far groups mean nothing.

    Raises:
        ShapeError: If there are fewer than four rows.
    """
    from sklearn.manifold import TSNE

    n_rows, n_components = embedding.shape
    if n_rows < 4:
        raise ShapeError(f"expected at least 4 rows for a map, got {n_rows}")
    start = "pca" if n_components >= 2 and np.ptp(embedding, axis=0).max() > 0 else "random"
    layout = TSNE(
        perplexity=min(PERPLEXITY, (n_rows - 1) / 3),
        init=start,
        learning_rate="auto",
        random_state=seed,
    )
    with one_thread():
        places: Float64Array = layout.fit_transform(embedding.astype(np.float64))
    return places.astype(np.float64)


def plot_embedding_map(
    views: dict[str, EmbeddedView],
    classes: tuple[str, ...],
    path: Path,
    *,
    title: str,
    seed: int,
) -> None:
    """Draw the map: colour says the class, marker says the view.

    Args:
        views: Test rows of one fold.
        classes: Name of each class; without any, colour says the view too.
        path: PNG that is written.
        title: Heading.
        seed: Of the rows drawn by lot and of the layout.
    """
    rows = sample_rows(views, rng=np.random.default_rng(seed))
    places = flat_map(rows.embedding, seed=seed)
    figure, axes = new_figure(width=8.5, height=6.5)
    axes.grid(visible=False)
    present = [number for number in range(len(classes)) if (rows.labels == number).any()]
    colours = class_colours(len(classes) if present else len(views))
    for number, name in enumerate(views):
        for label in (*present, -1):
            chosen = (rows.views == name) & (rows.labels == label)
            without_class = UNKNOWN if present else colours[number]
            colour = colours[label] if label >= 0 else without_class
            axes.scatter(*places[chosen].T, color=colour, marker=_marker(number), **_POINTS)
    shapes = [(name, UNKNOWN if present else colours[n], n) for n, name in enumerate(views)]
    _add_legend(figure, shapes, "view", "outside left upper")
    if present:
        kinds = [(classes[label], colours[label], 0) for label in present]
        _add_legend(figure, kinds, "class", "outside right upper")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title(title)
    save_figure(figure, path)


def _add_legend(figure: Any, entries: list[tuple[str, Any, int]], title: str, place: str) -> None:
    """Name colours and markers beside the map; ``entries`` are (name, colour, marker number)."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], linestyle="", marker=_marker(number), color=colour, label=name)
        for name, colour, number in entries
    ]
    figure.legend(handles=handles, title=title, loc=place, fontsize="small", frameon=False)


def _marker(number: int) -> str:
    return MARKERS[number % len(MARKERS)]
