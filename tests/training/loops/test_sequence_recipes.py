"""Sequences: alignment and translation against loops; an item is embedded alone."""

from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np
import pytest
import torch

from models.attention import aligned_similarity
from models.errors import DataError
from tests.training.feature_sets import (
    paired_features,
    sequence_features,
    unpaired_features,
    without_labels,
)
from tests.training.loops.naive_losses import info_nce
from tests.training.loops.tiny_networks import (
    evaluated,
    outputs_of,
    problem_of,
    random_batch,
    tiny,
)
from training.evaluation.protocol import evaluate
from training.loops import sequence_recipes
from training.loops.batches import Batch
from training.loops.contrastive_terms import ContrastiveWeights, Halves, contrastive_parts
from training.loops.recipe import FitContext
from training.loops.sequence_recipes import (
    AttentionConfig,
    TransformerConfig,
    fit_attention,
    fit_transformer,
)

QUIET = FitContext(progress=False)
DATA = sequence_features(seed=0).for_selection()
SHAPES = ((4, 6), (3, 5))
COMMON = {
    "class_weight": 0.7,
    "pair_weight": 0.4,
    "temperature": 0.3,
    "n_components": 6,
    "dropout": 0.0,
}
CONFIGS = {
    "attention": tiny(AttentionConfig, alignment=0.6, **COMMON),
    "transformer": tiny(TransformerConfig, translation=0.8, layers=1, **COMMON),
}
FITS: dict[str, Any] = {"attention": fit_attention, "transformer": fit_transformer}


def _objective(method, data=DATA, **changes):
    torch.manual_seed(0)
    build = getattr(sequence_recipes, f"_build_{method}")
    config = replace(CONFIGS[method], **changes)
    return build(problem_of(data, sequences=True), config)


@pytest.mark.parametrize("method", FITS)
def test_the_contrastive_terms_are_those_of_the_embeddings(method):
    objective, batch = _objective(method), random_batch(seed=1, dimensions=SHAPES)
    outputs = {n: torch.from_numpy(x) for n, x in outputs_of(objective, batch).items()}
    expected = contrastive_parts(
        outputs, batch, ContrastiveWeights(0.7, 0.4, 0.3), Halves(3, 3, 0.6)
    )
    found = evaluated(objective, batch)
    for name, part in expected.items():
        assert found[name] == pytest.approx(float(part), rel=1e-4)


def test_the_alignment_is_the_contrast_of_partners_by_their_steps():
    objective, batch = _objective("attention"), random_batch(seed=2, size=8, dimensions=SHAPES)
    with torch.inference_mode():
        steps = {
            name: objective.eval().network.embed(name, x)[1] for name, x in batch.features.items()
        }
    losses = []
    for first, second in permutations(steps, 2):
        likeness = [
            [float(aligned_similarity(a[None], b[None])) / 0.3 for b in steps[second]]
            for a in steps[first]
        ]
        paired = batch.pairs(first, second).tolist()
        right = [[i] if own else [] for i, own in enumerate(paired)]
        losses.append(info_nce(likeness, right, [range(8)] * 8))
    expected = 0.6 * np.mean(losses)
    assert evaluated(objective, batch)["alignment"] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("shapes", [SHAPES, ((4, 6), 5)])
def test_the_translation_is_the_squared_error_of_the_written_features(shapes):
    data = sequence_features(seed=0)
    if shapes[1] == 5:  # one view of sequences, one of rows
        data.views["visual"] = paired_features(seed=0, n_rows=100).views["visual"]
    objective = _objective("transformer", data)
    batch = random_batch(seed=3, size=12, dimensions=shapes)
    network, losses = objective.eval().network, []
    for source, target in permutations(batch.names, 2):
        rows = batch.features[target].reshape(12, -1, batch.features[target].shape[-1])
        with torch.inference_mode():
            steps = network.embed(source, batch.features[source])[1]
            written = network.translate(steps, target, rows.shape[1])
        errors = [
            float((written[i] - rows[i]).square().mean())
            for i in range(12)
            if batch.corresponding(source, target)[i]
        ]
        losses.append(np.mean(errors))
    expected = 0.8 * np.mean(losses)
    assert evaluated(objective, batch)["translation"] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("method", FITS)
def test_a_batch_without_classes_and_pairs_has_no_loss(method):
    batch = random_batch(seed=4, dimensions=SHAPES, unknown=1.0, missing=1.0)
    assert set(evaluated(_objective(method), batch).values()) == {0.0}


@pytest.mark.parametrize(
    ("method", "changes"),
    [("attention", {"alignment": 0.0}), ("transformer", {"translation": 0.0})],
)
def test_a_weight_of_zero_leaves_the_term_of_the_steps_out(method, changes):
    parts = evaluated(_objective(method, **changes), random_batch(seed=5, dimensions=SHAPES))
    assert set(parts) == {"classes", "pairs"}


@pytest.mark.parametrize("method", FITS)
def test_an_item_is_embedded_alone(method):
    objective, batch = _objective(method), random_batch(seed=6, size=6, dimensions=SHAPES)
    expected = outputs_of(objective, batch)
    others = {name: x.clone() for name, x in batch.features.items()}
    for x in others.values():
        x[1:] = 7.0
    found = outputs_of(objective, Batch(others, batch.labels, batch.own))
    for name in batch.names:
        np.testing.assert_allclose(found[name][0], expected[name][0], atol=1e-6)
        assert not np.allclose(found[name][1], expected[name][1])


@pytest.mark.parametrize("method", FITS)
def test_a_row_of_the_space_depends_on_its_own_sequence_only(method):
    space = FITS[method](DATA, CONFIGS[method], QUIET).space
    assert space.views["audio"].steps == 4
    features = DATA.views["audio"].features[:5]
    expected = space.project("audio", features)
    changed = features.copy()
    changed[1:] *= -3.0
    found = space.project("audio", changed)
    np.testing.assert_array_equal(found[0], expected[0])
    assert not np.array_equal(found[1], expected[1])
    np.testing.assert_array_equal(space.project("audio", features[3:4])[0], expected[3])


@pytest.mark.parametrize("method", FITS)
def test_the_course_over_time_counts(method):
    space = FITS[method](DATA, CONFIGS[method], QUIET).space
    features = DATA.views["audio"].features[:5]
    pooled = np.repeat(features.mean(axis=1, keepdims=True), 4, axis=1)
    assert not np.allclose(
        space.project("audio", features), space.project("audio", pooled), atol=1e-3
    )


@pytest.mark.parametrize("method", FITS)
@pytest.mark.parametrize(
    "data",
    [
        pytest.param(DATA, id="sequences"),
        pytest.param(without_labels(DATA), id="pairs alone"),
        pytest.param(
            unpaired_features(seed=0).for_selection(),
            id="pooled rows, classes alone",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_it_learns_from_pairs_and_classes_of_sequences_and_rows(method, data):
    space = FITS[method](data, replace(CONFIGS[method], epochs=4), QUIET).space
    for direction in evaluate(space, data, split="train"):
        assert direction.scores.mrr > direction.chance.mrr


@pytest.mark.parametrize("method", FITS)
def test_data_without_labels_and_pairs_are_refused(method):
    data = without_labels(unpaired_features(seed=0)).for_selection()
    with pytest.raises(DataError, match=f"{method} needs labels"):
        FITS[method](data, CONFIGS[method], QUIET)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (AttentionConfig, {"heads": 0}),
        (AttentionConfig, {"width": 9}),
        (AttentionConfig, {"width": 0}),
        (AttentionConfig, {"alignment": -1.0}),
        (AttentionConfig, {"temperature": 0.0}),
        (TransformerConfig, {"layers": 0}),
        (TransformerConfig, {"translation": -1.0}),
        (TransformerConfig, {"width": 9}),
        (TransformerConfig, {"epochs": 0}),
    ],
)
def test_settings_out_of_range_are_refused_by_name(kind, values):
    with pytest.raises(DataError, match=next(iter(values))):
        tiny(kind, **values)
