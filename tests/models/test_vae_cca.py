"""The variational autoencoders of VAE-CCA."""

import pytest
import torch

from models.encoders.mlp import mlp_specification
from models.vae_cca import LOG_VARIANCE_LIMIT, Latent, VariationalNetwork

DIMENSIONS = {"audio": 5, "visual": 6}


def fresh(**options):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return VariationalNetwork(
            {n: mlp_specification((d, 8), last_activation="relu") for n, d in DIMENSIONS.items()},
            {n: mlp_specification((3, 8, d)) for n, d in DIMENSIONS.items()},
            latent=3,
            widths=dict.fromkeys(DIMENSIONS, 8),
            **options,
        ).eval()


@pytest.mark.parametrize("share_latent", [False, True])
@pytest.mark.parametrize("view", DIMENSIONS)
def test_the_latent_mean_is_the_embedding(view, share_latent):
    network, rows = fresh(share_latent=share_latent), torch.randn(4, DIMENSIONS[view])
    latent = network.inference(view, rows)
    assert latent.mean.shape == latent.log_variance.shape == (4, 3)
    torch.testing.assert_close(latent.mean, network.encoders(view, rows))


@pytest.mark.parametrize("view", DIMENSIONS)
def test_the_log_variance_is_a_linear_map_of_the_trunk_within_limits(view):
    network, rows = fresh(), torch.randn(4, DIMENSIONS[view])
    hidden = network.encoders.of(view).stages[0](rows)
    layer = network.log_variances[list(DIMENSIONS).index(view)]
    torch.testing.assert_close(network.inference(view, rows).log_variance, layer(hidden))
    far = network.inference(view, 1e6 * rows).log_variance
    assert far.abs().max().item() == LOG_VARIANCE_LIMIT


def test_training_starts_from_small_variances():
    log_variance = fresh().inference("audio", torch.randn(50, 5)).log_variance
    assert -3.0 < log_variance.mean().item() < -1.0


def test_draws_have_the_stated_mean_and_deviation():
    mean, log_variance = torch.tensor([[1.0, -2.0]]), torch.tensor([[0.0, 2.0]])
    with torch.random.fork_rng():
        torch.manual_seed(1)
        draws = VariationalNetwork.sample(
            Latent(mean.expand(50_000, 2), log_variance.expand(50_000, 2))
        )
    torch.testing.assert_close(draws.mean(dim=0), mean[0], atol=0.05, rtol=0.0)
    expected = torch.exp(0.5 * log_variance[0])
    torch.testing.assert_close(draws.std(dim=0), expected, atol=0.0, rtol=0.02)


def test_draws_carry_gradients_to_both_parameters():
    mean, log_variance = (
        torch.zeros(4, 2, requires_grad=True),
        torch.zeros(4, 2, requires_grad=True),
    )
    loss = VariationalNetwork.sample(Latent(mean, log_variance)).square().sum()
    for gradient in torch.autograd.grad(loss, (mean, log_variance)):
        assert gradient.abs().sum() > 0.0


@pytest.mark.parametrize("view", DIMENSIONS)
def test_a_view_is_rebuilt_from_latent_rows_of_any_view(view):
    network, z = fresh(), torch.randn(4, 3)
    rebuilt = network.generative(view, z)
    assert rebuilt.shape == (4, DIMENSIONS[view])
    torch.testing.assert_close(rebuilt, network.decoders.of(view)(z))


def test_one_latent_layer_serves_all_views_where_asked_for():
    shared, own = fresh(share_latent=True), fresh()
    for network, expected in ((shared, 1), (own, 2)):
        layers = {id(network.encoders.of(name).stages[1]) for name in DIMENSIONS}
        assert len(layers) == expected
        assert len({id(layer) for layer in network.log_variances}) == expected
    assert len(list(shared.parameters())) == len(list(own.parameters())) - 4


@pytest.mark.parametrize(("n_classes", "expected"), [(0, None), (7, (7, 3))])
def test_a_classifier_reads_latent_rows_where_there_are_classes(n_classes, expected):
    classifier = fresh(n_classes=n_classes).classifier
    assert (None if classifier is None else tuple(classifier.weight.shape)) == expected
