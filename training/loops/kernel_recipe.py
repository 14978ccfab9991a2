"""Fit kernel CCA and kernel cluster-CCA: linear methods on the features of a Gaussian kernel.

The width of the kernel starts from the median distance of the training rows and is chosen, with
everything that linear CCA chooses, by what retrieves best on the validation split.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.cca.kernel_map import KernelMap, choose_landmarks, fit_kernel_map, median_gamma
from models.cca.kernel_space import KernelSpace, KernelView, expand
from models.types import Float64Array
from training.datasets.feature_data import FeatureData
from training.loops.linear_config import LinearChoice, LinearConfig, require_values
from training.loops.linear_problem import LinearProblem, StandardisedRows, fit_view_typicality
from training.loops.linear_search import SettingSearch, fit_setting


@dataclass(frozen=True, slots=True)
class KernelConfig(LinearConfig):
    """What is tried on the validation split; one value each means nothing is chosen.

    Attributes:
        ridges: Added to the variances of the kernel's feature vectors, whose sum is at most 1.
        width_factors: The kernel is exp(-f |x - y|^2 / m), m the median squared distance of
            standardised rows of the view.
        max_landmarks: Rows that span the kernel's features; with fewer training rows than this
            nothing is approximated.
    """

    ridges: tuple[float, ...] = (1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2)
    width_factors: tuple[float, ...] = (0.25, 0.5, 1.0)
    max_landmarks: int = 500

    def __post_init__(self) -> None:
        """Refuse values that cannot be fitted.

        Raises:
            DataError: Naming the field.
        """
        LinearConfig.__post_init__(self)
        factors = self.width_factors
        require_values("width_factors", factors, "above 0", all(f > 0.0 for f in factors))
        landmarks = (self.max_landmarks,)
        require_values("max_landmarks", landmarks, "2 or more", self.max_landmarks >= 2)


@dataclass(frozen=True, slots=True)
class KernelChoice:
    """One setting and what it reached on the validation split.

    Attributes:
        width_factor: See ``KernelConfig``.
        setting: Ridge, share of true pairs, correlation power and K, with the score.
    """

    width_factor: float
    setting: LinearChoice

    def as_dict(self) -> dict[str, float | int | str]:
        """The choice by names, for manifests and histories."""
        return {"width_factor": self.width_factor, **self.setting.as_dict()}


def fit_kernel_space(
    method: str, data: FeatureData, config: KernelConfig, *, seed: int, progress: bool = True
) -> tuple[KernelSpace, KernelChoice, list[KernelChoice]]:
    """Fit ``kcca`` or ``c-kcca`` on the views of a data set.

    Args:
        method: ``kcca`` (true pairs, no labels) or ``c-kcca`` (labels; true pairs where there
            are). Rows of label -1 count as pairs only.
        data: Train and validation rows are used, test rows are not looked at.
        config: What to try.
        seed: Of the choice of landmarks.
        progress: Show a bar.

    Returns:
        The space, the choice, and every setting that was tried.

    Raises:
        DataError: If the method lacks the pairs or labels it needs.
    """
    problem = LinearProblem(method, data)
    rows = StandardisedRows(problem.train)
    held_out = rows.of(problem.validation)
    landmarks = _Landmarks(rows.fitted, config.max_landmarks, seed)

    def search(width_factor: float) -> SettingSearch:
        maps = landmarks.maps(width_factor)
        train, validation = _mapped(maps, rows.fitted), _mapped(maps, held_out)
        return SettingSearch(problem, train, validation, config, progress=progress)

    tried = [
        KernelChoice(factor, setting)
        for factor in config.width_factors
        for setting in search(factor).first()
    ]
    start = _best(tried)
    further = search(start.width_factor).further(start.setting)
    tried += [KernelChoice(start.width_factor, setting) for setting in further]
    best = _best(tried)
    return _refitted(problem, config, best, seed), best, tried


def _best(tried: Sequence[KernelChoice]) -> KernelChoice:
    """The setting with the best score; of equal ones that with the largest ridge."""
    return max(tried, key=lambda choice: (choice.setting.validation_score, choice.setting.ridge))


class _Landmarks:
    """Landmarks and median width of every view."""

    def __init__(self, rows: Mapping[str, Float64Array], count: int, seed: int) -> None:
        generator = np.random.default_rng(seed)
        self._gammas = {name: median_gamma(x, generator) for name, x in rows.items()}
        self._rows = {name: choose_landmarks(x, count, generator) for name, x in rows.items()}

    def maps(self, width_factor: float) -> dict[str, KernelMap]:
        """The feature map of every view."""
        return {
            name: fit_kernel_map(rows, width_factor * self._gammas[name])
            for name, rows in self._rows.items()
        }


def _mapped(
    maps: Mapping[str, KernelMap], rows: Mapping[str, Float64Array]
) -> dict[str, Float64Array]:
    return {name: maps[name](x) for name, x in rows.items()}


def _refitted(
    problem: LinearProblem, config: KernelConfig, choice: KernelChoice, seed: int
) -> KernelSpace:
    """Fit the chosen setting on train, or on train and validation."""
    fitted = problem.both if config.refit else problem.train
    rows = StandardisedRows(fitted)
    maps = _Landmarks(rows.fitted, config.max_landmarks, seed).maps(choice.width_factor)
    solved = fit_setting(problem, fitted, _mapped(maps, rows.fitted), choice.setting)
    views = {}
    for name, mean, weights in zip(fitted, solved.means, solved.weights, strict=True):
        standardiser = rows.standardisers[name]
        expansion, centre = expand(maps[name], mean, weights)
        views[name] = KernelView(
            standardiser.mean,
            standardiser.scale,
            maps[name].landmarks,
            np.array([maps[name].gamma]),
            expansion,
            centre,
            fit_view_typicality(problem, name, standardiser),
        )
    return KernelSpace(problem.method, problem.views(), views)
