"""DCCA, DCCAE and C-DCCA: the loss of a batch, the closed form they approach, what they refuse."""

from dataclasses import replace
from itertools import combinations, count

import numpy as np
import pytest
import torch

from models.cca.linear_cca import fit_linear_cca
from models.deep_cca import DeepCCANetwork
from models.encoders.mlp import mlp_specification
from models.errors import DataError
from tests.training.feature_sets import paired_features, unpaired_features, without_labels
from tests.training.loops.naive_losses import (
    batch_correlation,
    corresponding_pairs,
    pair_covariances,
)
from tests.training.loops.tiny_networks import (
    evaluated,
    outputs_of,
    problem_of,
    random_batch,
    tiny,
)
from training.datasets.disturb import drop_partners
from training.loops import network_recipe
from training.loops.batches import Batch
from training.loops.deep_cca_recipe import (
    FEWEST_PAIRS,
    DeepCCA,
    DeepCCAConfig,
    batch_covariances,
    fit_cluster_dcca,
    fit_dcca,
    fit_dccae,
)
from training.loops.recipe import FitContext

QUIET = FitContext(progress=False)
DATA = paired_features(seed=0).for_selection()
LINEAR = tiny(
    DeepCCAConfig,
    hidden=(0,),
    outputs=3,
    dropout=0.0,
    input_dropout=0.0,
    weight_decay=0.0,
    ridge=1e-4,
    head_ridge=1e-4,
    batch_size=500,
    balanced=False,
    learning_rate=0.05,
    schedule="constant",
    epochs=80,
    patience=80,
    refit=False,
)


def _objective(dimensions, config, beta, decoders=False):
    torch.manual_seed(0)
    forward = {n: mlp_specification((d, config.outputs)) for n, d in dimensions.items()}
    back = {n: mlp_specification((config.outputs, d)) for n, d in dimensions.items()}
    return DeepCCA(DeepCCANetwork(forward, back if decoders else None), config, beta)


@pytest.mark.parametrize("beta", [0.0, 1.0])
@pytest.mark.parametrize("dimensions", [(6, 5), (6, 5, 4)])
def test_the_loss_is_minus_the_mean_correlation_over_all_pairs_of_views(beta, dimensions):
    batch = random_batch(seed=1, size=40, dimensions=dimensions)
    config = tiny(DeepCCAConfig, ridge=0.2)
    objective = _objective(dict(zip(batch.names, dimensions, strict=True)), config, beta)
    outputs = outputs_of(objective, batch)
    losses = [
        batch_correlation(outputs, batch, names, beta, k=3, ridge=0.2)
        for names in combinations(batch.names, 2)
    ]
    assert evaluated(objective, batch) == {"correlation": pytest.approx(np.mean(losses), rel=1e-4)}


def _covariances(batch, names, beta):
    found = batch_covariances(batch.features, batch, names, beta)
    assert found is not None
    return found


@pytest.mark.parametrize("beta", [0.0, 0.3, 1.0])
def test_covariances_equal_those_of_written_out_pairs(beta):
    names, batch = ("audio", "visual"), random_batch(seed=3, size=30)
    x, y = (batch.features[n].double().numpy() for n in names)
    found = _covariances(batch, names, beta)
    expected = pair_covariances(x, y, corresponding_pairs(batch, names, beta))
    for a, b in zip(found[:3], expected, strict=True):
        np.testing.assert_allclose(a.numpy(), b, rtol=1e-6, atol=1e-9)


def _with(batch, *, n_pairs=None, labels=None):
    size = len(batch.own["audio"])
    own = batch.own if n_pairs is None else dict.fromkeys(batch.names, torch.arange(size) < n_pairs)
    given = (
        batch.labels if labels is None else {n: torch.full((size,), x) for n, x in labels.items()}
    )
    return Batch(batch.features, given, own)


def test_a_batch_with_too_few_pairs_is_left_to_the_classes_or_to_nothing():
    names, batch = ("audio", "visual"), random_batch(seed=4, size=20)
    few, enough = _with(batch, n_pairs=FEWEST_PAIRS - 1), _with(batch, n_pairs=FEWEST_PAIRS)
    assert batch_covariances(batch.features, few, names, 1.0) is None
    assert batch_covariances(batch.features, enough, names, 1.0) is not None
    classes = _covariances(few, names, 0.0)
    for a, b in zip(_covariances(few, names, 0.5), classes, strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("labels", [{"audio": -1, "visual": -1}, {"audio": 0, "visual": 1}])
def test_a_batch_without_a_common_class_is_left_to_the_pairs_or_to_nothing(labels):
    names, batch = ("audio", "visual"), random_batch(seed=5, size=20)
    alone = _with(batch, n_pairs=20, labels=labels)
    assert batch_covariances(batch.features, alone, names, 0.0) is None
    pairs = _covariances(alone, names, 1.0)
    for a, b in zip(_covariances(alone, names, 0.5), pairs, strict=True):
        assert torch.equal(a, b)


def test_dccae_adds_the_squared_error_per_feature():
    batch = random_batch(seed=6, size=30)
    config = tiny(DeepCCAConfig, reconstruction=0.7)
    objective = _objective({"audio": 6, "visual": 5}, config, 1.0, decoders=True)
    found = evaluated(objective, batch)
    for name, x in batch.features.items():
        rebuilt = objective.network.decoders.of(name)(objective.encoders.of(name)(x))
        error = 0.0
        for row, wanted in zip(rebuilt.tolist(), x.tolist(), strict=True):
            error += sum(0.5 * (a - b) ** 2 for a, b in zip(row, wanted, strict=True)) / len(x)
        expected = 0.7 * error / x.shape[1]
        assert found[f"rebuild {name}"] == pytest.approx(expected, rel=1e-5)
    assert -1.0 <= found["correlation"] <= 0.0


def _noisy_data():
    """Views of more noise than signal, so that chance directions hardly correlate."""
    data = paired_features(seed=0, dimensions=(9, 8)).for_selection()
    rng = np.random.default_rng(1)
    for name, view in data.views.items():
        noise = rng.normal(size=view.features.shape).astype(np.float32)
        data.views[name] = replace(view, features=view.features + 3 * noise)
    return data, [view.features.astype(float) for view in problem_of(data).train.values()]


def test_linear_encoders_approach_the_closed_form():
    data, rows = _noisy_data()
    result = fit_dcca(data, LINEAR, QUIET)
    best = fit_linear_cca(rows, n_components=3, ridge=0.0).correlations.mean()
    reached = [-float(entry["correlation"]) for entry in result.history]
    assert reached[0] < best - 0.1
    assert best - 0.005 < reached[-1] <= best + 1e-6


def test_the_space_of_linear_encoders_is_that_of_closed_form_cca(monkeypatch):
    rising = count()
    monkeypatch.setattr(network_recipe, "validation_score", lambda *_, **__: float(next(rising)))
    data, rows = _noisy_data()
    config = replace(LINEAR, correlation_power=0.0, epochs=150, patience=150)
    space = fit_dcca(data, config, QUIET).space
    expected = fit_linear_cca(rows, n_components=3, ridge=0.0)
    for name, x, mean, weights in zip(
        ("audio", "visual"), rows, expected.means, expected.weights, strict=True
    ):
        wanted = (x - mean) @ weights
        wanted /= np.linalg.norm(wanted, axis=1, keepdims=True)
        found = space.project(name, data.views[name].only("train").features)
        assert np.abs(found @ found.T - wanted @ wanted.T).mean() < 0.05  # signs are free


def test_a_batch_too_small_to_learn_from_does_not_end_the_training():
    config = tiny(DeepCCAConfig, batch_size=116, epochs=2)  # 120 rows: 116 and 4
    result = fit_dcca(DATA, config, QUIET)
    assert all(np.isfinite(float(entry["loss"])) for entry in result.history)


def test_batches_that_are_all_too_small_are_refused():
    with pytest.raises(DataError, match="larger batch_size"):
        fit_dcca(DATA, tiny(DeepCCAConfig, batch_size=4), QUIET)


@pytest.mark.parametrize("fit", [fit_dcca, fit_dccae, fit_cluster_dcca])
def test_training_works_when_half_of_the_partners_are_missing(fit):
    data = drop_partners(DATA, share=0.5, seed=0)
    result = fit(data, tiny(DeepCCAConfig, batch_size=40), QUIET)
    assert all(np.isfinite(t).all() for t in result.space.tensors().values())


def test_cluster_dcca_uses_true_pairs_where_there_are_any():
    found = [
        fit_cluster_dcca(data, tiny(DeepCCAConfig, outputs=6, n_components=6, beta=0.5), QUIET)
        for data in (DATA, unpaired_features(seed=0).for_selection())
    ]
    assert [result.space.n_components for result in found] == [6, 3]  # C - 1 without pairs


@pytest.mark.parametrize("fit", [fit_dcca, fit_dccae])
def test_data_without_pairs_are_refused(fit):
    with pytest.raises(DataError, match=r"true pairs.*c-dcca"):
        fit(unpaired_features(seed=0).for_selection(), tiny(DeepCCAConfig), QUIET)


def test_data_without_labels_are_refused_by_cluster_dcca():
    with pytest.raises(DataError, match=r"c-dcca needs labels.*dcca"):
        fit_cluster_dcca(without_labels(DATA), tiny(DeepCCAConfig), QUIET)


@pytest.mark.parametrize(
    "values",
    [
        {"ridge": 0.0},
        {"head_ridge": -1.0},
        {"beta": 1.5},
        {"reconstruction": -1.0},
        {"correlation_power": -1.0},
        {"outputs": 2},
        {"dropout": 1.0},
    ],
)
def test_settings_out_of_range_are_refused_by_name(values):
    with pytest.raises(DataError, match=next(iter(values))):
        tiny(DeepCCAConfig, **values)
