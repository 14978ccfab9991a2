"""Encoders one after another."""

import torch

from models.encoders.affine import Affine, affine_specification
from models.encoders.chain import Chain, chain_specification
from models.encoders.mlp import MLP, mlp_specification
from models.encoders.registry import build_encoder


def test_stages_are_applied_in_order():
    first, second = torch.nn.Linear(4, 3), torch.nn.Linear(3, 2)
    rows = torch.randn(5, 4)
    torch.testing.assert_close(Chain([first, second])(rows), second(first(rows)))


def test_a_chain_within_a_chain_is_the_same_as_one():
    inner = chain_specification(affine_specification(4, 3), mlp_specification((3, 2)))
    chain = build_encoder(chain_specification(inner, affine_specification(2, 2)))
    assert isinstance(chain, Chain)
    assert isinstance(chain.stages[0], Chain)
    assert [type(stage) for stage in chain.stages[0].stages] == [Affine, MLP]
    assert chain(torch.randn(5, 4)).shape == (5, 2)


def test_weights_of_every_stage_are_trained():
    chain = build_encoder(chain_specification(mlp_specification((4, 3)), mlp_specification((3, 2))))
    assert len(list(chain.parameters())) == 4
