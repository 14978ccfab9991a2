"""The methods that can be trained: name -> recipe and its configuration."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from models.errors import DataError
from models.spaces import SharedSpace
from training.datasets.feature_data import FeatureData
from training.loops.linear_problem import CCA, CLUSTER_CCA
from training.loops.linear_recipe import LinearConfig, fit_linear_space


@dataclass(frozen=True, slots=True)
class FitResult:
    """What a recipe gives.

    Attributes:
        space: The fitted space.
        parameters: The choices made on the validation split.
        history: Every setting or epoch with its validation score, for the plot.
    """

    space: SharedSpace
    parameters: dict[str, float | int | str]
    history: list[dict[str, float | int | str]]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a method is fitted.

    Attributes:
        config: Its configuration, a dataclass of defaults.
        fit: Maps (data, configuration, show progress) to the result; reads train and validation.
        summary: One line for people.
    """

    config: type[Any]
    fit: Callable[[FeatureData, Any, bool], FitResult]
    summary: str


def _fit_cca(data: FeatureData, config: LinearConfig, progress: bool) -> FitResult:
    return _fit_linear(CCA, data, config, progress)


def _fit_cluster_cca(data: FeatureData, config: LinearConfig, progress: bool) -> FitResult:
    return _fit_linear(CLUSTER_CCA, data, config, progress)


def _fit_linear(method: str, data: FeatureData, config: LinearConfig, progress: bool) -> FitResult:
    space, choice, tried = fit_linear_space(method, data, config, progress=progress)
    return FitResult(space, choice.as_dict(), [setting.as_dict() for setting in tried])


RECIPES: dict[str, Recipe] = {
    CCA: Recipe(LinearConfig, _fit_cca, "canonical correlation analysis of true pairs, no labels"),
    CLUSTER_CCA: Recipe(
        LinearConfig,
        _fit_cluster_cca,
        "cluster-CCA: same-class rows correspond, mixed with true pairs where there are any",
    ),
}


def recipe(method: str) -> Recipe:
    """Look a method up.

    Raises:
        DataError: If there is no such method; the message lists those there are.
    """
    if method not in RECIPES:
        raise DataError(f"unknown method {method!r}, expected one of {sorted(RECIPES)}")
    return RECIPES[method]
