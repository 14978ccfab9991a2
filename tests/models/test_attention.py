"""Alignment of steps against a loop, and the embedding that leaves it out."""

import numpy as np
import pytest
import torch

from models.attention import AttentionNetwork, aligned_similarity
from models.encoders.attention import attention_specification
from models.encoders.mlp import mlp_specification

DIMENSIONS = {"audio": 5, "visual": 6}


def fresh():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        encoders = {
            name: attention_specification(d, 8, 3, heads=2, dropout=0.0)
            for name, d in DIMENSIONS.items()
        }
        return AttentionNetwork(encoders, hidden=8, alignment=4).eval()


def unit_steps(*shape, seed):
    rows = torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return torch.nn.functional.normalize(rows, dim=2)


def looped_similarity(first, second):
    cosines = [[float(a @ b) for b in second] for a in first]
    forward = np.mean([max(row) for row in cosines])
    backward = np.mean([max(column) for column in zip(*cosines, strict=True)])
    return (forward + backward) / 2


def test_likeness_equals_a_loop_over_items_and_steps():
    first, second = unit_steps(3, 4, 5, seed=1), unit_steps(2, 6, 5, seed=2)
    found = aligned_similarity(first, second)
    assert found.shape == (3, 2)
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            assert found[i, j].item() == pytest.approx(looped_similarity(a, b), abs=1e-12)


def test_likeness_is_the_same_from_both_sides():
    first, second = unit_steps(3, 4, 5, seed=3), unit_steps(2, 6, 5, seed=4)
    torch.testing.assert_close(
        aligned_similarity(first, second), aligned_similarity(second, first).T
    )


def test_likeness_lies_between_minus_one_and_one():
    likeness = aligned_similarity(unit_steps(9, 4, 2, seed=5), unit_steps(9, 3, 2, seed=6))
    assert likeness.abs().max() <= 1.0


def test_the_same_steps_in_another_order_have_the_largest_likeness():
    steps = unit_steps(1, 5, 4, seed=7)
    shuffled = steps[:, [3, 1, 0, 4, 2]]
    assert aligned_similarity(steps, shuffled).item() == pytest.approx(1.0)


def test_likeness_has_a_finite_gradient_even_where_steps_are_equally_near():
    steps = torch.ones(2, 3, 4, requires_grad=True)
    likeness = aligned_similarity(steps / 2.0, steps / 2.0)
    (gradient,) = torch.autograd.grad(likeness.sum(), steps)
    assert torch.isfinite(gradient).all()


@pytest.mark.parametrize("view", DIMENSIONS)
@pytest.mark.parametrize("n_steps", [1, 7])
def test_the_embedding_is_that_of_the_encoder_alone(view, n_steps):
    network, rows = fresh(), torch.randn(4, n_steps, DIMENSIONS[view])
    embedding, steps = network.embed(view, rows)
    torch.testing.assert_close(embedding, network.encoders(view, rows))
    assert steps.shape == (4, n_steps, 4)
    torch.testing.assert_close(steps.norm(dim=2), torch.ones(4, n_steps))


def test_steps_of_a_view_are_mapped_by_its_own_layer():
    network, rows = fresh(), torch.randn(4, 7, 6)
    hidden = network.encoders.of("visual").steps(rows)
    expected = torch.nn.functional.normalize(network.step_maps[1](hidden), dim=2)
    torch.testing.assert_close(network.embed("visual", rows)[1], expected)


def test_a_pooled_view_is_a_sequence_of_one_step():
    assert fresh().embed("audio", torch.randn(4, 5))[1].shape == (4, 1, 4)


def test_another_kind_of_encoder_is_refused():
    network = AttentionNetwork({"audio": mlp_specification((5, 3))}, hidden=8, alignment=4)
    with pytest.raises(TypeError, match="expected a AttentionEncoder for audio, got MLP"):
        network.embed("audio", torch.randn(4, 5))
