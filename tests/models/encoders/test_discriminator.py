"""The modality discriminator."""

import pytest
import torch
from torch import nn

from models.encoders.discriminator import modality_discriminator


@pytest.mark.parametrize("widths", [(), (7,), (7, 5)])
@pytest.mark.parametrize("n_views", [2, 3])
def test_outputs_become_one_logit_per_view(widths, n_views):
    discriminator = modality_discriminator(4, widths, n_views)
    assert discriminator(torch.zeros(6, 4)).shape == (6, n_views)
    linear = [layer for layer in discriminator if isinstance(layer, nn.Linear)]
    assert [layer.out_features for layer in linear] == [*widths, n_views]


def test_it_can_tell_two_views_apart():
    rows = torch.cat([torch.full((20, 2), 1.0), torch.full((20, 2), -1.0)])
    views = torch.tensor([0] * 20 + [1] * 20)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        discriminator = modality_discriminator(2, (8,), 2)
    optimiser = torch.optim.Adam(discriminator.parameters(), lr=0.05)
    for _ in range(30):
        optimiser.zero_grad()
        nn.functional.cross_entropy(discriminator(rows), views).backward()
        optimiser.step()
    assert (discriminator(rows).argmax(dim=1) == views).all()
