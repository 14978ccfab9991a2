"""What a comparison of methods found, as data: one result per method and fold."""

from dataclasses import dataclass, replace

import numpy as np

from models.spaces import SharedSpace
from models.types import Float32Array, Int64Array
from training.datasets.feature_data import FeatureData, StrArray
from training.evaluation.protocol import Direction, embed_split


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedView:
    """Rows of one view in a shared space.

    Attributes:
        embedding: Unit rows, shape (N, K).
        ids: Name of each row, shape (N,).
        labels: Class of each row, shape (N,), or None.
    """

    embedding: Float32Array
    ids: StrArray
    labels: Int64Array | None


def embedded_views(space: SharedSpace, data: FeatureData, split: str) -> dict[str, EmbeddedView]:
    """The rows of one split of every view of a space, with their ids and labels."""
    rows = {name: data.views[name].only(split) for name in space.views}
    embedded = embed_split(space, data, split)
    return {n: EmbeddedView(x, rows[n].ids, rows[n].labels) for n, x in embedded.items()}


def cut_rows(
    views: dict[str, EmbeddedView], most: int, *, rng: np.random.Generator
) -> dict[str, EmbeddedView]:
    """Keep the rows of ids drawn by lot, so that the longest view has about ``most`` rows.

    Args:
        views: Rows of one split.
        most: Views with no more rows are given back as they are.
        rng: Draws the ids.
    """
    longest = max(len(view.ids) for view in views.values())
    if longest <= most:
        return views
    ids = np.unique(np.concatenate([view.ids for view in views.values()]))
    drawn = rng.choice(ids, size=len(ids) * most // longest, replace=False)
    cut = {}
    for name, view in views.items():
        kept = np.isin(view.ids, drawn)
        labels = None if view.labels is None else view.labels[kept]
        cut[name] = replace(view, embedding=view.embedding[kept], ids=view.ids[kept], labels=labels)
    return cut


@dataclass(frozen=True, slots=True, eq=False)
class FoldResult:
    """One method on one fold.

    Attributes:
        method: Key in ``RECIPES``, or ``METHOD@PRESET``.
        fold: Number of the fold, from 0.
        directions: Figures on the test part of the fold, every protocol that applies.
        fit_seconds: Wall time of the fit, choices on validation included.
        parameters: The choices made on the validation part.
        embedded: Test rows of each view in the space.
        train_embedded: Training rows of each view in the space.
        n_fitted: Rows of all views that the fit saw: those of the training and validation parts.
    """

    method: str
    fold: int
    directions: list[Direction]
    fit_seconds: float
    parameters: dict[str, float | int | str]
    embedded: dict[str, EmbeddedView]
    train_embedded: dict[str, EmbeddedView]
    n_fitted: int


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Several methods on the same folds.

    Attributes:
        data: Name of the feature file.
        seed: Of folds, validation splits and fits.
        n_folds: Number of folds.
        classes: Name of each class.
        command: The command line that made it.
        protocols: Those that applied, see ``training.evaluation.protocol``.
        notes: What a reader of the figures has to know.
        folds: Every method and fold, methods in the order asked for.
        failures: Why a method could not be fitted, by method.
        machine: Processor, cores and device.
    """

    data: str
    seed: int
    n_folds: int
    classes: tuple[str, ...]
    command: str
    protocols: tuple[str, ...]
    notes: tuple[str, ...]
    folds: list[FoldResult]
    failures: dict[str, str]
    machine: str

    @property
    def methods(self) -> list[str]:
        """Methods that gave a result, in the order asked for."""
        return list(dict.fromkeys(result.method for result in self.folds))

    def of(self, method: str) -> list[FoldResult]:
        """Results of one method, by fold."""
        return [result for result in self.folds if result.method == method]
