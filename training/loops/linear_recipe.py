"""Fit CCA and cluster-CCA: choices on the validation split, then a fit on train and validation.

A fixed small ridge loses more than half of the MAP on small sets, so the ridge, the share of true
pairs, the number of components and the weight of the correlations are all chosen by what retrieves
best on the validation split. The test split is never touched.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import product

import numpy as np
from tqdm import tqdm

from models.cca.linalg import Projections, WhitenedMoments
from models.cca.linear_space import LinearSpace, LinearView
from models.cca.standardise import Standardiser, fit_standardiser
from models.cca.typicality import fit_typicality
from models.errors import DataError
from models.types import Float32Array, Float64Array
from training.datasets.feature_data import FeatureData
from training.evaluation.protocol import CLASS, measure
from training.loops.linear_problem import CCA, LinearProblem, doubles


@dataclass(frozen=True, slots=True)
class LinearConfig:
    """What is tried on the validation split; one value each means nothing is chosen.

    Attributes:
        ridges: Added to the variances of standardised features (1 is a feature's own variance).
        betas: Shares of true pairs beside same-class pairs; only for c-cca of paired data.
        correlation_powers: Each direction is scaled by its correlation to this power (Gong, Ke,
            Isard, Lazebnik, "A Multi-View Embedding Space", IJCV 2014).
        n_components: Sizes K tried; larger than possible is cut. Unpaired c-cca has at most C - 1.
        refit: Fit the chosen settings again on train and validation together.
    """

    ridges: tuple[float, ...] = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
    betas: tuple[float, ...] = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    correlation_powers: tuple[float, ...] = (0.0, 1.0, 2.0, 4.0)
    n_components: tuple[int, ...] = (8, 16, 32, 64)
    refit: bool = True

    def __post_init__(self) -> None:
        """Refuse values that cannot be fitted.

        Raises:
            DataError: Naming the field.
        """
        checks = {
            "ridges": all(r >= 0.0 for r in self.ridges),
            "betas": all(0.0 <= b <= 1.0 for b in self.betas),
            "correlation_powers": all(p >= 0.0 for p in self.correlation_powers),
            "n_components": all(k >= 1 for k in self.n_components),
        }
        for name, valid in checks.items():
            if not valid or not getattr(self, name):
                raise DataError(
                    f"expected at least one value for {name}, each in range (ridges and "
                    f"correlation_powers >= 0, betas in [0, 1], n_components >= 1), "
                    f"got {list(getattr(self, name))}"
                )


@dataclass(frozen=True, slots=True)
class LinearChoice:
    """One setting and what it reached on the validation split.

    Attributes:
        ridge: See ``LinearConfig``.
        beta: Share of true pairs, 1 for plain CCA.
        correlation_power: See ``LinearConfig``.
        n_components: K.
        validation_score: Mean over directions of class MAP (labels), instance MRR (true pairs), or
            the mean of the two where both apply.
    """

    ridge: float
    beta: float
    correlation_power: float
    n_components: int
    validation_score: float

    def as_dict(self) -> dict[str, float | int | str]:
        """The choice by names, for manifests and histories."""
        return {**asdict(self)}


def fit_linear_space(
    method: str, data: FeatureData, config: LinearConfig, *, progress: bool = True
) -> tuple[LinearSpace, LinearChoice, list[LinearChoice]]:
    """Fit ``cca`` or ``c-cca`` on the views of a data set.

    Args:
        method: ``cca`` (true pairs, no labels) or ``c-cca`` (labels; true pairs where there are).
        data: Train and validation rows are used, test rows are not looked at.
        config: What to try.
        progress: Show a bar.

    Returns:
        The space, the choice, and every setting that was tried.

    Raises:
        DataError: If the method lacks the pairs or labels it needs.
    """
    problem = LinearProblem(method, data)
    tried = list(_search(problem, config, progress=progress))
    best = max(tried, key=lambda choice: (choice.validation_score, choice.ridge))
    rows = problem.both if config.refit else problem.train
    standardisers = {name: fit_standardiser(doubles(view)) for name, view in rows.items()}
    moments = problem.moments(rows, standardisers, best.beta)
    solved = WhitenedMoments(moments).solve(n_components=best.n_components, ridge=best.ridge)
    weights = _weights(solved, best.n_components, best.correlation_power)
    maps = {
        name: _view_map(problem, name, standardisers[name], mean, w)
        for name, mean, w in zip(rows, solved.means, weights, strict=True)
    }
    return LinearSpace(method, problem.views(), maps), best, tried


def _search(
    problem: LinearProblem, config: LinearConfig, *, progress: bool
) -> Iterator[LinearChoice]:
    """Score every setting on the validation split, fitted on the train split."""
    standardisers = {name: fit_standardiser(doubles(v)) for name, v in problem.train.items()}
    standardised = {
        name: standardisers[name](doubles(view)) for name, view in problem.validation.items()
    }
    betas = problem.betas(config.betas)
    with tqdm(
        total=len(betas) * len(config.ridges),
        desc=f"{problem.method}: settings",
        unit="fit",
        disable=not progress,
    ) as bar:
        for beta in betas:
            whitened = WhitenedMoments(problem.moments(problem.train, standardisers, beta))
            sizes = problem.component_numbers(beta, config.n_components)
            for ridge in config.ridges:
                solved = whitened.solve(n_components=max(sizes), ridge=ridge)
                for power, size in product(config.correlation_powers, sizes):
                    score = _validation_score(problem, solved, standardised, (size, power))
                    yield LinearChoice(ridge, beta, power, size, score)
                bar.update()


def _validation_score(
    problem: LinearProblem,
    solved: Projections,
    standardised: Mapping[str, Float64Array],
    size_and_power: tuple[int, float],
) -> float:
    """Mean class MAP, mean instance MRR, or the mean of the two; see ``LinearChoice``."""
    weights = _weights(solved, *size_and_power)
    names = list(standardised)
    embedded = {
        name: _unit_rows((standardised[name] - solved.means[v]) @ weights[v])
        for v, name in enumerate(names)
    }
    directions = measure(lambda name, _: embedded[name], problem.validation, chance=False)
    by_protocol: dict[str, list[float]] = {}
    for direction in directions:
        if problem.method == CCA and direction.protocol == CLASS and problem.paired:
            continue  # plain CCA is chosen by what it is trained for, without labels
        value = direction.scores.map if direction.protocol == CLASS else direction.scores.mrr
        by_protocol.setdefault(direction.protocol, []).append(value)
    if not by_protocol:
        raise DataError("expected labels or true pairs in the validation split, found neither")
    return float(np.mean([np.mean(values) for values in by_protocol.values()]))


def _weights(solved: Projections, size: int, power: float) -> tuple[Float64Array, ...]:
    """The first K directions, each scaled by its correlation to the power."""
    scale = solved.correlations[:size] ** power
    return tuple(w[:, :size] * scale for w in solved.weights)


def _view_map(
    problem: LinearProblem,
    name: str,
    standardiser: Standardiser,
    mean: Float64Array,
    weights: Float64Array,
) -> LinearView:
    """One view of the space; the mean of the pairs is folded into the standardisation."""
    typicality = fit_typicality(
        standardiser(doubles(problem.train[name])) - mean,
        standardiser(doubles(problem.validation[name])) - mean,
    )
    shifted = standardiser.mean + mean * standardiser.scale
    return LinearView(shifted, standardiser.scale, weights, typicality)


def _unit_rows(rows: Float64Array) -> Float32Array:
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(norms > 0.0, norms, 1.0)).astype(np.float32)
