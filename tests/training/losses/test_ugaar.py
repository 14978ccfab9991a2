"""The terms of UGAAR against loops and closed forms."""

import math

import numpy as np
import pytest
import torch

from training.losses.ugaar import component_error, discrimination_loss, mismatched


def test_the_error_is_a_mean_over_rows_and_components():
    found, wanted = torch.randn(4, 3, dtype=torch.float64), torch.randn(4, 3, dtype=torch.float64)
    expected = sum(
        (x - y) ** 2 / 12
        for row, other in zip(found.tolist(), wanted.tolist(), strict=True)
        for x, y in zip(row, other, strict=True)
    )
    assert component_error(found, wanted).item() == pytest.approx(expected)


def test_without_rows_the_error_is_zero_and_has_a_gradient():
    found = torch.zeros(0, 3, requires_grad=True)
    error = component_error(found, torch.zeros(0, 3))
    error.backward()
    assert error.item() == 0.0


def test_the_loss_of_the_discriminator_is_its_cross_entropy():
    real, false = [0.3, -1.2, 4.0], [0.5, -2.0]

    def sigmoid(x):
        return 1.0 / (1.0 + math.exp(-x))

    expected = -sum(math.log(sigmoid(x)) for x in real) / 6
    expected -= sum(math.log(1.0 - sigmoid(x)) for x in false) / 4
    assert discrimination_loss(torch.tensor(real), torch.tensor(false)).item() == pytest.approx(
        expected, rel=1e-5
    )


def test_a_discriminator_that_cannot_tell_has_log_two():
    loss = discrimination_loss(torch.zeros(5), torch.zeros(7))
    assert loss.item() == pytest.approx(math.log(2.0))


@pytest.mark.parametrize("gap", [0.5, 2.0])
def test_the_best_discriminator_of_two_gaussians_has_log_two_minus_their_divergence(gap):
    """Real N(0, 1), false N(gap, 1): the best logit is log p(x) / q(x) = gap (gap - 2 x) / 2."""
    rng = np.random.default_rng(0)
    real, false = rng.normal(size=200_000), gap + rng.normal(size=200_000)
    best = [torch.from_numpy(0.5 * gap * (gap - 2.0 * x)) for x in (real, false)]
    x = np.linspace(-9.0, 9.0 + gap, 20_001)
    p, q = (np.exp(-0.5 * (x - mean) ** 2) / math.sqrt(2.0 * math.pi) for mean in (0.0, gap))
    middle = 0.5 * (p + q)
    density = 0.5 * p * np.log(p / middle) + 0.5 * q * np.log(q / middle)
    divergence = float(np.sum(density) * (x[1] - x[0]))
    found = discrimination_loss(*best).item()
    assert found == pytest.approx(math.log(2.0) - divergence, abs=3e-3)
    for wrong in (0.8, 1.2):
        assert discrimination_loss(wrong * best[0], wrong * best[1]).item() > found


def test_no_row_keeps_its_own_partner():
    rows = torch.arange(10.0).reshape(5, 2)
    moved = mismatched(rows)
    assert not (moved == rows).all(dim=1).any()
    assert sorted(moved.tolist()) == rows.tolist()
