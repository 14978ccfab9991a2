"""A search over the few real choices of a method, on the validation split."""

from dataclasses import fields, replace
from typing import Any

from tqdm import tqdm

from models.errors import DataError
from training.datasets.feature_data import FeatureData
from training.loops.recipe import FitContext, Recipe


def search_config(
    recipe: Recipe, data: FeatureData, config: Any, context: FitContext, *, trials: int
) -> Any:
    """Try settings of ``recipe.choices`` and return the configuration with the best ones.

    Optuna's tree-structured Parzen estimator proposes them; each trial is a fit without the refit,
    judged by its validation score. The first trial is the configuration as given.

    Args:
        recipe: The method; without choices the configuration comes back as it is.
        data: Without test rows.
        config: What is not searched, and the first trial.
        context: Seed and progress.
        trials: Number of fits, at least 1.

    Raises:
        DataError: If Optuna is not installed, trials is below 1, or no trial could be fitted.
    """
    if trials < 1:
        raise DataError(f"expected at least 1 trial of a search, got {trials}")
    if not recipe.choices:
        return config
    try:
        import optuna
    except ImportError as error:
        raise DataError(
            "expected Optuna for a search, found none; install it with pip install 'kyomei[search]'"
        ) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        direction="maximize", sampler=optuna.samplers.TPESampler(seed=context.seed)
    )
    first = {name: getattr(config, name) for name in recipe.choices}
    choices = {
        name: tuple(dict.fromkeys([*values, first[name]]))
        for name, values in recipe.choices.items()
    }
    study.enqueue_trial(first)
    failed: list[str] = []
    quiet = FitContext(seed=context.seed, progress=False)
    with tqdm(total=trials, desc="search", unit="fit", disable=not context.progress) as bar:

        def objective(trial: Any) -> float:
            chosen = {name: trial.suggest_categorical(name, v) for name, v in choices.items()}
            bar.update()
            try:
                result = recipe.fit(data, _without_refit(replace(config, **chosen)), quiet)
            except DataError as error:  # these settings cannot be fitted, others may
                failed.append(str(error))
                raise optuna.TrialPruned from error
            return float(result.parameters["validation_score"])

        study.optimize(objective, n_trials=trials)
    if len(failed) == trials:
        raise DataError(f"no setting of the search could be fitted: {failed[0]}")
    return replace(config, **study.best_params)


def _without_refit(config: Any) -> Any:
    names = {field.name for field in fields(config)}
    return replace(config, refit=False) if "refit" in names else config
