"""The search that linear and kernel methods share: settings scored on the validation split.

The covariances are diagonalised once per share of true pairs; every ridge then costs one small
decomposition, and every size and power only a slice and a scaling of the same projections. The
best ridge hardly depends on the share of true pairs, so the two are searched in turn and not as a
grid.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import TypeVar

from tqdm import tqdm

from models.cca.linalg import Projections, WhitenedMoments
from models.cca.unit_rows import unit_rows
from models.types import Float64Array
from training.datasets.feature_data import FeatureView
from training.loops.linear_config import LinearChoice, LinearConfig
from training.loops.linear_problem import LinearProblem

StepT = TypeVar("StepT")


class SettingSearch:
    """Fits settings on the train split and scores them on the validation split.

    Args:
        problem: Correspondences and scoring.
        train: Features of the training rows, after any map, (N_v, D_v) per view.
        validation: Features of the validation rows through the same map.
        config: What to try.
        progress: Show bars.
    """

    def __init__(
        self,
        problem: LinearProblem,
        train: Mapping[str, Float64Array],
        validation: Mapping[str, Float64Array],
        config: LinearConfig,
        *,
        progress: bool,
    ) -> None:
        self._problem = problem
        self._train = train
        self._validation = validation
        self._config = config
        self._progress = progress
        self._betas = problem.betas(config.betas)
        self._limit = min(rows.shape[1] for rows in train.values())

    def first(self) -> list[LinearChoice]:
        """Try every ridge at the middle share of true pairs."""
        return self._try_ridges(self._betas[len(self._betas) // 2], self._config.ridges)

    def further(self, best: LinearChoice) -> list[LinearChoice]:
        """Try the other shares of true pairs at the best ridge, then other ridges at the best.

        Args:
            best: The best of ``first``.
        """
        others = [beta for beta in self._betas if beta != best.beta]
        if not others:
            return []
        tried = []
        shares = self._problem.moments(self._problem.train, self._train, others)
        for beta, moments in self._bar(shares, len(others)):
            tried += list(self._scored(WhitenedMoments(moments), beta, best.ridge))
        winner = best_setting([best, *tried])
        if winner.beta != best.beta:
            ridges = [ridge for ridge in self._config.ridges if ridge != best.ridge]
            tried += self._try_ridges(winner.beta, ridges)
        return tried

    def _try_ridges(self, beta: float, ridges: Sequence[float]) -> list[LinearChoice]:
        ((_, moments),) = self._problem.moments(self._problem.train, self._train, (beta,))
        whitened = WhitenedMoments(moments)
        bar = self._bar(ridges, len(ridges))
        return [choice for ridge in bar for choice in self._scored(whitened, beta, ridge)]

    def _scored(
        self, whitened: WhitenedMoments, beta: float, ridge: float
    ) -> Iterator[LinearChoice]:
        """Every size and power of one fit."""
        sizes = self._problem.component_numbers(beta, self._config.n_components, self._limit)
        solved = whitened.solve(n_components=max(sizes), ridge=ridge)
        projected = _projected(solved, self._validation)
        for power, size in product(self._config.correlation_powers, sizes):
            scale = solved.correlations[:size] ** power
            embedded = {name: unit_rows(z[:, :size] * scale) for name, z in projected.items()}
            yield LinearChoice(ridge, beta, power, size, self._problem.score(embedded))

    def _bar(self, steps: Iterable[StepT], total: int) -> Iterable[StepT]:
        title = f"{self._problem.method}: settings"
        return tqdm(steps, total=total, desc=title, unit="fit", disable=not self._progress)


def search_settings(
    problem: LinearProblem,
    train: Mapping[str, Float64Array],
    validation: Mapping[str, Float64Array],
    config: LinearConfig,
    *,
    progress: bool,
) -> list[LinearChoice]:
    """Search the settings of one feature map; the arguments are those of ``SettingSearch``.

    Returns:
        Each setting that was tried, with its score.
    """
    search = SettingSearch(problem, train, validation, config, progress=progress)
    first = search.first()
    return first + search.further(best_setting(first))


def best_setting(tried: Sequence[LinearChoice]) -> LinearChoice:
    """The setting with the best score; of equal ones that with the largest ridge."""
    return max(tried, key=lambda choice: (choice.validation_score, choice.ridge))


def fit_setting(
    problem: LinearProblem,
    views: Mapping[str, FeatureView],
    rows: Mapping[str, Float64Array],
    choice: LinearChoice,
) -> Projections:
    """Fit one setting; its directions are scaled by their correlations to the chosen power.

    Args:
        problem: Correspondences.
        views: Ids and labels of the rows to fit.
        rows: Their features, after any map, (N_v, D_v) per view.
        choice: The setting.
    """
    ((_, moments),) = problem.moments(views, rows, (choice.beta,))
    whitened = WhitenedMoments(moments)
    size = min(choice.n_components, *whitened.dimensions)  # landmarks drawn anew may span fewer
    solved = whitened.solve(n_components=size, ridge=choice.ridge)
    scale = solved.correlations**choice.correlation_power
    return Projections(solved.means, tuple(w * scale for w in solved.weights), solved.correlations)


def _projected(solved: Projections, rows: Mapping[str, Float64Array]) -> dict[str, Float64Array]:
    """Rows in all K directions, (N_v, K) per view."""
    return {
        name: (x - mean) @ weights
        for (name, x), mean, weights in zip(rows.items(), solved.means, solved.weights, strict=True)
    }
