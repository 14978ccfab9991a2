"""The game of ACMR: a discriminator tells the view of an output, the encoders hide it."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from training.losses.adversarial import modality_loss, reversal_weight, reverse_gradient


def modality_part(
    discriminator: nn.Module, outputs: Mapping[str, Tensor], *, weight: float, progress: float
) -> Tensor:
    """Cross-entropy of the discriminator, reversed for the encoders with a rising weight.

    Args:
        discriminator: Maps outputs (B, K) to logits (B, M).
        outputs: Of each view.
        weight: Of the term, for both players.
        progress: Share of training that has passed, in [0, 1).
    """
    rows = torch.cat(list(outputs.values()))
    numbers = [
        torch.full((len(x),), number, device=x.device) for number, x in enumerate(outputs.values())
    ]
    hidden = reverse_gradient(rows, reversal_weight(progress))
    return weight * modality_loss(discriminator(hidden), torch.cat(numbers))
