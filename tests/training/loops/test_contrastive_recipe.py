"""Contrastive learning: InfoNCE against loops, and the discriminator that encoders play against."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from models.errors import DataError
from tests.training.feature_sets import paired_features, unpaired_features, without_labels
from tests.training.loops.naive_losses import cross_entropy, info_nce, unit
from tests.training.loops.tiny_networks import (
    evaluated,
    outputs_of,
    problem_of,
    random_batch,
    tiny,
)
from training.datasets.disturb import drop_partners
from training.evaluation.protocol import embed_split, evaluate, validation_score
from training.loops import contrastive_recipe
from training.loops.adversarial_terms import modality_part
from training.loops.contrastive_recipe import (
    ContrastiveConfig,
    fit_adversarial_contrastive,
    fit_contrastive,
)
from training.loops.contrastive_terms import ContrastiveWeights, Halves, contrastive_parts
from training.loops.objective import Moment
from training.loops.recipe import FitContext
from training.losses.adversarial import reversal_weight

QUIET = FitContext(progress=False)
DATA = paired_features(seed=0).for_selection()
HALVES = Halves(1, 2, 0.25)
BOTH = ContrastiveWeights(classes=0.7, pairs=0.4, temperature=0.3)
CONFIG = tiny(
    ContrastiveConfig,
    class_weight=0.7,
    pair_weight=0.4,
    temperature=0.3,
    class_share=0.25,
    adversary=0.2,
    epochs=6,
)


def _rows(batch):
    return {name: unit(x.double().numpy()) for name, x in batch.features.items()}


@pytest.mark.parametrize("dimensions", [(4, 4), (4, 4, 4)])
def test_the_class_term_equals_a_loop_over_the_rows_of_all_views(dimensions):
    batch = random_batch(seed=1, size=10, dimensions=dimensions)
    every = np.concatenate(list(_rows(batch).values()))
    classes = [c for name in batch.names for c in batch.labels[name].tolist()]
    numbers = range(len(classes))
    positives = [[j for j in numbers if j != i and classes[i] == classes[j] != -1] for i in numbers]
    others = [
        [j for j in numbers if -1 not in (classes[i], classes[j]) and classes[i] != classes[j]]
        for i in numbers
    ]
    candidates = [right + wrong for right, wrong in zip(positives, others, strict=True)]
    expected = 0.7 * info_nce((every @ every.T / 0.3).tolist(), positives, candidates)
    found = contrastive_parts(batch.features, batch, BOTH)["classes"]
    assert float(found) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("dimensions", [(4, 4), (4, 4, 4)])
def test_the_pair_term_equals_a_loop_over_all_directions(dimensions):
    batch = random_batch(seed=2, size=10, dimensions=dimensions)
    rows, losses = _rows(batch), []
    for first in batch.names:
        for second in batch.names:
            if first != second:
                paired = batch.pairs(first, second).tolist()
                likeness = (rows[first] @ rows[second].T / 0.3).tolist()
                right = [[i] if own else [] for i, own in enumerate(paired)]
                losses.append(info_nce(likeness, right, [range(10)] * 10))
    found = contrastive_parts(batch.features, batch, BOTH)["pairs"]
    assert float(found) == pytest.approx(0.4 * np.mean(losses), rel=1e-4)


def test_a_weight_of_zero_leaves_its_term_out():
    batch = random_batch(seed=3)
    features = {name: x[:, :5] for name, x in batch.features.items()}
    for weights, names in (
        (ContrastiveWeights(1.0, 0.0, 0.1), {"classes"}),
        (ContrastiveWeights(0.0, 1.0, 0.1), {"pairs"}),
        (ContrastiveWeights(1.0, 1.0, 0.1), {"classes", "pairs"}),
    ):
        assert set(contrastive_parts(features, batch, weights)) == names


def test_a_batch_without_classes_and_pairs_has_no_loss():
    batch = random_batch(seed=4, dimensions=(4, 4), unknown=1.0, missing=1.0)
    found = contrastive_parts(batch.features, batch, BOTH)
    assert {name: float(part) for name, part in found.items()} == {"classes": 0.0, "pairs": 0.0}


def test_classes_and_partners_each_see_their_half():
    batch = random_batch(seed=5, dimensions=(4, 4))
    found = contrastive_parts(batch.features, batch, BOTH, Halves(1, 3, 0.5))
    for name, part in (("classes", slice(0, 1)), ("pairs", slice(1, 4))):
        rows = {view: x[:, part] for view, x in batch.features.items()}
        assert float(found[name]) == float(contrastive_parts(rows, batch, BOTH)[name])


@pytest.mark.parametrize(
    ("data", "changes", "expected"),
    [
        (DATA, {}, HALVES),
        (DATA, {"class_share": 0.0}, None),
        (DATA, {"n_components": 1}, None),
        (DATA, {"pair_weight": 0.0}, None),
        (without_labels(DATA), {}, None),
        (unpaired_features(seed=0), {}, None),
        (drop_partners(DATA, share=0.3, seed=0), {}, HALVES),
        (drop_partners(DATA, share=0.9, seed=0), {}, None),
    ],
    ids=[
        "both",
        "no share",
        "one component",
        "pairs of no weight",
        "pairs",
        "labels",
        "most",
        "few",
    ],
)
def test_components_are_shared_out_where_there_are_both(data, changes, expected):
    torch.manual_seed(0)
    objective = contrastive_recipe._build_plain(problem_of(data), replace(CONFIG, **changes))
    assert objective.halves == expected
    assert (objective.closing is None) == (expected is None)


def test_the_space_gives_each_half_its_share():
    space = fit_contrastive(DATA, CONFIG, QUIET).space
    rows = space.project("audio", DATA.views["audio"].features)
    np.testing.assert_allclose(np.square(rows[:, :1]).sum(axis=1), 0.25, rtol=1e-5)
    np.testing.assert_allclose(np.square(rows[:, 1:]).sum(axis=1), 0.75, rtol=1e-5)


def test_what_is_validated_is_the_space():
    result = fit_contrastive(DATA, replace(CONFIG, refit=False, patience=6), QUIET)
    views = {name: view.only("validation") for name, view in DATA.views.items()}
    embedded = embed_split(result.space, DATA, "validation")
    found = validation_score(embedded, views, use_labels=True)
    assert found == pytest.approx(result.parameters["validation_score"], abs=2e-6)


def _adversarial(data=DATA):
    torch.manual_seed(0)
    return contrastive_recipe._build_adversarial(problem_of(data), CONFIG)


def test_the_loss_is_that_of_the_outputs():
    torch.manual_seed(0)
    objective = contrastive_recipe._build_plain(problem_of(DATA), CONFIG)
    batch = random_batch(seed=5)
    outputs = {n: torch.from_numpy(x) for n, x in outputs_of(objective, batch).items()}
    parts = contrastive_parts(outputs, batch, BOTH, HALVES)
    expected = {n: float(x) for n, x in parts.items()}
    assert evaluated(objective, batch) == pytest.approx(expected, rel=1e-4)


def test_the_modality_term_is_the_cross_entropy_of_the_discriminator():
    objective, batch = _adversarial(), random_batch(seed=6)
    every = np.concatenate(list(outputs_of(objective, batch).values()))
    with torch.inference_mode():
        logits = objective.network.discriminator(torch.from_numpy(every).float()).tolist()
    expected = 0.2 * cross_entropy(logits, [0] * 10 + [1] * 10)
    assert evaluated(objective, batch)["modality"] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("progress", [0.0, 0.3, 0.9])
def test_encoders_get_the_gradient_reversed_and_the_discriminator_as_it_is(progress):
    torch.manual_seed(0)
    discriminator = torch.nn.Linear(3, 2)
    outputs = {n: torch.randn(5, 3, requires_grad=True) for n in ("audio", "visual")}
    part = modality_part(discriminator, outputs, weight=0.5, progress=progress)
    reversed_, own = torch.autograd.grad(part, [outputs["audio"], discriminator.weight])
    plain = 0.5 * torch.nn.functional.cross_entropy(
        discriminator(torch.cat(list(outputs.values()))), torch.tensor([0] * 5 + [1] * 5)
    )
    expected, expected_own = torch.autograd.grad(plain, [outputs["audio"], discriminator.weight])
    torch.testing.assert_close(reversed_, -reversal_weight(progress) * expected)
    torch.testing.assert_close(own, expected_own)


def test_the_reversal_grows_with_the_progress_of_training():
    objective, batch = _adversarial().eval(), random_batch(seed=7)
    weight = next(objective.encoders.parameters())
    gradients = []
    for progress in (0.0, 0.5):
        part = objective.loss(batch, Moment(progress, 0))["modality"]
        gradients.append(torch.autograd.grad(part, weight)[0].abs().max().item())
    assert gradients[0] == 0.0
    assert gradients[1] > 0.0


@pytest.mark.parametrize("fit", [fit_contrastive, fit_adversarial_contrastive])
@pytest.mark.parametrize(
    "data",
    [DATA, without_labels(DATA), unpaired_features(seed=0).for_selection()],
    ids=["both", "pairs", "labels"],
)
def test_labels_pairs_or_both_are_enough(fit, data):
    space = fit(data, replace(CONFIG, n_components=6, class_share=0.5), QUIET).space
    for direction in evaluate(space, data, split="validation"):
        assert direction.scores.mrr > direction.chance.mrr


def test_the_discriminator_is_no_part_of_the_space():
    plain, adversarial = (
        fit(DATA, replace(CONFIG, epochs=1), QUIET).space.tensors()
        for fit in (fit_contrastive, fit_adversarial_contrastive)
    )
    assert plain.keys() == adversarial.keys()


@pytest.mark.parametrize(
    ("data", "changes"),
    [
        (without_labels(unpaired_features(seed=0)), {}),
        (without_labels(DATA), {"pair_weight": 0.0}),
        (unpaired_features(seed=0), {"class_weight": 0.0}),
        (DATA, {"class_weight": 0.0, "pair_weight": 0.0}),
    ],
    ids=["neither", "pairs of no weight", "labels of no weight", "no weights"],
)
def test_nothing_to_learn_from_is_refused(data, changes):
    with pytest.raises(DataError, match="contrastive learning needs labels"):
        fit_contrastive(data.for_selection(), replace(CONFIG, **changes), QUIET)


@pytest.mark.parametrize(
    "values",
    [
        {"class_weight": -1.0},
        {"pair_weight": -1.0},
        {"temperature": 0.0},
        {"class_share": 1.0},
        {"class_share": -0.1},
        {"adversary": -0.1},
        {"discriminator": ()},
        {"discriminator": (4, 0)},
        {"epochs": 0},
    ],
)
def test_settings_out_of_range_are_refused_by_name(values):
    with pytest.raises(DataError, match=next(iter(values))):
        tiny(ContrastiveConfig, **values)
