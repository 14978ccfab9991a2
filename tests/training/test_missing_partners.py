"""Methods for items that lack a modality: MAP against the share of missing partners, and noise."""

from dataclasses import replace

import numpy as np
import pytest

from tests.training.feature_sets import paired_features
from training.datasets.disturb import add_noise, drop_partners
from training.evaluation.protocol import CLASS, evaluate
from training.loops.recipe import FitContext
from training.presets import method_of

METHODS = ("vae-cca", "tnn-c-cca")
DATA = paired_features(seed=0, n_rows=400)


def _class_map(space, data):
    found = [d for d in evaluate(space, data) if d.protocol == CLASS]
    return (
        np.mean([d.scores.map for d in found]),
        np.mean([d.chance.map for d in found]),
    )


def _fitted(method, data):
    _, recipe, config = method_of(method)
    small = replace(config, hidden=(32,), n_components=4, epochs=15, refit=False)
    small = replace(small, dropout=0.1, input_dropout=0.0)
    return recipe.fit(data.for_selection(), small, FitContext(progress=False)).space


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_map_falls_little_with_the_share_of_missing_partners(method):
    found = [
        _class_map(_fitted(method, drop_partners(DATA, share=share, seed=0)), DATA)
        for share in (0.0, 0.5, 1.0)
    ]
    whole, chance = found[0]
    assert whole > 2 * chance
    for value, _ in found[1:]:  # labels relate the views even where no item has both
        assert value > chance + 0.7 * (whole - chance)


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_map_falls_with_noise_on_the_queries_and_little_noise_costs_little(method):
    space = _fitted(method, DATA)
    values, chance = [], 0.0
    for level in (0.0, 0.25, 4.0):
        value, chance = _class_map(space, add_noise(DATA, level=level, seed=0, splits=("test",)))
        values.append(value)
    assert values[0] > values[2] > chance
    assert values[1] > chance + 0.8 * (values[0] - chance)
