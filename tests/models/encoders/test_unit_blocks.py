"""Embeddings side by side: each counts with its share in the cosine."""

import numpy as np
import pytest
import torch

from models.encoders.unit_blocks import UnitBlocks, unit_blocks_specification
from models.errors import ShapeError


def scaled(rows, shares=(0.3, 0.7)):
    return UnitBlocks(unit_blocks_specification((2, 3), shares))(rows)


def cosine(first, second):
    return float(first @ second) / float(first.norm() * second.norm())


def test_the_cosine_is_the_weighted_mean_of_the_cosines_of_the_blocks():
    first, second = torch.randn(2, 5, generator=torch.Generator().manual_seed(0)).double()
    found = scaled(torch.stack([first, second]))
    expected = 0.3 * cosine(first[:2], second[:2]) + 0.7 * cosine(first[2:], second[2:])
    assert cosine(*found) == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(found.norm(dim=1), 1.0, rtol=1e-12)


def test_the_length_of_a_block_says_nothing():
    rows = torch.tensor([[3.0, 4.0, 0.0, 0.0, 2.0]])
    torch.testing.assert_close(scaled(rows * torch.tensor([7.0, 7.0, 0.1, 0.1, 0.1])), scaled(rows))


def test_a_block_without_signal_stays_zero():
    found = scaled(torch.tensor([[0.0, 0.0, 0.0, 0.0, 2.0]]))
    torch.testing.assert_close(found, torch.tensor([[0.0, 0.0, 0.0, 0.0, 0.7**0.5]]))


@pytest.mark.parametrize(
    ("widths", "shares"),
    [
        ((2, 3), (1.0,)),
        ((2, 3), (1.0, 0.0)),
        ((2, 3), (-0.5, 1.5)),
        ((5,), (0.5,)),
        ((2, 0), (1, 0)),
    ],
)
def test_shares_that_do_not_fit_are_refused(widths, shares):
    with pytest.raises(ShapeError, match=r"share|widths"):
        UnitBlocks(unit_blocks_specification(widths, shares))
