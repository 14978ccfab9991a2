"""A transformer per view whose steps are translated into the other view in training.

The encoder of a view (``models/encoders/transformer.py``) embeds an item alone. In training a
decoder with positions as queries reads the encoder's steps and writes the features of the item's
partner step by step (encoder-decoder of Vaswani et al., "Attention Is All You Need", NeurIPS 2017),
so that the steps must hold what the other modality shows.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from models.encoders.specification import Specification
from models.encoders.transformer import TransformerEncoder, positions
from models.encoders.view_encoders import ViewEncoders


class TranslationDecoder(nn.Module):
    """Positions -> cross-attention to the steps of another view -> features of this view.

    Args:
        hidden: H of the steps that are read.
        heads: Attention heads.
        dimension: D of the features that are written.
    """

    def __init__(self, *, hidden: int, heads: int, dimension: int) -> None:
        super().__init__()
        self.start = nn.Parameter(0.02 * torch.randn(hidden))
        self.block = nn.TransformerDecoderLayer(
            hidden, heads, dim_feedforward=2 * hidden, dropout=0.0, batch_first=True
        )
        self.output = nn.Linear(hidden, dimension)

    def forward(self, steps: Tensor, n_steps: int) -> Tensor:
        """Write (B, n_steps, D) from steps (B, T, H)."""
        queries = self.start + positions(n_steps, steps.shape[2]).to(steps)
        written: Tensor = self.output(self.block(queries.expand(len(steps), -1, -1), steps))
        return written


class TransformerNetwork(nn.Module):
    """Transformer encoders, and a decoder that writes each view from any other.

    Args:
        encoders: Specification of each view's transformer encoder.
        hidden: H of the steps.
        heads: Attention heads of the decoders.
        dimensions: D of each view.
    """

    def __init__(
        self,
        encoders: Mapping[str, Specification],
        *,
        hidden: int,
        heads: int,
        dimensions: Mapping[str, int],
    ) -> None:
        super().__init__()
        self.encoders = ViewEncoders(encoders)
        self.decoders = nn.ModuleList(
            TranslationDecoder(hidden=hidden, heads=heads, dimension=dimensions[name])
            for name in encoders
        )

    def embed(self, view: str, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Embedding (B, K), and contextual steps (B, T, H), of rows (B, T, D)."""
        encoder = self.encoders.of_kind(view, TransformerEncoder)
        with self.encoders.precision(rows):
            steps = encoder.steps(rows)
            return encoder.pool(steps).float(), steps.float()

    def translate(self, steps: Tensor, target: str, n_steps: int) -> Tensor:
        """Features (B, n_steps, D) of the target view from steps (B, T, H) of another."""
        written: Tensor = self.decoders[self.encoders.names.index(target)](steps, n_steps)
        return written
