"""ACMR: classes, triplets and modality of a batch against loops."""

from itertools import permutations

import numpy as np
import pytest
import torch

from models.errors import DataError
from tests.training.feature_sets import paired_features, unpaired_features, without_labels
from tests.training.loops.naive_losses import cross_entropy, triplets, unit
from tests.training.loops.tiny_networks import (
    evaluated,
    outputs_of,
    problem_of,
    random_batch,
    tiny,
)
from training.evaluation.protocol import CLASS, evaluate
from training.loops import acmr_recipe
from training.loops.acmr_recipe import AcmrConfig, fit_acmr
from training.loops.recipe import FitContext

QUIET = FitContext(progress=False)
DATA = paired_features(seed=0).for_selection()
CONFIG = tiny(
    AcmrConfig, classification=0.8, triplet=0.6, margin=0.4, adversary=0.3, dropout=0.0, epochs=6
)


def _objective(dimensions=(6, 5)):
    torch.manual_seed(0)
    data = paired_features(seed=0, dimensions=dimensions)
    return acmr_recipe._build(problem_of(data), CONFIG)


@pytest.mark.parametrize("dimensions", [(6, 5), (6, 5, 4)])
def test_the_loss_equals_loops_over_rows_and_triplets(dimensions):
    objective = _objective(dimensions)
    batch = random_batch(seed=1, size=10, dimensions=dimensions)
    outputs = outputs_of(objective, batch)
    heads = objective.network.classifier, objective.network.discriminator
    with torch.inference_mode():
        classes, views = (
            {n: head(torch.from_numpy(x).float()).tolist() for n, x in outputs.items()}
            for head in heads
        )
    rows = {name: unit(x) for name, x in outputs.items()}
    every = [logits for name in batch.names for logits in views[name]]
    numbers = [number for number in range(len(dimensions)) for _ in range(10)]
    of_class = [cross_entropy(classes[n], batch.labels[n].tolist()) for n in batch.names]
    of_triplets = [
        triplets(rows, batch, d, margin=0.4, active=True, exclude_partner=False)
        for d in permutations(batch.names, 2)
    ]
    assert evaluated(objective, batch) == {
        "class": pytest.approx(0.8 * np.mean(of_class), rel=1e-4),
        "triplet": pytest.approx(0.6 * np.mean(of_triplets), rel=1e-4),
        "modality": pytest.approx(0.3 * cross_entropy(every, numbers), rel=1e-4),
    }


def test_rows_of_unknown_class_teach_the_modality_only():
    parts = evaluated(_objective(), random_batch(seed=2, unknown=1.0))
    assert parts["class"] == parts["triplet"] == 0.0
    assert parts["modality"] > 0.0


@pytest.mark.parametrize("data", [DATA, unpaired_features(seed=0).for_selection()])
def test_classes_are_found_with_and_without_pairs(data):
    for direction in evaluate(fit_acmr(data, CONFIG, QUIET).space, data, split="validation"):
        assert direction.scores.map > direction.chance.map or direction.protocol != CLASS


def test_data_without_labels_are_refused():
    with pytest.raises(DataError, match="acmr needs labels"):
        fit_acmr(without_labels(DATA), CONFIG, QUIET)


@pytest.mark.parametrize(
    "values",
    [
        {"classification": -1.0},
        {"triplet": -1.0},
        {"adversary": -1.0},
        {"margin": 0.0},
        {"discriminator": ()},
        {"epochs": 0},
    ],
)
def test_settings_out_of_range_are_refused_by_name(values):
    with pytest.raises(DataError, match=next(iter(values))):
        tiny(AcmrConfig, **values)
