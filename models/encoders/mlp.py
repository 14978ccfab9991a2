"""A multi-layer perceptron on pooled features."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from models.encoders.specification import Specification, share, sizes, value
from models.errors import ShapeError


class TanhSigmoid(nn.Module):
    """The sigmoid of a tanh, in (0.27, 0.73): the output of TNN-C-CCA as released."""

    def forward(self, rows: Tensor) -> Tensor:
        """Map rows (..., H) entry by entry."""
        return torch.sigmoid(torch.tanh(rows))


ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "tanh-sigmoid": TanhSigmoid,
    "none": nn.Identity,
}
NORMALISATIONS: dict[str, type[nn.Module]] = {
    "batch": nn.BatchNorm1d,
    "layer": nn.LayerNorm,
    "none": nn.Identity,
}


def mlp_specification(
    sizes: Sequence[int],
    *,
    activation: str = "relu",
    last_activation: str = "none",
    normalisation: str = "none",
    dropout: float = 0.0,
    input_dropout: float = 0.0,
) -> Specification:
    """Describe a perceptron.

    Args:
        sizes: D, the hidden widths H, and K; at least two numbers.
        activation: After each hidden layer, a key of ``ACTIVATIONS``.
        last_activation: After the last layer.
        normalisation: Before each hidden activation, a key of ``NORMALISATIONS``.
        dropout: Share of hidden units set to zero in training, in [0, 1).
        input_dropout: Share of input features set to zero in training, in [0, 1).
    """
    return {
        "kind": "mlp",
        "sizes": [int(size) for size in sizes],
        "activation": activation,
        "last_activation": last_activation,
        "normalisation": normalisation,
        "dropout": float(dropout),
        "input_dropout": float(input_dropout),
    }


class MLP(nn.Module):
    """Dropout, then linear, normalisation, activation, dropout per hidden layer, then linear."""

    def __init__(self, specification: Specification) -> None:
        super().__init__()
        widths = sizes(specification, "sizes")
        activation = _entry(ACTIVATIONS, specification, "activation")
        normalisation = _entry(NORMALISATIONS, specification, "normalisation")
        dropout = share(specification, "dropout")
        layers: list[nn.Module] = [nn.Dropout(share(specification, "input_dropout"))]
        for width_in, width_out in pairwise(widths[:-1]):
            layers += [nn.Linear(width_in, width_out), normalisation(width_out)]
            layers += [activation(), nn.Dropout(dropout)]
        layers += [nn.Linear(widths[-2], widths[-1])]
        layers += [_entry(ACTIVATIONS, specification, "last_activation")()]
        self.layers = nn.Sequential(*layers)

    def forward(self, rows: Tensor) -> Tensor:
        """Map rows (B, D) to (B, K); sequences (B, T, D) are averaged over time first."""
        output: Tensor = self.layers(rows.mean(dim=1) if rows.ndim == 3 else rows)
        return output


def _entry(
    table: dict[str, type[nn.Module]], specification: Specification, key: str
) -> type[nn.Module]:
    name = value(specification, key, str)
    if name not in table:
        raise ShapeError(f"expected {key} of {sorted(table)}, got {name!r}")
    return table[name]
