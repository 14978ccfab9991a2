"""Dynamic pooling over time: learned queries decide which steps of a sequence count."""

import torch
from torch import Tensor, nn

from models.encoders.specification import Specification, share, size


def attention_specification(
    dimension: int, hidden: int, n_components: int, *, heads: int, dropout: float
) -> Specification:
    """Describe an attention encoder.

    Args:
        dimension: D of a step.
        hidden: H, width of the steps inside.
        n_components: K.
        heads: Number of queries; each pools the sequence with weights of its own.
        dropout: In training, in [0, 1).
    """
    return {
        "kind": "attention",
        "dimension": int(dimension),
        "hidden": int(hidden),
        "n_components": int(n_components),
        "heads": int(heads),
        "dropout": float(dropout),
    }


class AttentionEncoder(nn.Module):
    """Steps -> hidden steps -> one row per query, weighted by softmax over time -> K numbers.

    The mean of the steps is one more row, so that a sequence of equal steps loses nothing.
    """

    def __init__(self, specification: Specification) -> None:
        super().__init__()
        d, h = size(specification, "dimension"), size(specification, "hidden")
        heads, dropout = size(specification, "heads"), share(specification, "dropout")
        self.step = nn.Sequential(
            nn.Dropout(dropout / 2), nn.Linear(d, h), nn.LayerNorm(h), nn.GELU()
        )
        self.scores = nn.Linear(h, heads)
        self.output = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(h * (heads + 1), size(specification, "n_components"))
        )

    def steps(self, rows: Tensor) -> Tensor:
        """Hidden steps (B, T, H) of rows (B, T, D), or of (B, D) as one step."""
        hidden: Tensor = self.step(rows if rows.ndim == 3 else rows[:, None, :])
        return hidden

    def weights(self, steps: Tensor) -> Tensor:
        """How much each step counts for each query, (B, T, heads), summing to 1 over time."""
        return torch.softmax(self.scores(steps), dim=1)

    def pool(self, steps: Tensor) -> Tensor:
        """Embedding (B, K) of hidden steps (B, T, H)."""
        pooled = torch.einsum("bth,btq->bqh", steps, self.weights(steps))
        rows = torch.cat([pooled.flatten(1), steps.mean(dim=1)], dim=1)  # (B, (heads + 1) H)
        output: Tensor = self.output(rows)
        return output

    def forward(self, rows: Tensor) -> Tensor:
        """Map rows (B, T, D) or (B, D) to (B, K)."""
        return self.pool(self.steps(rows))
