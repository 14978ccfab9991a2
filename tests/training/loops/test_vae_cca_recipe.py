"""VAE-CCA: the released loss and the paper's against loops, missing and noisy modalities."""

import math
from dataclasses import replace
from itertools import combinations, permutations
from pathlib import Path

import numpy as np
import pytest
import torch

import training
from models.errors import DataError
from tests.training.feature_sets import paired_features, unpaired_features, without_labels
from tests.training.loops.naive_losses import batch_correlation, cross_entropy, squared
from tests.training.loops.tiny_networks import START, evaluated, problem_of, random_batch, tiny
from training.config import load_config
from training.datasets.disturb import add_noise, drop_partners
from training.evaluation.protocol import evaluate
from training.loops import vae_cca_recipe
from training.loops.batches import Batch
from training.loops.recipe import FitContext
from training.loops.vae_cca_recipe import PAPER, RELEASED, VaeCcaConfig, fit_vae_cca
from training.presets import method_of

QUIET = FitContext(progress=False)
DATA = paired_features(seed=0).for_selection()
CONFIGS = Path(training.__file__).parent / "configs"
WEIGHTS = {
    "elbo": 0.3,
    "kl": 0.7,
    "cross": 0.5,
    "paired_correlation": 0.9,
    "category_correlation": 0.8,
    "classification": 0.6,
    "likeness": 0.4,
    "pair": 0.2,
    "centre": 0.1,
    "ridge": 0.2,
    "beta": 0.5,
}


def _settings(**changes):
    values = {"dropout": 0.0, "input_dropout": 0.0, "normalisation": "none", **WEIGHTS}
    return tiny(VaeCcaConfig, **{**values, **changes})


def _objective(config, data=DATA):
    torch.manual_seed(0)
    return vae_cca_recipe._build(problem_of(data), config)


class _Numbers:
    """What the network makes of a batch, as NumPy arrays, with the noise that it draws."""

    def __init__(self, objective, batch, seed):
        objective.eval()
        network = objective.network
        torch.manual_seed(seed)
        self.names, self.batch, self.network = batch.names, batch, network
        with torch.inference_mode():
            latents = {n: network.inference(n, x) for n, x in batch.features.items()}
            drawn = {n: torch.randn_like(latent.mean) for n, latent in latents.items()}
            self.mean = {n: latent.mean.double().numpy() for n, latent in latents.items()}
            self.log_variance = {n: x.log_variance.double().numpy() for n, x in latents.items()}
            self.z = {
                n: self.mean[n] + drawn[n].numpy() * np.exp(self.log_variance[n] / 2)
                for n in batch.names
            }
            classes = 0 if network.classifier is None else network.classifier.out_features
            self.centres = {n: torch.randn(classes, drawn[n].shape[1]).numpy() for n in drawn}
        self.x = {n: x.double().numpy() for n, x in batch.features.items()}
        self.labels = {n: x.tolist() for n, x in batch.labels.items()}

    def rebuilt(self, source, target):
        with torch.inference_mode():
            return self.network.generative(target, torch.from_numpy(self.z[source]).float()).numpy()

    def scores(self, name):
        with torch.inference_mode():
            return self.network.classifier(torch.from_numpy(self.z[name]).float()).numpy()

    def divergence(self, name):
        """Sum over the latent dimensions, mean over the items."""
        rows = zip(self.mean[name], self.log_variance[name], strict=True)
        total = 0.0
        for means, logs in rows:
            for m, v in zip(means, logs, strict=True):
                total += 0.5 * (math.exp(v) + m * m - 1.0 - v)
        return total / len(self.mean[name])

    def error(self, source, target, rows=None):
        """Sum over the features of the squares, mean over the items."""
        rows = range(len(self.x[target])) if rows is None else rows
        rebuilt = self.rebuilt(source, target)
        return sum(squared(rebuilt[i], self.x[target][i]) for i in rows) / len(rows)


def _parts(objective, batch, seed):
    torch.manual_seed(seed)
    return evaluated(objective, batch)


@pytest.fixture
def released():
    objective = _objective(_settings(loss=RELEASED, share_latent=True))
    batch = random_batch(seed=1, size=12, unknown=0.0, missing=0.0)
    return _parts(objective, batch, 5), _Numbers(objective, batch, 5)


def test_the_released_lower_bound_is_a_sum_per_item_of_both_terms(released):
    parts, n = released
    expected = sum(n.error(v, v) + 0.7 * n.divergence(v) for v in n.names)
    assert parts["lower bound"] == pytest.approx(0.3 * expected, rel=1e-4)


def test_the_released_class_term_is_the_distance_to_one_hot_rows(released):
    parts, n = released
    total = 0.0
    for name in n.names:
        scores = n.scores(name)
        for row, label in zip(scores, n.labels[name], strict=True):
            wanted = [float(c == label) for c in range(len(row))]
            total += math.sqrt(squared(row, wanted)) / len(scores)
    assert parts["class"] == pytest.approx(0.6 * total, rel=1e-4)


def test_the_released_likeness_is_over_both_views_and_between_them(released):
    parts, n = released
    total = 0.0
    for a, b in (("visual", "visual"), ("visual", "audio"), ("audio", "audio")):
        terms = []
        for u, label_u in zip(n.z[a], n.labels[a], strict=True):
            for w, label_w in zip(n.z[b], n.labels[b], strict=True):
                p, q = u - u.mean(), w - w.mean()
                t = p @ q / math.sqrt((p @ p) * (q @ q)) / 2
                terms.append(math.log(1 + math.exp(t)) - (t if label_u == label_w else 0.0))
        total += sum(terms) / len(terms)
    assert parts["likeness"] == pytest.approx(0.4 * total, rel=1e-4)


def test_the_released_pair_term_is_the_distance_of_partners(released):
    parts, n = released
    pairs = zip(n.z["audio"], n.z["visual"], strict=True)
    total = sum(math.sqrt(squared(u, w)) for u, w in pairs) / len(n.z["audio"])
    assert parts["pair"] == pytest.approx(0.2 * total, rel=1e-4)


def test_the_released_centres_are_drawn_anew_and_weighted_by_the_class_counts(released):
    parts, n = released
    total = 0.0
    for name in n.names:
        labels = n.labels[name]
        for u, label in zip(n.z[name], labels, strict=True):
            share = squared(u, n.centres[name][label]) / labels.count(label) / len(labels)
            total += 0.5 * (0.5 / 2) * share
    assert parts["centre"] == pytest.approx(0.1 * total, rel=1e-4)


def test_the_released_network_has_one_latent_layer_for_all_views():
    shared = _objective(_settings(loss=RELEASED, share_latent=True)).network
    own = _objective(_settings(loss=RELEASED, share_latent=False)).network
    for network, is_one in ((shared, True), (own, False)):
        layers = [network.encoders.of(name).stages[1] for name in ("audio", "visual")]
        assert (layers[0] is layers[1]) == is_one
        assert (network.log_variances[0] is network.log_variances[1]) == is_one


def test_the_released_settings_train():
    config = load_config(VaeCcaConfig, CONFIGS / "vae_cca_released.toml")
    assert (config.loss, config.share_latent, config.latent) == (RELEASED, True, 64)
    weights = (config.elbo, config.classification, config.likeness, config.pair, config.centre)
    assert weights == (1e-4, 1.0, 1e-3, 0.1, 0.01)
    result = fit_vae_cca(DATA, replace(config, epochs=2, hidden=(8,)), QUIET)
    assert result.space.n_components == 64
    assert {"lower bound", "class", "likeness", "pair", "centre"} <= set(result.history[0])


@pytest.fixture
def paper():
    objective = _objective(_settings(loss=PAPER))
    batch = random_batch(seed=2, size=40)
    return _parts(objective, batch, 6), _Numbers(objective, batch, 6)


def test_the_lower_bound_of_the_paper_is_a_sum_per_item_over_the_features(paper):
    parts, n = paper
    terms = [(0.5 * n.error(v, v) + 0.7 * n.divergence(v)) / n.x[v].shape[1] for v in n.names]
    assert parts["lower bound"] == pytest.approx(0.3 * np.mean(terms), rel=1e-4)


def test_the_lower_bound_is_that_of_the_distributions():
    batch = random_batch(seed=3, size=10, dimensions=(6, 6))
    objective = _objective(_settings(kl=1.0, elbo=1.0), paired_features(seed=0, dimensions=(6, 6)))
    found = _parts(objective, batch, 7)["lower bound"]
    n = _Numbers(objective, batch, 7)
    standard = torch.distributions.Normal(0.0, 1.0)
    bounds = []
    for name in n.names:
        posterior = torch.distributions.Normal(
            torch.from_numpy(n.mean[name]), torch.from_numpy(n.log_variance[name] / 2).exp()
        )
        kl = torch.distributions.kl_divergence(posterior, standard).sum(dim=1)
        rebuilt = torch.from_numpy(n.rebuilt(name, name)).double()
        likelihood = torch.distributions.Normal(rebuilt, 1.0)
        log_p = likelihood.log_prob(torch.from_numpy(n.x[name])).sum(dim=1)
        constant = 6 * 0.5 * math.log(2 * math.pi)
        bounds.append(float((log_p + constant - kl).mean()) / 6)
    assert found == pytest.approx(-np.mean(bounds), rel=1e-4)


def test_the_cross_term_rebuilds_a_view_from_a_corresponding_row_of_another(paper):
    parts, n = paper
    terms = []
    for source, target in permutations(n.names, 2):
        rows = [
            i
            for i in range(40)
            if (n.batch.own[source][i] and n.batch.own[target][i])
            or (n.labels[source][i] == n.labels[target][i] and n.labels[source][i] >= 0)
        ]
        terms.append(0.5 * n.error(source, target, rows) / n.x[target].shape[1])
    assert parts["cross"] == pytest.approx(0.3 * 0.5 * np.mean(terms), rel=1e-4)


@pytest.mark.parametrize(("part", "beta", "weight"), [("paired", 1.0, 0.9), ("category", 0.0, 0.8)])
def test_the_correlations_of_the_paper_are_those_of_the_latent_means(paper, part, beta, weight):
    parts, n = paper
    losses = [
        batch_correlation(n.mean, n.batch, names, beta, k=3, ridge=0.2)
        for names in combinations(n.names, 2)
    ]
    assert parts[part] == pytest.approx(weight * np.mean(losses), rel=1e-3)


def test_the_class_term_of_the_paper_is_the_cross_entropy_of_known_classes(paper):
    parts, n = paper
    losses = [cross_entropy(n.scores(name).tolist(), n.labels[name]) for name in n.names]
    assert parts["class"] == pytest.approx(0.6 * np.mean(losses), rel=1e-4)


def test_the_correlation_embeddings_are_info_nce_over_pearson_correlations(paper):
    parts, n = paper
    config = method_of("vae-cca")[2]
    temperature = config.temperature
    every = np.concatenate([n.mean[name] for name in n.names])
    classes = np.concatenate([n.labels[name] for name in n.names])
    alike = np.exp(np.corrcoef(every) / temperature)  # Pearson correlations of rows
    losses = []
    for i, own in enumerate(classes):
        others = [j for j in range(len(every)) if j != i and classes[j] >= 0]
        right = [j for j in others if classes[j] == own]
        if own >= 0 and right:
            total = sum(alike[i, j] for j in others)
            losses.append(-np.mean([np.log(alike[i, j] / total) for j in right]))
    assert parts["classes"] == pytest.approx(config.category_likeness * np.mean(losses), rel=1e-3)
    directions = []
    for first, second in permutations(n.names, 2):
        size = len(n.mean[first])
        across = np.corrcoef(n.mean[first], n.mean[second])[:size, size:]
        share = np.exp(across / temperature)
        paired = [i for i in range(size) if n.batch.own[first][i] and n.batch.own[second][i]]
        directions.append(-np.mean([np.log(share[i, i] / share[i].sum()) for i in paired]))
    assert parts["pairs"] == pytest.approx(config.pair_likeness * np.mean(directions), rel=1e-3)


def test_weights_of_zero_leave_their_terms_without_effect():
    objective = _objective(_settings(cross=0.0, classification=0.0, paired_correlation=0.0))
    parts = evaluated(objective, random_batch(seed=4, size=30))
    assert parts["cross"] == parts["paired"] == 0.0
    assert "class" not in parts


@pytest.mark.parametrize("loss", [PAPER, RELEASED])
def test_sequences_are_rebuilt_as_their_means(loss):
    batch = random_batch(seed=5, size=20, dimensions=((4, 6), 5))
    means = {n: x.mean(dim=1) if x.ndim == 3 else x for n, x in batch.features.items()}
    objective = _objective(_settings(loss=loss))
    found = _parts(objective, batch, 1)
    expected = _parts(objective, Batch(means, batch.labels, batch.own), 1)
    assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("n_pairs", [0, 1])
def test_a_batch_with_hardly_a_pair_has_a_loss_under_batch_normalisation(n_pairs):
    batch = random_batch(seed=6, size=10, unknown=1.0)
    own = {"audio": torch.ones(10, dtype=torch.bool), "visual": torch.arange(10) < n_pairs}
    objective = _objective(_settings(normalisation="batch")).train()
    parts = objective.loss(Batch(batch.features, batch.labels, own), START)
    assert float(parts["cross"].detach()) == 0.0
    assert np.isfinite([float(part.detach()) for part in parts.values()]).all()
    torch.stack(list(parts.values())).sum().backward()


@pytest.mark.parametrize("loss", [PAPER, RELEASED])
def test_rows_without_classes_and_pairs_are_rebuilt_only(loss):
    batch = random_batch(seed=7, size=12, unknown=1.0, missing=1.0)
    parts = evaluated(_objective(_settings(loss=loss)), batch)
    assert parts.pop("lower bound") > 0.0
    assert set(parts.values()) == {0.0}


@pytest.mark.parametrize("loss", [PAPER, RELEASED])
def test_pairs_alone_are_enough(loss):
    data = without_labels(DATA)
    objective = _objective(_settings(loss=loss), data)
    assert objective.network.classifier is None
    parts = evaluated(objective, random_batch(seed=8, size=30, unknown=1.0))
    assert parts.get("class", 0.0) == parts.get("centre", 0.0) == 0.0
    space = fit_vae_cca(data, _settings(loss=loss, n_components=4), QUIET).space
    assert space.n_components == 4


def test_the_head_of_classes_alone_has_a_component_less_than_there_are_classes():
    config = _settings(n_components=4)
    assert fit_vae_cca(DATA, config, QUIET).space.n_components == 4
    unpaired = unpaired_features(seed=0).for_selection()
    assert fit_vae_cca(unpaired, config, QUIET).space.n_components == 3


def test_the_head_of_pairs_alone_does_not_look_at_labels():
    assert _objective(_settings(beta=0.3)).beta == 0.3
    assert _objective(_settings(beta=0.3), without_labels(DATA)).beta == 1.0
    assert _objective(_settings(beta=0.3), unpaired_features(seed=0)).beta == 0.0


@pytest.mark.parametrize("loss", [PAPER, RELEASED])
@pytest.mark.parametrize("share", [0.5, 1.0])
def test_training_works_when_partners_are_missing(loss, share):
    data = drop_partners(paired_features(seed=0), share=share, seed=0).for_selection()
    config = _settings(loss=loss, normalisation="batch", epochs=6)
    space = fit_vae_cca(data, config, QUIET).space
    for direction in evaluate(space, data, split="validation"):
        assert direction.scores.map > direction.chance.map


def test_training_works_on_noisy_input():
    data = add_noise(
        paired_features(seed=0), level=0.5, seed=0, splits=("train", "validation", "test")
    ).for_selection()
    space = fit_vae_cca(data, _settings(epochs=6, input_noise=0.3), QUIET).space
    for direction in evaluate(space, data, split="validation"):
        assert direction.scores.map > direction.chance.map


def test_data_without_labels_and_pairs_are_refused():
    with pytest.raises(DataError, match="vae-cca needs labels or true pairs"):
        fit_vae_cca(without_labels(unpaired_features(seed=0)).for_selection(), _settings(), QUIET)


@pytest.mark.parametrize(
    "values",
    [
        {"loss": "both"},
        *({name: -1.0} for name in WEIGHTS),
        {"beta": 2.0},
        {"ridge": 0.0},
        {"correlation_power": -1.0},
        {"latent": 2},
        {"hidden": (0,)},
        {"epochs": 0},
    ],
)
def test_settings_out_of_range_are_refused_by_name(values):
    with pytest.raises(DataError, match=next(iter(values))):
        _settings(**values)
