"""The perceptron against its layers written out in NumPy."""

import numpy as np
import pytest
import torch
from scipy.special import erf, expit

from models.encoders.mlp import ACTIVATIONS, MLP, NORMALISATIONS, TanhSigmoid, mlp_specification
from models.encoders.registry import build_encoder
from models.errors import ShapeError

WRITTEN_OUT = {
    "relu": lambda x: np.maximum(x, 0.0),
    "gelu": lambda x: 0.5 * x * (1.0 + erf(x / np.sqrt(2.0))),
    "tanh": np.tanh,
    "sigmoid": expit,
    "tanh-sigmoid": lambda x: expit(np.tanh(x)),
    "none": lambda x: x,
}


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def fresh(**options):
    """D = 5, hidden 4 and 6, K = 3, with statistics of a little training."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        network = MLP(mlp_specification((5, 4, 6, 3), **options))
        network.train()
        with torch.no_grad():
            network(3.0 * torch.randn(40, 5) + 1.0)
    return network.eval()


def normalised(name, layer, rows):
    if name == "none":
        return rows
    if name == "batch":
        mean, variance = layer.running_mean.numpy(), layer.running_var.numpy()
    else:
        mean, variance = rows.mean(1, keepdims=True), rows.var(1, keepdims=True)
    scaled = (rows - mean) / np.sqrt(variance + layer.eps)
    return scaled * layer.weight.detach().numpy() + layer.bias.detach().numpy()


def written_out(network, rows, activation, normalisation, last_activation):
    layers = [layer for layer in network.layers if not isinstance(layer, torch.nn.Dropout)]
    linear = [layer for layer in layers if isinstance(layer, torch.nn.Linear)]
    for number, layer in enumerate(linear):
        rows = rows @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()
        if layer is not linear[-1]:
            rows = normalised(normalisation, layers[3 * number + 1], rows)
            rows = WRITTEN_OUT[activation](rows)
    return WRITTEN_OUT[last_activation](rows)


def test_every_activation_is_written_out_here():
    assert set(WRITTEN_OUT) == set(ACTIVATIONS)


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_an_activation_is_the_function_it_is_named_after(name):
    rows = draw(20, 3)
    np.testing.assert_allclose(
        ACTIVATIONS[name]()(rows), WRITTEN_OUT[name](rows.numpy()), atol=1e-6
    )


def test_outputs_as_released_lie_between_the_sigmoids_of_minus_one_and_one():
    outputs = TanhSigmoid()(torch.tensor([-1e3, 0.0, 1e3]))
    np.testing.assert_allclose(outputs, [expit(-1.0), 0.5, expit(1.0)], atol=1e-6)


@pytest.mark.parametrize("normalisation", sorted(NORMALISATIONS))
@pytest.mark.parametrize(
    ("activation", "last_activation"), [("relu", "none"), ("tanh", "tanh-sigmoid")]
)
def test_output_equals_the_written_out_layers(normalisation, activation, last_activation):
    network = fresh(
        normalisation=normalisation,
        activation=activation,
        last_activation=last_activation,
        dropout=0.3,
        input_dropout=0.2,
    )
    rows = draw(7, 5)
    expected = written_out(network, rows.numpy(), activation, normalisation, last_activation)
    with torch.no_grad():
        np.testing.assert_allclose(network(rows), expected, atol=1e-5)


def test_two_sizes_make_a_linear_map():
    network = MLP(mlp_specification((4, 2), activation="tanh", normalisation="batch")).eval()
    rows = draw(6, 4)
    (linear,) = [layer for layer in network.layers if isinstance(layer, torch.nn.Linear)]
    torch.testing.assert_close(network(rows), rows @ linear.weight.T + linear.bias)


def test_sequences_are_averaged_over_time_first():
    network, rows = fresh(), draw(4, 9, 5)
    torch.testing.assert_close(network(rows), network(rows.mean(dim=1)))


def test_the_order_of_steps_changes_nothing():
    network, rows = fresh(), draw(4, 9, 5)
    torch.testing.assert_close(network(rows[:, torch.randperm(9)]), network(rows))


def test_input_dropout_sets_the_stated_share_of_features_to_zero():
    network = MLP(mlp_specification((2000, 1), input_dropout=0.25)).train()
    dropped = network.layers[0](torch.ones(20, 2000))
    assert (dropped == 0.0).float().mean().item() == pytest.approx(0.25, abs=0.02)


def test_hidden_dropout_sets_the_stated_share_of_units_to_zero():
    network = MLP(mlp_specification((3, 2000, 1), activation="sigmoid", dropout=0.4)).train()
    hidden = network.layers[:-2](torch.ones(20, 3))
    assert (hidden == 0.0).float().mean().item() == pytest.approx(0.4, abs=0.02)


@pytest.mark.parametrize("key", ["activation", "last_activation", "normalisation"])
def test_an_unknown_name_is_refused_with_those_there_are(key):
    specification = {**mlp_specification((4, 2)), key: "magic"}
    with pytest.raises(ShapeError, match=rf"expected {key} of \['.*'none'.*got 'magic'"):
        build_encoder(specification)
