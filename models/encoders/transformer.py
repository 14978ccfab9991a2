"""A transformer encoder over time with sinusoidal positions (Vaswani et al., NeurIPS 2017)."""

import math

import torch
from torch import Tensor, nn

from models.encoders.specification import Specification, share, size
from models.errors import ShapeError


def transformer_specification(
    dimension: int, hidden: int, n_components: int, *, layers: int, heads: int, dropout: float
) -> Specification:
    """Describe a transformer encoder.

    Args:
        dimension: D of a step.
        hidden: H, a multiple of ``heads``.
        n_components: K.
        layers: Number of self-attention blocks.
        heads: Attention heads per block.
        dropout: In training, in [0, 1).
    """
    return {
        "kind": "transformer",
        "dimension": int(dimension),
        "hidden": int(hidden),
        "n_components": int(n_components),
        "layers": int(layers),
        "heads": int(heads),
        "dropout": float(dropout),
    }


def positions(n_steps: int, width: int) -> Tensor:
    """Sinusoids of T steps, shape (T, H): sin and cos of t / 10000^(2i/H), interleaved by halves.

    Example:
        >>> positions(1, 4).tolist()
        [[0.0, 0.0, 1.0, 1.0]]
    """
    time = torch.arange(n_steps, dtype=torch.float32)[:, None]
    half = (width + 1) // 2
    rates = torch.exp(-math.log(10_000.0) * torch.arange(half, dtype=torch.float32) / half)
    angles = time * rates  # (T, H / 2)
    return torch.cat([torch.sin(angles), torch.cos(angles)], dim=1)[:, :width]


class TransformerEncoder(nn.Module):
    """Steps with positions -> self-attention blocks -> mean over time -> K numbers."""

    def __init__(self, specification: Specification) -> None:
        super().__init__()
        d, h = size(specification, "dimension"), size(specification, "hidden")
        heads, dropout = size(specification, "heads"), share(specification, "dropout")
        if h % heads:
            raise ShapeError(f"expected hidden to be a multiple of heads, got {h} and {heads}")
        self.step = nn.Sequential(nn.Dropout(dropout / 2), nn.Linear(d, h), nn.LayerNorm(h))
        block = nn.TransformerEncoderLayer(
            h,
            heads,
            dim_feedforward=2 * h,
            dropout=dropout,
            activation="gelu",
            batch_first=True,
            norm_first=True,
        )
        self.blocks = nn.TransformerEncoder(
            block, size(specification, "layers"), enable_nested_tensor=False
        )
        self.output = nn.Sequential(
            nn.LayerNorm(h),
            nn.Dropout(dropout),
            nn.Linear(h, size(specification, "n_components")),
        )

    def steps(self, rows: Tensor) -> Tensor:
        """Contextual steps (B, T, H) of rows (B, T, D), or of (B, D) as one step."""
        steps = self.step(rows if rows.ndim == 3 else rows[:, None, :])
        steps = steps + positions(steps.shape[1], steps.shape[2]).to(steps)
        contextual: Tensor = self.blocks(steps)
        return contextual

    def pool(self, steps: Tensor) -> Tensor:
        """Embedding (B, K) of contextual steps (B, T, H)."""
        output: Tensor = self.output(steps.mean(dim=1))
        return output

    def forward(self, rows: Tensor) -> Tensor:
        """Map rows (B, T, D) or (B, D) to (B, K)."""
        return self.pool(self.steps(rows))
