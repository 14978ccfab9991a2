"""The two terms of the evidence lower bound against ``torch.distributions``."""

import math

import pytest
import torch
from torch.autograd import gradcheck
from torch.distributions import Independent, Normal, kl_divergence

from training.losses.variational import kl_to_standard_normal, reconstruction_loss


def draw(*shape, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=dtype)


def posterior(mean, log_variance):
    return Independent(Normal(mean, (0.5 * log_variance).exp()), 1)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-12)])
@pytest.mark.parametrize("seed", [0, 1])
def test_divergence_equals_that_of_torch_distributions(dtype, tolerance, seed):
    mean, log_variance = draw(5, 3, seed=seed, dtype=dtype), draw(5, 3, seed=seed + 9, dtype=dtype)
    standard = posterior(torch.zeros_like(mean), torch.zeros_like(mean))
    expected = kl_divergence(posterior(mean, log_variance), standard).mean()
    found = kl_to_standard_normal(mean, log_variance)
    assert found.dtype == dtype
    assert found.item() == pytest.approx(expected.item(), rel=tolerance)


def test_divergence_of_the_standard_normal_is_zero():
    assert kl_to_standard_normal(torch.zeros(4, 3), torch.zeros(4, 3)).item() == 0.0


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-12)])
def test_reconstruction_is_minus_the_log_likelihood_without_its_constant(dtype, tolerance):
    rebuilt, rows = draw(6, 4, seed=2, dtype=dtype), draw(6, 4, seed=3, dtype=dtype)
    log_likelihood = Independent(Normal(rebuilt, 1.0), 1).log_prob(rows).mean()
    constant = 0.5 * 4 * math.log(2 * math.pi)
    found = reconstruction_loss(rebuilt, rows)
    assert found.item() == pytest.approx(-log_likelihood.item() - constant, rel=tolerance)


def test_their_sum_is_minus_the_evidence_lower_bound_of_a_linear_model():
    """E_q[log p(x, z) - log q(z)] by 200,000 draws, for x = z + noise."""
    rows, mean, log_variance = draw(1, 2, seed=4), draw(1, 2, seed=5), draw(1, 2, seed=6)
    noise = draw(200_000, 2, seed=7)
    z = mean + noise * (0.5 * log_variance).exp()
    prior = Independent(Normal(torch.zeros(2).double(), 1.0), 1).log_prob(z)
    likelihood = Independent(Normal(z, 1.0), 1).log_prob(rows)
    bound = (prior + likelihood - posterior(mean, log_variance).log_prob(z)).mean()
    error = reconstruction_loss(z, rows.expand_as(z))
    loss = error + kl_to_standard_normal(mean, log_variance) + math.log(2 * math.pi)
    assert loss.item() == pytest.approx(-bound.item(), rel=0.01)


@pytest.mark.parametrize("loss", [kl_to_standard_normal, reconstruction_loss])
def test_terms_are_sums_per_item_and_means_over_items(loss):
    first, second = draw(3, 4, seed=8), draw(3, 4, seed=9)
    plain = loss(first, second).item()
    assert loss(first.repeat(5, 1), second.repeat(5, 1)).item() == pytest.approx(plain)
    assert loss(first.repeat(1, 5), second.repeat(1, 5)).item() == pytest.approx(5 * plain)


@pytest.mark.parametrize("loss", [kl_to_standard_normal, reconstruction_loss])
def test_gradients_equal_finite_differences(loss):
    assert gradcheck(loss, (draw(3, 2, seed=10).requires_grad_(), draw(3, 2).requires_grad_()))
