"""The triplet network with a cluster-CCA projection before it, or none."""

import numpy as np
import pytest
import torch
from torch import nn

from models.cca.cluster_cca import fit_cluster_cca
from models.encoders.chain import Chain
from models.encoders.mlp import mlp_specification
from models.tnn_c_cca import INITIAL_DEVIATION, TripletNetwork

VIEWS = ("audio", "visual")


def branches(d_audio=3, d_visual=3, width=4):
    sizes = {"audio": (d_audio, width, width, 2), "visual": (d_visual, width, width, 2)}
    return {name: mlp_specification(s, activation="tanh") for name, s in sizes.items()}


def fitted(seed=0):
    rng = np.random.default_rng(seed)
    labels = [rng.integers(0, 4, size=60), rng.integers(0, 4, size=50)]
    views = [
        rng.normal(size=(4, d))[y] + rng.normal(size=(len(y), d)) + 2.0
        for y, d in zip(labels, (6, 5), strict=True)
    ]
    return views, fit_cluster_cca(views, labels, n_components=3, ridge=0.1)


def test_without_a_projection_branches_read_the_features():
    network = TripletNetwork(branches(6, 5))
    rows = torch.randn(4, 6)
    torch.testing.assert_close(network.encoders("audio", rows), network.encoders.of("audio")(rows))
    assert network.encoders("visual", torch.randn(4, 5)).shape == (4, 2)


def test_a_branch_reads_the_closed_form_projection_of_its_view():
    views, front = fitted()
    network = TripletNetwork(branches(), front)
    for number, name in enumerate(VIEWS):
        projected = (views[number] - front.means[number]) @ front.weights[number]
        branch = network.encoders.of_kind(name, Chain).stages[1]
        expected = branch(torch.from_numpy(projected).float())
        found = network.encoders(name, torch.from_numpy(views[number]).float())
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


def test_the_projection_is_fixed_and_part_of_the_state():
    _, front = fitted()
    network = TripletNetwork(branches(), front)
    plain = TripletNetwork(branches())
    assert len(list(network.parameters())) == len(list(plain.parameters()))
    assert len(network.state_dict()) == len(plain.state_dict()) + 4


@pytest.mark.parametrize("with_front", [False, True])
def test_the_released_start_draws_inner_weights_from_a_narrow_normal(with_front):
    front = fitted()[1] if with_front else None
    network = TripletNetwork(branches(width=100), front)
    first_layers = [_linear(network, name)[0].weight.clone() for name in VIEWS]
    network.start_as_released(VIEWS)
    for name, before in zip(VIEWS, first_layers, strict=True):
        first, *inner = _linear(network, name)
        assert torch.equal(first.weight, before)
        for layer in inner:
            assert (layer.bias == 0.0).all()
        assert inner[0].weight.mean().item() == pytest.approx(0.0, abs=0.003)
        assert inner[0].weight.std().item() == pytest.approx(INITIAL_DEVIATION, rel=0.05)


def _linear(network, name):
    return [m for m in network.encoders.of(name).modules() if isinstance(m, nn.Linear)]
