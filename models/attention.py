"""Sequences of two views aligned step by step in training, pooled by attention at search time.

Each view has an attention encoder (``models/encoders/attention.py``). In training the steps of one
item are compared with those of another: every step looks for its best match in time, and the mean
similarity of the matches is the likeness of the two items (late interaction, as in Khattab and
Zaharia, "ColBERT", SIGIR 2020, in both directions). At search time an item is embedded
alone.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from models.encoders.attention import AttentionEncoder
from models.encoders.specification import Specification
from models.encoders.view_encoders import ViewEncoders


class AttentionNetwork(nn.Module):
    """Attention encoders, and a projection of steps in which they are aligned.

    Args:
        encoders: Specification of each view's attention encoder.
        hidden: H of the steps.
        alignment: Width of the space in which steps are compared.
    """

    def __init__(
        self, encoders: Mapping[str, Specification], *, hidden: int, alignment: int
    ) -> None:
        super().__init__()
        self.encoders = ViewEncoders(encoders)
        self.step_maps = nn.ModuleList(nn.Linear(hidden, alignment) for _ in encoders)

    def embed(self, view: str, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Embedding (B, K), and unit steps (B, T, alignment), of rows (B, T, D)."""
        encoder = self.encoders.of_kind(view, AttentionEncoder)
        with self.encoders.precision(rows):
            steps = encoder.steps(rows)
            mapped = self.step_maps[self.encoders.names.index(view)](steps)
            pooled = encoder.pool(steps)
        return pooled.float(), nn.functional.normalize(mapped.float(), dim=2)


def aligned_similarity(first: Tensor, second: Tensor) -> Tensor:
    """Likeness of every item of one view to every item of the other, in [-1, 1].

    Args:
        first: Unit steps (A, T, H).
        second: Unit steps (B, S, H).

    Returns:
        Shape (A, B): mean over the steps of both items of their best match in the other.
    """
    cosines = torch.einsum("ath,bsh->abts", first, second)
    forward = cosines.amax(dim=3).mean(dim=2)
    backward = cosines.amax(dim=2).mean(dim=2)
    return 0.5 * (forward + backward)
