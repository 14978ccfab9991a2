"""The network of contrastive learning, with and without a discriminator."""

import pytest
import torch

from models.contrastive import ContrastiveNetwork
from models.encoders.mlp import mlp_specification

ENCODERS = {"audio": mlp_specification((5, 3)), "visual": mlp_specification((6, 3))}


def test_without_an_adversary_there_are_encoders_only():
    network = ContrastiveNetwork(ENCODERS, n_components=3)
    assert network.discriminator is None
    assert len(list(network.parameters())) == 4


@pytest.mark.parametrize("widths", [(), (8,)])
def test_the_adversary_tells_one_of_the_views(widths):
    network = ContrastiveNetwork(ENCODERS, n_components=3, discriminator=widths)
    assert network.discriminator is not None
    assert network.discriminator(network.encoders("audio", torch.randn(4, 5))).shape == (4, 2)
