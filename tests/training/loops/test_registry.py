"""The table of methods: what each entry says of itself is true of its configuration."""

from dataclasses import fields, is_dataclass, replace

import pytest

from models.errors import DataError
from models.spaces import SPACES
from training.loops.recipe import LABELS, PAIRS, FitContext
from training.loops.registry import RECIPES, recipe


@pytest.mark.parametrize("method", RECIPES)
def test_a_method_is_found_by_its_name(method):
    assert recipe(method) is RECIPES[method]


def test_an_unknown_method_is_refused_with_all_that_there_are():
    with pytest.raises(DataError, match="unknown method 'magic'") as caught:
        recipe("magic")
    assert all(repr(method) in str(caught.value) for method in RECIPES)


def test_every_method_gives_a_space_that_can_be_opened():
    assert set(RECIPES) <= set(SPACES)


@pytest.mark.parametrize("method", RECIPES)
def test_a_configuration_is_a_frozen_dataclass_of_defaults(method):
    kind = RECIPES[method].config
    assert is_dataclass(kind)
    usual = kind()
    assert usual == kind()
    with pytest.raises(AttributeError):
        setattr(usual, fields(kind)[0].name, None)


@pytest.mark.parametrize("method", RECIPES)
def test_the_choices_of_a_search_are_valid_values_of_its_fields(method):
    usual = RECIPES[method].config()
    for name, values in RECIPES[method].choices.items():
        assert len(set(values)) == len(values) > 1
        for value in values:
            assert type(value) is type(getattr(usual, name))
            replace(usual, **{name: value})


@pytest.mark.parametrize("method", RECIPES)
def test_a_recipe_says_what_it_needs_and_what_it_is(method):
    assert RECIPES[method].needs <= {PAIRS, LABELS}
    summary = RECIPES[method].summary
    assert 10 < len(summary) < 100
    assert "\n" not in summary


def test_a_fit_keeps_nothing_unless_it_is_told_where():
    assert FitContext() == FitContext(seed=0, progress=True, folder=None, resume=False)
