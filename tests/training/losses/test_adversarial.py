"""Gradient reversal and the cross-entropy of the discriminator."""

import math

import pytest
import torch
from torch import nn

from training.losses.adversarial import modality_loss, reversal_weight, reverse_gradient


def rows(dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(4, 3, generator=generator, dtype=dtype, requires_grad=True)


def test_rows_pass_unchanged():
    x = rows()
    assert torch.equal(reverse_gradient(x, 0.7), x)


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0, 2.5])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gradient_is_exactly_minus_the_weight_times_the_plain_one(weight, dtype):
    x, reversed_rows = rows(dtype), rows(dtype)
    (x**3).sum().backward()
    (reverse_gradient(reversed_rows, weight) ** 3).sum().backward()
    assert torch.equal(reversed_rows.grad, -weight * x.grad)


def test_a_step_helps_the_discriminator_and_hurts_it_through_the_rows():
    generator = torch.Generator().manual_seed(1)
    x, modality = rows(torch.float32, seed=2), torch.tensor([0, 0, 1, 1])
    discriminator = nn.Linear(3, 2)
    with torch.no_grad():
        discriminator.weight.copy_(torch.randn(2, 3, generator=generator))
        discriminator.bias.zero_()

    def loss():
        return modality_loss(discriminator(reverse_gradient(x, 1.0)), modality)

    before = loss()
    before.backward()
    steps = {
        "discriminator": [discriminator.weight, discriminator.bias],
        "rows": [x],
    }
    after = {}
    for name, parameters in steps.items():
        with torch.no_grad():
            for parameter in parameters:
                parameter -= 0.1 * parameter.grad
            after[name] = loss().item()
            for parameter in parameters:
                parameter += 0.1 * parameter.grad
    assert after["discriminator"] < before.item() < after["rows"]


def test_weight_rises_from_zero_to_one():
    weights = [reversal_weight(step / 20) for step in range(21)]
    assert weights[0] == 0.0
    assert weights[-1] == pytest.approx(1.0, abs=1e-4)
    assert weights == sorted(weights)


@pytest.mark.parametrize("progress", [0.05, 0.3, 0.9])
def test_weight_is_a_hyperbolic_tangent(progress):
    assert reversal_weight(progress) == pytest.approx(math.tanh(5.0 * progress))


def test_modality_loss_is_the_mean_negative_log_probability():
    logits, modality = rows(), torch.tensor([2, 0, 1, 1])
    expected = 0.0
    for row, number in zip(logits.tolist(), modality.tolist(), strict=True):
        expected -= math.log(math.exp(row[number]) / sum(math.exp(x) for x in row)) / 4
    assert modality_loss(logits, modality).item() == pytest.approx(expected)
