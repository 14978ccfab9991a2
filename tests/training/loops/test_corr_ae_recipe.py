"""Corr-AE: rebuilding and correspondence of a batch against loops."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
import torch

from models.errors import DataError
from tests.training.feature_sets import paired_features, unpaired_features, without_labels
from tests.training.loops.naive_losses import squared
from tests.training.loops.tiny_networks import (
    START,
    evaluated,
    outputs_of,
    problem_of,
    random_batch,
    tiny,
)
from training.datasets.disturb import drop_partners
from training.evaluation.protocol import INSTANCE, evaluate
from training.loops import corr_ae_recipe
from training.loops.batches import Batch
from training.loops.corr_ae_recipe import CorrAeConfig, fit_corr_ae
from training.loops.recipe import FitContext

QUIET = FitContext(progress=False)
DATA = paired_features(seed=0).for_selection()
CONFIG = tiny(CorrAeConfig, rebuild=0.7, dropout=0.0, input_dropout=0.0, epochs=12)


def _objective(dimensions=(6, 5), config=CONFIG):
    torch.manual_seed(0)
    data = paired_features(seed=0, dimensions=dimensions)
    return corr_ae_recipe._build(problem_of(data), config)


@pytest.mark.parametrize("dimensions", [(6, 5), (6, 5, 4)])
def test_the_loss_equals_loops_over_rows_and_partners(dimensions):
    objective = _objective(dimensions)
    batch = random_batch(seed=1, size=12, dimensions=dimensions)
    codes = outputs_of(objective, batch)
    x = {name: rows.tolist() for name, rows in batch.features.items()}

    def error(source, target, rows):
        given = torch.from_numpy(codes[source]).float()
        with torch.inference_mode():
            rebuilt = objective.network.rebuild(target, given).tolist()
        total = sum(0.5 * squared(rebuilt[i], x[target][i]) for i in rows)
        return total / len(rows) / len(x[target][0])

    crossed, apart = [], []
    for source, target in permutations(batch.names, 2):
        rows = [i for i in range(12) if batch.own[source][i] and batch.own[target][i]]
        crossed.append(error(source, target, rows))
        gaps = [squared(codes[source][i], codes[target][i]) / 3 for i in rows]
        apart.append(np.mean(gaps))
    own = [error(name, name, range(12)) for name in batch.names]
    assert evaluated(objective, batch) == {
        "own": pytest.approx(0.7 * np.mean(own), rel=1e-4),
        "crossed": pytest.approx(0.7 * np.mean(crossed), rel=1e-4),
        "apart": pytest.approx(0.3 * np.mean(apart), rel=1e-4),
    }


@pytest.mark.parametrize("n_pairs", [0, 1])
def test_a_batch_with_hardly_a_pair_rebuilds_its_own_rows(n_pairs):
    batch = random_batch(seed=2)
    own = {"audio": torch.ones(10, dtype=torch.bool), "visual": torch.arange(10) < n_pairs}
    objective = _objective(config=replace(CONFIG, normalisation="batch")).train()
    assert set(objective.loss(Batch(batch.features, batch.labels, own), START)) == {"own"}


def test_classes_are_not_looked_at():
    objective, batch = _objective(), random_batch(seed=3)
    other = {name: torch.full_like(labels, -1) for name, labels in batch.labels.items()}
    expected = evaluated(objective, batch)
    assert evaluated(objective, Batch(batch.features, other, batch.own)) == expected


def test_partners_are_found():
    space = fit_corr_ae(without_labels(DATA), CONFIG, QUIET).space
    for direction in evaluate(space, DATA, split="validation"):
        assert direction.scores.mrr > direction.chance.mrr or direction.protocol != INSTANCE


def test_training_works_when_half_of_the_partners_are_missing():
    data = drop_partners(DATA, share=0.5, seed=0)
    result = fit_corr_ae(data, CONFIG, QUIET)
    assert all(np.isfinite(t).all() for t in result.space.tensors().values())


def test_data_without_pairs_are_refused():
    with pytest.raises(DataError, match="corr-ae needs true pairs"):
        fit_corr_ae(unpaired_features(seed=0).for_selection(), CONFIG, QUIET)


@pytest.mark.parametrize("values", [{"rebuild": 1.5}, {"rebuild": -0.1}, {"epochs": 0}])
def test_settings_out_of_range_are_refused_by_name(values):
    with pytest.raises(DataError, match=next(iter(values))):
        tiny(CorrAeConfig, **values)
