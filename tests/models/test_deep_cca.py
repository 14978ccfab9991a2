"""The networks of DCCA and DCCAE."""

import torch

from models.deep_cca import DeepCCANetwork
from models.encoders.mlp import mlp_specification

ENCODERS = {"audio": mlp_specification((5, 4, 3)), "visual": mlp_specification((6, 4, 3))}
DECODERS = {"audio": mlp_specification((3, 4, 5)), "visual": mlp_specification((3, 4, 6))}


def test_without_decoders_nothing_is_rebuilt():
    network = DeepCCANetwork(ENCODERS)
    assert network.rebuild({"audio": torch.zeros(2, 3), "visual": torch.zeros(2, 3)}) == {}


def test_every_view_is_rebuilt_from_its_own_outputs():
    network = DeepCCANetwork(ENCODERS, DECODERS)
    rows = {"audio": torch.randn(7, 5), "visual": torch.randn(7, 6)}
    outputs = network.encoders.all(rows)
    rebuilt = network.rebuild(outputs)
    assert network.decoders is not None
    for name, x in rows.items():
        assert rebuilt[name].shape == x.shape
        torch.testing.assert_close(rebuilt[name], network.decoders.of(name)(outputs[name]))


def test_decoders_are_trained_with_the_encoders():
    alone = len(list(DeepCCANetwork(ENCODERS).parameters()))
    assert len(list(DeepCCANetwork(ENCODERS, DECODERS).parameters())) == 2 * alone
