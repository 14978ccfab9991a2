"""The terms of UGAAR: distance to the ground truth, and the game about pairs."""

import torch
from torch import Tensor
from torch.nn import functional


def component_error(found: Tensor, wanted: Tensor) -> Tensor:
    """Mean squared distance per component; 0 without rows.

    Args:
        found: Shape (B, ..., K).
        wanted: The same shape.
    """
    return (found - wanted).square().sum() / max(found.numel(), 1)


def discrimination_loss(real: Tensor, false: Tensor) -> Tensor:
    """Cross-entropy of a discriminator, real and false pairs counting one half each.

    1/2 mean softplus(-real) + 1/2 mean softplus(false): log 2 for one that cannot tell, and
    log 2 - JSD (natural logarithms) for the best one (Goodfellow et al., NeurIPS 2014).

    Args:
        real: Logits of ground-truth pairs, shape (B,).
        false: Logits of generated or mismatched pairs, shape (B',).
    """
    return 0.5 * (functional.softplus(-real).mean() + functional.softplus(false).mean())


def mismatched(rows: Tensor) -> Tensor:
    """Each row replaced by the next one in the batch, (B, ...): none keeps its own for B > 1."""
    return torch.roll(rows, 1, dims=0)
