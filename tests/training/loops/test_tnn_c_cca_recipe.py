"""TNN-C-CCA: triplets against a loop over all of them, three orders, the published settings."""

from dataclasses import replace
from itertools import combinations, permutations
from pathlib import Path

import numpy as np
import pytest
import torch

import training
from models.encoders.affine import Affine
from models.encoders.chain import Chain
from models.encoders.mlp import MLP
from models.errors import DataError
from tests.training.feature_sets import paired_features, unpaired_features, without_labels
from tests.training.loops.naive_losses import (
    batch_correlation,
    partner_triplets,
    triplets,
    unit,
)
from tests.training.loops.tiny_networks import (
    evaluated,
    outputs_of,
    problem_of,
    random_batch,
    tiny,
)
from training.config import load_config
from training.datasets.disturb import drop_partners
from training.evaluation.protocol import CLASS, evaluate
from training.loops import tnn_c_cca_recipe
from training.loops.heads import HeadOptions, correlation_head
from training.loops.recipe import FitContext
from training.loops.tnn_c_cca_recipe import (
    CCA_FIRST,
    CCA_LAST,
    END_TO_END,
    ORDERS,
    TripletConfig,
    anchor_view,
    fit_tnn_c_cca,
)

QUIET = FitContext(progress=False)
DATA = paired_features(seed=0).for_selection()
CONFIGS = Path(training.__file__).parent / "configs"
PUBLISHED = load_config(TripletConfig, CONFIGS / "tnn_c_cca_published.toml")
PLAIN = {
    "order": END_TO_END,
    "margin": 0.4,
    "mining": "all",
    "both_directions": True,
    "within_views": False,
    "exclude_partner": False,
    "normalise": True,
    "pair_weight": 0.0,
    "correlation_weight": 0.0,
    "beta": 0.2,
    "ridge": 0.5,
    "cca_components": 3,
}


def _objective(config, data=DATA):
    torch.manual_seed(0)
    return tnn_c_cca_recipe._build(problem_of(data), config)


def _settings(**changes):
    return tiny(TripletConfig, **{**PLAIN, **changes})


@pytest.mark.parametrize("both", [True, False])
@pytest.mark.parametrize("within", [True, False])
@pytest.mark.parametrize("exclude", [True, False])
@pytest.mark.parametrize("mining", ["all", "active"])
def test_class_triplets_equal_a_loop_over_all_of_them(both, within, exclude, mining):
    config = _settings(
        both_directions=both, within_views=within, exclude_partner=exclude, mining=mining
    )
    objective, batch = _objective(config), random_batch(seed=1, size=12)
    rows = {name: unit(x) for name, x in outputs_of(objective, batch).items()}
    directions = [*permutations(rows, 2), *([(n, n) for n in rows] if within else [])]
    directions = [d for d in directions if both or d[0] == "audio"]
    expected = np.mean(
        [
            triplets(rows, batch, d, margin=0.4, active=mining == "active", exclude_partner=exclude)
            for d in directions
        ]
    )
    assert evaluated(objective, batch)["triplet"] == pytest.approx(expected, rel=1e-4)


def test_triplets_of_three_views_are_the_mean_over_all_directions():
    data = paired_features(seed=0, dimensions=(6, 5, 4)).for_selection()
    objective = _objective(_settings(), data)
    batch = random_batch(seed=2, size=10, dimensions=(6, 5, 4))
    rows = {name: unit(x) for name, x in outputs_of(objective, batch).items()}
    expected = np.mean(
        [
            triplets(rows, batch, d, margin=0.4, active=False, exclude_partner=False)
            for d in permutations(rows, 2)
        ]
    )
    assert evaluated(objective, batch)["triplet"] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("both", [True, False])
def test_partner_triplets_equal_a_loop_over_all_of_them(both):
    config = _settings(pair_weight=0.7, both_directions=both, within_views=True)
    objective, batch = _objective(config), random_batch(seed=3, size=12)
    rows = {name: unit(x) for name, x in outputs_of(objective, batch).items()}
    directions = [("audio", "visual"), *([("visual", "audio")] if both else [])]
    expected = 0.7 * np.mean([partner_triplets(rows, batch, d, margin=0.4) for d in directions])
    assert evaluated(objective, batch)["partner"] == pytest.approx(expected, rel=1e-4)


def test_the_correlation_of_end_to_end_is_that_of_the_outputs():
    config = _settings(correlation_weight=0.6, cca_components=2, beta=0.3)
    objective, batch = _objective(config), random_batch(seed=4, size=30)
    outputs = outputs_of(objective, batch)
    (names,) = combinations(batch.names, 2)
    expected = 0.6 * batch_correlation(outputs, batch, names, 0.3, k=2, ridge=0.5)
    assert evaluated(objective, batch)["correlation"] == pytest.approx(expected, rel=1e-3)


def test_outputs_that_are_not_normalised_are_compared_as_they_are():
    objective = _objective(_settings(normalise=False))
    batch = random_batch(seed=5, size=12)
    rows = outputs_of(objective, batch)
    expected = np.mean(
        [
            triplets(rows, batch, d, margin=0.4, active=False, exclude_partner=False)
            for d in permutations(rows, 2)
        ]
    )
    assert evaluated(objective, batch)["triplet"] == pytest.approx(expected, rel=1e-4)


def test_a_batch_of_unknown_classes_and_no_pairs_has_no_loss():
    config = _settings(pair_weight=1.0, correlation_weight=1.0, within_views=True)
    objective = _objective(config, unpaired_features(seed=0))
    batch = random_batch(seed=6, size=12, unknown=1.0, missing=1.0)
    parts = objective.loss(batch, None)
    assert {name: float(part.detach()) for name, part in parts.items()} == dict.fromkeys(parts, 0.0)
    torch.stack(list(parts.values())).sum().backward()  # and a gradient of zeros


def test_the_published_settings_are_those_of_the_paper_and_its_code():
    config = PUBLISHED
    assert (config.order, config.cca_components, config.n_components) == (CCA_FIRST, 10, 10)
    assert (config.hidden, config.activation) == ((100, 100, 100), "tanh")
    assert (config.margin, config.mining, config.learning_rate) == (0.5, "all", 1e-3)
    assert (config.both_directions, config.within_views) == (False, False)
    assert (config.exclude_partner, config.normalise) == (True, False)
    assert (config.pair_weight, config.weight_decay, config.schedule) == (0.0, 0.0, "constant")
    assert (config.last_activation, config.initial) == ("tanh-sigmoid", "released")


def test_the_published_loss_is_batch_all_from_audio_to_visual_without_the_own_partner():
    objective, batch = _objective(PUBLISHED), random_batch(seed=7, size=12)
    rows = outputs_of(objective, batch)
    assert all(x.min() > 0.26 and x.max() < 0.74 for x in rows.values())
    expected = triplets(
        rows, batch, ("audio", "visual"), margin=0.5, active=False, exclude_partner=True
    )
    assert evaluated(objective, batch) == {"triplet": pytest.approx(expected, rel=1e-4)}


def test_inner_layers_of_the_published_network_start_small_and_the_others_as_usual():
    released = _objective(PUBLISHED)
    usual = _objective(replace(PUBLISHED, initial="default"))
    for name in ("audio", "visual"):
        layers = _linear_layers(released, name)
        assert torch.equal(layers[0].weight, _linear_layers(usual, name)[0].weight)
        for layer in layers[1:3]:
            assert float(layer.weight.detach().std()) == pytest.approx(0.05, rel=0.05)
            assert not layer.bias.any()


def test_the_published_settings_train():
    config = replace(PUBLISHED, epochs=2, batch_size=40)
    result = fit_tnn_c_cca(DATA, config, QUIET)
    assert result.space.n_components == 10
    assert result.history[0]["learning_rate"] == 1e-3


def _linear_layers(objective, name):
    modules = objective.encoders.of(name).modules()
    return [module for module in modules if isinstance(module, torch.nn.Linear)]


@pytest.mark.parametrize("data", [DATA, unpaired_features(seed=0).for_selection()])
def test_cca_first_begins_with_the_cluster_cca_of_the_training_rows(data):
    config = _settings(order=CCA_FIRST, cca_components=2, beta=0.4)
    objective = _objective(config, data)
    problem = problem_of(data)
    beta = 0.4 if problem.paired else 0.0
    rows = {name: view.features for name, view in problem.train.items()}
    front = correlation_head(rows, problem.train, HeadOptions(2, 0.5, beta, power=0.0))
    for number, name in enumerate(rows):
        chain = objective.encoders.of(name)
        assert isinstance(chain, Chain)
        first, second = chain.stages
        assert isinstance(first, Affine)
        assert isinstance(second, MLP)
        found = first(torch.from_numpy(rows[name])).numpy()
        expected = (rows[name] - front.means[number]) @ front.weights[number]
        np.testing.assert_allclose(found, expected, atol=1e-4)
    assert all(".stages.1." in name for name, _ in objective.named_parameters())


def test_cca_last_ends_with_the_cluster_cca_of_the_outputs():
    config = _settings(order=CCA_LAST, n_components=4, refit=False, epochs=1)
    data = unpaired_features(seed=0).for_selection()
    assert _objective(config, data).has_head
    space = fit_tnn_c_cca(data, config, QUIET).space
    assert space.n_components == 3  # C - 1 without pairs
    assert not _objective(_settings(order=CCA_FIRST)).has_head
    assert not _objective(_settings(order=END_TO_END)).has_head


@pytest.mark.parametrize("order", [CCA_FIRST, CCA_LAST])
def test_only_end_to_end_has_the_correlation_in_its_loss(order):
    config = _settings(correlation_weight=1.0, order=order)
    batch = random_batch(seed=8, size=30)
    assert "correlation" not in evaluated(_objective(config), batch)
    config = replace(config, order=END_TO_END)
    assert "correlation" in evaluated(_objective(config), batch)


@pytest.mark.parametrize("order", ORDERS)
def test_every_order_finds_classes_above_chance(order):
    config = _settings(order=order, correlation_weight=0.5, epochs=6, within_views=True)
    space = fit_tnn_c_cca(DATA, config, QUIET).space
    for direction in evaluate(space, DATA, split="validation"):
        assert direction.scores.map > direction.chance.map or direction.protocol != CLASS


@pytest.mark.parametrize("order", ORDERS)
def test_training_works_when_half_of_the_partners_are_missing(order):
    data = drop_partners(paired_features(seed=0), share=0.5, seed=0).for_selection()
    config = _settings(order=order, pair_weight=1.0, correlation_weight=0.5, exclude_partner=True)
    result = fit_tnn_c_cca(data, config, QUIET)
    assert all(np.isfinite(t).all() for t in result.space.tensors().values())


def test_the_anchor_is_audio_or_the_first_view_or_the_one_that_is_named():
    assert anchor_view(["visual", "audio"], "auto") == "audio"
    assert anchor_view(["visual", "text"], "auto") == "visual"
    assert anchor_view(["visual", "text"], "text") == "text"
    with pytest.raises(
        DataError, match=r"anchor_view of \['visual', 'text'\] or auto, got 'audio'"
    ):
        anchor_view(["visual", "text"], "audio")


def test_a_named_anchor_turns_the_direction_round():
    config = _settings(both_directions=False, anchor_view="visual")
    objective, batch = _objective(config), random_batch(seed=9, size=12)
    rows = {name: unit(x) for name, x in outputs_of(objective, batch).items()}
    expected = triplets(
        rows, batch, ("visual", "audio"), margin=0.4, active=False, exclude_partner=False
    )
    assert evaluated(objective, batch)["triplet"] == pytest.approx(expected, rel=1e-4)


def test_data_without_labels_are_refused():
    with pytest.raises(DataError, match="tnn-c-cca needs labels"):
        fit_tnn_c_cca(without_labels(DATA), _settings(), QUIET)


@pytest.mark.parametrize(
    "values",
    [
        {"order": "cca-never"},
        {"mining": "easy"},
        {"initial": "zero"},
        {"margin": 0.0},
        {"ridge": 0.0},
        {"pair_weight": -1.0},
        {"correlation_weight": -1.0},
        {"beta": 1.1},
        {"cca_components": 0},
        {"last_activation": "square"},
        {"epochs": 0},
    ],
)
def test_settings_out_of_range_are_refused_by_name(values):
    with pytest.raises(DataError, match=next(iter(values))):
        _settings(**values)
