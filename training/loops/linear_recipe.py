"""Fit CCA, cluster-CCA and mean-CCA: choices on the validation split, then a fit on both splits.

A fixed small ridge loses more than half of the MAP on small sets, so the ridge, the share of true
pairs, the number of components and the weight of the correlations are all chosen by what retrieves
best on the validation split. The test split is never touched.
"""

from models.cca.linear_space import LinearSpace, LinearView
from training.datasets.feature_data import FeatureData
from training.loops.linear_config import LinearChoice, LinearConfig
from training.loops.linear_problem import LinearProblem, StandardisedRows, fit_view_typicality
from training.loops.linear_search import best_setting, fit_setting, search_settings

__all__ = ["LinearChoice", "LinearConfig", "fit_linear_space"]


def fit_linear_space(
    method: str, data: FeatureData, config: LinearConfig, *, progress: bool = True
) -> tuple[LinearSpace, LinearChoice, list[LinearChoice]]:
    """Fit ``cca``, ``c-cca`` or ``mean-cca`` on the views of a data set.

    Args:
        method: ``cca`` (true pairs, no labels), ``c-cca`` (labels; true pairs where there are) or
            ``mean-cca`` (labels). Rows of label -1 count as pairs only.
        data: Train and validation rows are used, test rows are not looked at.
        config: What to try.
        progress: Show a bar.

    Returns:
        The space, the choice, and every setting that was tried.

    Raises:
        DataError: If the method lacks the pairs or labels it needs.
    """
    problem = LinearProblem(method, data)
    rows = StandardisedRows(problem.train)
    held_out = rows.of(problem.validation)
    tried = search_settings(problem, rows.fitted, held_out, config, progress=progress)
    best = best_setting(tried)
    fitted = problem.both if config.refit else problem.train
    rows = StandardisedRows(fitted)
    solved = fit_setting(problem, fitted, rows.fitted, best)
    maps = {}
    for name, mean, weights in zip(fitted, solved.means, solved.weights, strict=True):
        # the mean of the correspondences is folded into the standardisation
        standardiser = rows.standardisers[name].moved(mean)
        typicality = fit_view_typicality(problem, name, standardiser)
        maps[name] = LinearView(standardiser.mean, standardiser.scale, weights, typicality)
    return LinearSpace(method, problem.views(), maps), best, tried
