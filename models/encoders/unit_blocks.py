"""Embeddings side by side in one row, each with a fixed share in the cosine of two rows."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.encoders.specification import Specification, share, sizes, value
from models.errors import ShapeError


def unit_blocks_specification(widths: Sequence[int], shares: Sequence[float]) -> Specification:
    """Describe blocks of components.

    Args:
        widths: Number of components of each block; at least two blocks.
        shares: Of each block in the cosine of two rows, in [0, 1), summing to 1.
    """
    return {
        "kind": "unit-blocks",
        "widths": [int(width) for width in widths],
        "shares": [float(one) for one in shares],
    }


class UnitBlocks(nn.Module):
    """Scales block b of every row to length sqrt(share_b).

    The cosine of two rows is then the sum over blocks of the share times the cosine of the block.
    """

    def __init__(self, specification: Specification) -> None:
        super().__init__()
        self.widths = sizes(specification, "widths")
        found = value(specification, "shares", list)
        if len(found) != len(self.widths):
            raise ShapeError(f"expected a share for each of {self.widths}, got {found}")
        self.shares = [share({"kind": "unit-blocks", "shares": one}, "shares") for one in found]

    def forward(self, rows: Tensor) -> Tensor:
        """Scale the blocks of rows (B, K); a block of zeros stays one."""
        blocks = torch.split(rows, self.widths, dim=1)
        scaled = zip(self.shares, blocks, strict=True)
        return torch.cat([math.sqrt(s) * functional.normalize(b, dim=1) for s, b in scaled], dim=1)
