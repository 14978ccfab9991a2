"""The search over settings: validation rows decide, the first trial is what was given."""

import sys
from dataclasses import dataclass, field, replace

import pytest

from models.errors import DataError
from tests.contracts.space_examples import linear_space
from tests.training.feature_sets import paired_features
from training.loops.recipe import FitContext, FitResult, Recipe
from training.presets import method_of
from training.search import search_config

QUIET = FitContext(progress=False)
DATA = paired_features(seed=0)
SPACE = linear_space("cca", 0)  # what is fitted does not matter here


@dataclass(frozen=True)
class _Config:
    width: int = 3
    kind: str = "a"
    refit: bool = True


@dataclass
class _Watched:
    """A method whose score is a formula, so that the best setting is known."""

    seen: list[_Config] = field(default_factory=list)

    def fit(self, data, config, context):
        self.seen.append(config)
        score = config.width + (10.0 if config.kind == "b" else 0.0)
        return FitResult(SPACE, {"validation_score": score}, [])

    def recipe(self):
        return Recipe(_Config, self.fit, "", choices={"width": (1, 2), "kind": ("a", "b")})


def test_the_best_setting_is_found_and_keeps_what_was_not_searched():
    watched = _Watched()
    found = search_config(watched.recipe(), DATA, _Config(), QUIET, trials=12)
    assert found == _Config(3, "b", True)
    assert len(watched.seen) == 12


def test_the_first_trial_is_the_configuration_as_given_and_none_refits():
    watched = _Watched()
    search_config(watched.recipe(), DATA, _Config(width=7), QUIET, trials=2)
    assert watched.seen[0] == _Config(7, "a", False)
    assert not any(config.refit for config in watched.seen)


def test_settings_that_cannot_be_fitted_are_left_out():
    watched = _Watched()

    def fit(data, config, context):
        if config.kind == "b":
            raise DataError("b cannot be fitted")
        return watched.fit(data, config, context)

    recipe = replace(watched.recipe(), fit=fit)
    assert search_config(recipe, DATA, _Config(), QUIET, trials=12) == _Config(3, "a", True)
    with pytest.raises(DataError, match="no setting of the search could be fitted: b cannot"):
        search_config(
            replace(recipe, choices={"width": (1, 2)}), DATA, _Config(kind="b"), QUIET, trials=3
        )


def test_the_same_seed_tries_the_same_settings():
    tries = []
    for _ in range(2):
        watched = _Watched()
        search_config(watched.recipe(), DATA, _Config(), QUIET, trials=5)
        tries.append(watched.seen)
    assert tries[0] == tries[1]


def test_a_configuration_without_refit_is_searched_too():
    @dataclass(frozen=True)
    class Plain:
        width: int = 1

    def fit(data, config, context):
        return FitResult(SPACE, {"validation_score": config.width}, [])

    recipe = Recipe(Plain, fit, "", choices={"width": (1, 5)})
    assert search_config(recipe, DATA, Plain(), QUIET, trials=4) == Plain(5)


def test_a_method_without_choices_keeps_its_configuration():
    config = _Config()
    assert search_config(Recipe(_Config, _Watched().fit, ""), DATA, config, QUIET, trials=3) is (
        config
    )


def test_no_trial_is_refused():
    with pytest.raises(DataError, match="at least 1"):
        search_config(_Watched().recipe(), DATA, _Config(), QUIET, trials=0)


def test_without_optuna_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(DataError, match="kyomei\\[search\\]"):
        search_config(_Watched().recipe(), DATA, _Config(), QUIET, trials=1)


def test_a_real_method_is_searched_on_validation_rows():
    _, recipe, config = method_of("contrastive")
    small = replace(config, hidden=(8,), n_components=3, epochs=1, batch_size=64)
    data = paired_features(seed=0).for_selection()
    found = search_config(recipe, data, small, QUIET, trials=2)
    assert found.temperature in (0.05, 0.1, 0.2)
