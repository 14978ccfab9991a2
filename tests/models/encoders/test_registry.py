"""Building encoders by kind, and what each of them promises."""

import json

import numpy as np
import pytest
import torch

from models.encoders.affine import Affine, affine_specification
from models.encoders.attention import AttentionEncoder, attention_specification
from models.encoders.chain import Chain, chain_specification
from models.encoders.mlp import MLP, mlp_specification
from models.encoders.registry import ENCODERS, build_encoder
from models.encoders.transformer import TransformerEncoder, transformer_specification
from models.encoders.unit_blocks import UnitBlocks, unit_blocks_specification
from models.errors import ShapeError

SPECIFICATIONS = {
    "affine": affine_specification(6, 3),
    "attention": attention_specification(6, 8, 3, heads=2, dropout=0.5),
    "chain": chain_specification(affine_specification(6, 4), mlp_specification((4, 5, 3))),
    "mlp": mlp_specification((6, 7, 3), normalisation="batch", dropout=0.5, input_dropout=0.2),
    "transformer": transformer_specification(6, 8, 3, layers=2, heads=2, dropout=0.5),
    "unit-blocks": unit_blocks_specification((2, 4), (0.3, 0.7)),
}
CLASSES = {
    "affine": Affine,
    "attention": AttentionEncoder,
    "chain": Chain,
    "mlp": MLP,
    "transformer": TransformerEncoder,
    "unit-blocks": UnitBlocks,
}
ENDS = ("affine", "unit-blocks")  # of a chain; they do not average over time
SEQUENCES = ("attention", "transformer")


def fresh(kind, seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        encoder = build_encoder(SPECIFICATIONS[kind])
        for buffer in encoder.buffers():  # those of affine maps start as zeros
            if buffer.is_floating_point():
                buffer.copy_(torch.rand(buffer.shape) + 0.1)
    return encoder


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(params=sorted(ENCODERS))
def kind(request):
    return request.param


def test_every_kind_is_tried_here():
    assert set(SPECIFICATIONS) == set(ENCODERS)


def test_an_encoder_is_built_by_its_kind(kind):
    assert type(build_encoder(SPECIFICATIONS[kind])) is CLASSES[kind]


def test_a_specification_is_plain_json(kind):
    specification = SPECIFICATIONS[kind]
    assert json.loads(json.dumps(specification)) == specification


def test_rows_become_k_numbers(kind):
    assert fresh(kind).eval()(draw(4, 6)).shape == (4, 6 if kind == "unit-blocks" else 3)


@pytest.mark.parametrize("n_steps", [1, 5])
@pytest.mark.parametrize("kind", sorted(set(ENCODERS) - set(ENDS)))
def test_sequences_become_k_numbers(kind, n_steps):
    assert fresh(kind).eval()(draw(4, n_steps, 6)).shape == (4, 3)


@pytest.mark.parametrize("kind", sorted(set(ENCODERS) - {"unit-blocks"}))
def test_rows_and_sequences_of_one_step_are_the_same(kind):
    encoder, rows = fresh(kind).eval(), draw(4, 6)
    if kind == "affine":
        torch.testing.assert_close(encoder(rows[:, None])[:, 0], encoder(rows))
    else:
        torch.testing.assert_close(encoder(rows[:, None]), encoder(rows))


@pytest.mark.parametrize(
    ("kind", "shape"),
    [(kind, (5, 6)) for kind in sorted(ENCODERS)]
    + [(kind, (5, 4, 6)) for kind in sorted(set(ENCODERS) - {"unit-blocks"})],
)
def test_each_item_is_embedded_alone_at_search_time(kind, shape):
    encoder, rows = fresh(kind).eval(), draw(*shape)
    together = encoder(rows)
    for item, expected in zip(rows, together, strict=True):
        torch.testing.assert_close(encoder(item[None])[0], expected)


def test_nothing_is_random_at_search_time(kind):
    encoder, rows = fresh(kind).eval(), draw(5, 6)
    assert torch.equal(encoder(rows), encoder(rows))


@pytest.mark.parametrize("kind", ["attention", "mlp", "transformer"])
def test_dropout_acts_in_training(kind):
    encoder, rows = fresh(kind).train(), draw(5, 6)
    assert not torch.equal(encoder(rows), encoder(rows))


def test_the_same_seed_gives_the_same_weights(kind):
    first, again, other = (fresh(kind, seed).state_dict() for seed in (3, 3, 4))
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert any(not torch.equal(first[key], other[key]) for key in first) == bool(first)


@pytest.mark.parametrize("kind", sorted(set(ENCODERS) - set(ENDS)))
def test_gradients_reach_every_weight(kind):
    encoder = fresh(kind).train()
    shape = (8, 4, 6) if kind in SEQUENCES else (8, 6)
    encoder(draw(*shape)).square().sum().backward()
    for parameter in encoder.parameters():
        assert torch.isfinite(parameter.grad).all()


def test_a_row_far_away_stays_finite(kind):
    encoder = fresh(kind).eval()
    assert torch.isfinite(encoder(1e6 * draw(2, 6))).all()


@pytest.mark.parametrize("found", ["magic", "", "MLP"])
def test_an_unknown_kind_is_refused_with_those_there_are(found):
    with pytest.raises(ShapeError, match=r"expected an encoder of \['affine'.*got '" + found):
        build_encoder({"kind": found})


@pytest.mark.parametrize("specification", [None, [], "mlp", 3])
def test_what_is_not_a_specification_is_refused(specification):
    with pytest.raises(ShapeError, match="expected the specification of an encoder"):
        build_encoder(specification)


@pytest.mark.parametrize(
    ("kind", "key"), [(kind, key) for kind, s in SPECIFICATIONS.items() for key in s]
)
def test_a_missing_entry_is_refused(kind, key):
    specification = {k: v for k, v in SPECIFICATIONS[kind].items() if k != key}
    with pytest.raises(ShapeError, match=f"'{key}'"):
        build_encoder(specification)


@pytest.mark.parametrize(
    ("kind", "key"), [(kind, key) for kind, s in SPECIFICATIONS.items() for key in s]
)
@pytest.mark.parametrize("found", [None, True, np.float64(7.5), {"a": 1}, -1, 1.5])
def test_an_entry_of_another_kind_is_refused(kind, key, found):
    with pytest.raises(ShapeError, match=r"expected .* got"):
        build_encoder({**SPECIFICATIONS[kind], key: found})
