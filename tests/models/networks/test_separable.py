"""Convolutions padded as in TensorFlow, against a naive loop over its definition of SAME."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from models.networks.separable import SameConv


def naive_same(planes, weight, bias, *, stride, groups):
    """``out[r, c] = sum in[stride r + i - top, stride c + j - left] w[i, j]``, zeros outside."""
    filters, _, kernel, _ = weight.shape
    channels, rows, columns = planes.shape
    out_rows, out_columns = math.ceil(rows / stride), math.ceil(columns / stride)
    top = max(0, (out_rows - 1) * stride + kernel - rows) // 2
    left = max(0, (out_columns - 1) * stride + kernel - columns) // 2
    result = np.zeros((filters, out_rows, out_columns))
    per_group = channels // groups
    for f in range(filters):
        first = f // (filters // groups) * per_group
        for r, c, k, i, j in np.ndindex(out_rows, out_columns, per_group, kernel, kernel):
            y, x = stride * r + i - top, stride * c + j - left
            if 0 <= y < rows and 0 <= x < columns:
                result[f, r, c] += planes[first + k, y, x] * weight[f, k, i, j]
        result[f] += bias[f]
    return result


@pytest.mark.parametrize(
    ("kernel", "stride", "groups"), [(1, 1, 1), (3, 1, 1), (3, 2, 1), (3, 1, 4), (3, 2, 4)]
)
def test_agrees_with_the_definition_of_same(kernel, stride, groups):
    torch.manual_seed(0)
    layer = SameConv(4, 8, kernel=kernel, stride=stride, groups=groups, activation=None)
    assert layer.bias is not None
    planes = torch.randn(2, 4, 6, 4)
    with torch.inference_mode():
        found = layer(planes)
    for one, said in zip(planes.numpy(), found.numpy(), strict=True):
        expected = naive_same(
            one, layer.weight.detach().numpy(), layer.bias.detach().numpy(),
            stride=stride, groups=groups,
        )  # fmt: skip
        np.testing.assert_allclose(said, expected, atol=1e-5)


def test_the_activation_comes_last():
    layer = SameConv(1, 1, kernel=3, stride=2, activation=functional.relu6)
    assert layer.bias is not None
    torch.nn.init.constant_(layer.weight, 1.0)
    torch.nn.init.constant_(layer.bias, 0.0)
    assert layer(torch.full((1, 1, 4, 4), 5.0)).max() == 6.0
    assert layer(torch.full((1, 1, 4, 4), -5.0)).max() == 0.0
