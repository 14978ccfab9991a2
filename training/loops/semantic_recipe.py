"""Fit semantic matching, with cluster-CCA before it or without.

A logistic regression per view maps its rows to class posteriors. Each view has the penalty with
the best log loss on its validation rows; how posteriors are compared is chosen by what retrieves
best there. Only rows of known class, and classes that every view has, are learned from.
"""

from collections.abc import Mapping
from itertools import product

import numpy as np

from models.cca.semantic_matching import (
    PosteriorSpace,
    PosteriorView,
    compared_posteriors,
    posteriors,
)
from models.cca.standardise import Standardiser
from models.cca.unit_rows import unit_rows
from models.errors import DataError
from models.types import Float64Array, Int64Array
from training.datasets.feature_data import FeatureData, FeatureView
from training.loops.linear_config import LinearChoice
from training.loops.linear_problem import (
    SEMANTIC_CORRELATION_MATCHING,
    SEMANTIC_MATCHING,
    LinearProblem,
    StandardisedRows,
    fit_view_typicality,
)
from training.loops.linear_search import best_setting, fit_setting, search_settings
from training.loops.logistic import Classifier, fit_classifier, log_loss
from training.loops.semantic_config import (
    CENTRED,
    PROBABILITY,
    PosteriorOptions,
    SemanticChoice,
    SemanticConfig,
    SemanticCorrelationConfig,
)

Fit = tuple[PosteriorSpace, SemanticChoice, list[SemanticChoice]]


def fit_semantic_space(data: FeatureData, config: SemanticConfig) -> Fit:
    """Fit ``sm``: class posteriors of the features.

    Args:
        data: Train and validation rows are used, test rows are not looked at.
        config: What to try.

    Returns:
        The space, the choice, and every setting that was tried.

    Raises:
        DataError: If a view has no labels of two classes that the others have too.
    """
    problem = LinearProblem(SEMANTIC_MATCHING, data)
    return _fit(problem, config, None, refit=config.refit)


def fit_semantic_correlation_space(
    data: FeatureData, config: SemanticCorrelationConfig, *, progress: bool = True
) -> Fit:
    """Fit ``scm``: class posteriors in the subspace of cluster-CCA.

    Args:
        data: Train and validation rows are used, test rows are not looked at.
        config: What to try.
        progress: Show a bar.

    Returns:
        The space, the choice, and every setting that was tried after the choice of cluster-CCA.

    Raises:
        DataError: If a view has no labels of two classes that the others have too.
    """
    problem = LinearProblem(SEMANTIC_CORRELATION_MATCHING, data)
    rows = StandardisedRows(problem.train)
    held_out = rows.of(problem.validation)
    tried = search_settings(problem, rows.fitted, held_out, config, progress=progress)
    return _fit(problem, config, best_setting(tried), refit=config.refit)


class _Inputs:
    """What the classifiers see: standardised rows, projected where there is a projection."""

    def __init__(
        self,
        problem: LinearProblem,
        fitted: Mapping[str, FeatureView],
        projection: LinearChoice | None,
    ) -> None:
        self._rows = StandardisedRows(fitted)
        self._projections: dict[str, tuple[Float64Array, Float64Array]] = {}  # mean, weights
        if projection is not None:
            solved = fit_setting(problem, fitted, self._rows.fitted, projection)
            parts = zip(solved.means, solved.weights, strict=True)
            self._projections = dict(zip(fitted, parts, strict=True))
        self.fitted = self._projected(self._rows.fitted)

    def of(self, views: Mapping[str, FeatureView]) -> dict[str, Float64Array]:
        """Other rows of the same views."""
        return self._projected(self._rows.of(views))

    def standardiser(self, name: str) -> Standardiser:
        """Mean and scale of a view."""
        return self._rows.standardisers[name]

    def composed(self, name: str, classifier: Classifier) -> Classifier:
        """The classifier as an affine map of standardised rows."""
        if name not in self._projections:
            return classifier
        mean, weights = self._projections[name]
        composed = weights @ classifier.weights
        return Classifier(composed, classifier.bias - mean @ composed)

    def _projected(self, rows: Mapping[str, Float64Array]) -> dict[str, Float64Array]:
        projected = dict(rows)
        for name, (mean, weights) in self._projections.items():
            projected[name] = (rows[name] - mean) @ weights
        return projected


def _fit(
    problem: LinearProblem,
    options: PosteriorOptions,
    projection: LinearChoice | None,
    *,
    refit: bool,
) -> Fit:
    inputs = _Inputs(problem, problem.train, projection)
    held_out = inputs.of(problem.validation)
    penalties, logits = {}, {}
    for name, rows in inputs.fitted.items():
        penalties[name], classifier = _chosen_penalty(
            name,
            _known(problem, problem.train[name], rows),
            _known(problem, problem.validation[name], held_out[name]),
            options.penalties,
        )
        logits[name] = classifier.logits(held_out[name])
    tried = []
    n_classes = len(problem.classes)
    for temperature, comparison in product(options.temperatures, options.comparisons):
        places = _places(comparison, list(logits), n_classes)
        embedded = {
            name: unit_rows(compared_posteriors(posteriors(z / temperature), *places[name]))
            for name, z in logits.items()
        }
        score = problem.score(embedded)
        tried.append(SemanticChoice(penalties, temperature, comparison, score, projection))
    best = max(tried, key=lambda choice: choice.validation_score)
    fitted = problem.both if refit else problem.train
    return _space(problem, fitted, best), best, tried


def _chosen_penalty(
    name: str,
    train: tuple[Float64Array, Int64Array],
    validation: tuple[Float64Array, Int64Array],
    penalties: tuple[float, ...],
) -> tuple[float, Classifier]:
    """The penalty with the best log loss on validation rows, and its classifier."""
    rows, columns = validation
    if not len(rows):
        raise DataError(f"{name}: expected validation rows of a class of every view, found none")
    fits = [(penalty, fit_classifier(*train, penalty)) for penalty in penalties]
    return min(fits, key=lambda fit: log_loss(fit[1].logits(rows), columns))


def _known(
    problem: LinearProblem, view: FeatureView, rows: Float64Array
) -> tuple[Float64Array, Int64Array]:
    """Rows of the classes that every view has, and the number of their class among these."""
    labels = np.full(len(view), -1) if view.labels is None else view.labels
    known = np.isin(labels, problem.classes)
    return rows[known], np.searchsorted(problem.classes, labels[known])


def _space(
    problem: LinearProblem, fitted: Mapping[str, FeatureView], choice: SemanticChoice
) -> PosteriorSpace:
    """Fit the chosen setting."""
    inputs = _Inputs(problem, fitted, choice.projection)
    views = {}
    places = _places(choice.comparison, list(inputs.fitted), len(problem.classes))
    for name, rows in inputs.fitted.items():
        known = _known(problem, fitted[name], rows)
        classifier = inputs.composed(name, fit_classifier(*known, choice.penalties[name]))
        standardiser = inputs.standardiser(name)
        views[name] = PosteriorView(
            standardiser.mean,
            standardiser.scale,
            classifier.weights / choice.temperature,
            classifier.bias / choice.temperature,
            *places[name],
            fit_view_typicality(problem, name, standardiser),
        )
    return PosteriorSpace(problem.method, problem.views(), views)


def _places(
    comparison: str, names: list[str], n_classes: int
) -> dict[str, tuple[Float64Array, Float64Array]]:
    """By view: what is subtracted from its posteriors (C,), and its own component (M,)."""
    centre = np.full(n_classes, 1.0 / n_classes if comparison == CENTRED else 0.0)
    own = np.eye(len(names)) if comparison == PROBABILITY else np.empty((len(names), 0))
    return {name: (centre, row) for name, row in zip(names, own, strict=True)}
