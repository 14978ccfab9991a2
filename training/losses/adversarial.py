"""Gradient reversal: one optimiser trains a discriminator and what should fool it."""

import math
from typing import Any

import torch
from torch import Tensor


class _Reversal(torch.autograd.Function):
    """The identity whose gradient is multiplied by a negative number."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, weight: float) -> Tensor:
        """Return the rows as they are."""
        ctx.weight = weight
        return rows.view_as(rows)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Turn the gradient round."""
        return -ctx.weight * gradients[0], None


def reverse_gradient(rows: Tensor, weight: float) -> Tensor:
    """Rows unchanged; their gradient is multiplied by -weight (Ganin and Lempitsky, ICML 2015)."""
    reversed_rows: Tensor = _Reversal.apply(rows, weight)  # type: ignore[no-untyped-call]
    return reversed_rows


def reversal_weight(progress: float) -> float:
    """2 / (1 + exp(-10 p)) - 1, from 0 to 1 as the share p of training in [0, 1] passes.

    Example:
        >>> reversal_weight(0.0), round(reversal_weight(1.0), 3)
        (0.0, 1.0)
    """
    return 2.0 / (1.0 + math.exp(-10.0 * progress)) - 1.0


def modality_loss(logits: Tensor, modality: Tensor) -> Tensor:
    """Cross-entropy of the discriminator.

    Args:
        logits: Shape (B, M).
        modality: Number of the view of each row, shape (B,), int64.
    """
    return torch.nn.functional.cross_entropy(logits, modality)
