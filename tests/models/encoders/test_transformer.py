"""The transformer over time: positions in closed form, order, blocks against PyTorch's parts."""

import math

import numpy as np
import pytest
import torch
from torch.nn.functional import gelu, layer_norm, softmax

from models.encoders.registry import build_encoder
from models.encoders.transformer import (
    TransformerEncoder,
    positions,
    transformer_specification,
)
from models.errors import ShapeError


def fresh(layers=2, seed=0, dropout=0.3):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        specification = transformer_specification(5, 8, 4, layers=layers, heads=2, dropout=dropout)
        encoder = TransformerEncoder(specification)
    return encoder.eval().requires_grad_(False)


def draw(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("width", [2, 6, 64])
def test_positions_are_the_sinusoids_of_the_paper(width):
    found = positions(7, width)
    assert found.shape == (7, width)
    for t in range(7):
        for i in range(width // 2):
            angle = t / 10_000 ** (2 * i / width)
            assert found[t, i].item() == pytest.approx(math.sin(angle), abs=1e-5)
            assert found[t, width // 2 + i].item() == pytest.approx(math.cos(angle), abs=1e-5)


def test_an_odd_width_has_positions_too():
    assert positions(4, 5).shape == (4, 5)
    assert torch.isfinite(positions(4, 1)).all()


def test_positions_do_not_depend_on_the_length_of_the_sequence():
    torch.testing.assert_close(positions(50, 8)[:7], positions(7, 8))


def test_positions_of_different_steps_differ():
    table = positions(200, 8)
    distances = torch.cdist(table, table) + 9.0 * torch.eye(200)
    assert distances.min() > 1e-3


def test_the_order_of_steps_matters():
    encoder, rows = fresh(), draw(3, 6, 5)
    assert (encoder(rows.flip(1)) - encoder(rows)).abs().max() > 1e-3


def written_out_block(block, steps):
    """Self-attention and perceptron of one item (T, H), each behind a normalisation."""
    h = steps.shape[1]
    attention = block.self_attn
    normal = layer_norm(steps, (h,), block.norm1.weight, block.norm1.bias)
    q, k, v = (normal @ attention.in_proj_weight.T + attention.in_proj_bias).split(h, dim=1)
    mixed = []
    for head in range(2):
        part = slice(head * h // 2, (head + 1) * h // 2)
        shares = softmax(q[:, part] @ k[:, part].T / math.sqrt(h // 2), dim=1)
        mixed.append(shares @ v[:, part])
    steps = steps + attention.out_proj(torch.cat(mixed, dim=1))
    normal = layer_norm(steps, (h,), block.norm2.weight, block.norm2.bias)
    return steps + block.linear2(gelu(block.linear1(normal)))


@pytest.mark.parametrize("layers", [1, 2])
def test_output_equals_the_blocks_written_out(layers):
    encoder, rows = fresh(layers), draw(2, 6, 5)
    outputs = encoder(rows)
    for item, found in zip(rows, outputs, strict=True):
        steps = encoder.step(item) + positions(6, 8)
        for block in encoder.blocks.layers:
            steps = written_out_block(block, steps)
        np.testing.assert_allclose(found, encoder.output(steps.mean(dim=0)), atol=1e-5)


def test_inference_without_gradients_gives_the_numbers_of_training_without_dropout():
    """PyTorch takes another path through a transformer layer in inference."""
    encoder, rows = fresh(dropout=0.0), draw(3, 6, 5)
    fast = encoder(rows)
    slow = encoder.train().requires_grad_()(rows)
    torch.testing.assert_close(fast, slow.detach(), atol=1e-5, rtol=1e-4)


def test_blocks_start_from_the_same_weights_by_design_of_pytorch_but_are_their_own():
    encoder = fresh(layers=2)
    first, second = encoder.blocks.layers
    first.linear1.weight += 1.0
    assert (first.linear1.weight - second.linear1.weight).abs().min() > 0.5


def test_a_width_that_is_no_multiple_of_the_heads_is_refused():
    specification = transformer_specification(5, 8, 4, layers=1, heads=3, dropout=0.0)
    with pytest.raises(ShapeError, match="multiple of heads, got 8 and 3"):
        build_encoder(specification)
