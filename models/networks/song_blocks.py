"""What the networks of sheet music, lyrics and melodies share: from steps to a row."""

import torch
from torch import Tensor, nn
from torch.nn import functional

WIDTH = 192  # of a step
MELODY, PROSODY, SPEECH = 192, 64, 64
"""Numbers of a row: about the notes, about how words go with notes, about what is spoken."""

PROSODY_DROPOUT = 0.3  # words are learned by heart where they can be
N_PARTS = 8  # of the time of a window, or of the length of a staff
_HEADS = 4
_STEPS_OF_A_PART = 4.0


class ConvBlock(nn.Module):
    """Convolution over a picture, batch normalisation, ReLU.

    Args:
        channels: Input channels.
        filters: Output channels.
        stride: Rows and columns of the input per row and column of the output.
    """

    def __init__(self, channels: int, filters: int, stride: tuple[int, int]) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, filters, 3, stride, padding=1)
        self.bn = nn.BatchNorm2d(filters)

    def forward(self, planes: Tensor) -> Tensor:
        """Return (B, filters, rows, columns)."""
        return functional.relu(self.bn(self.conv(planes)))


class Steps(nn.Module):
    """One layer of a transformer over steps that know their place.

    Args:
        width: Numbers of a step that comes in.
        length: Steps, at most.
    """

    def __init__(self, width: int, length: int) -> None:
        super().__init__()
        self.entry = nn.Linear(width, WIDTH)
        self.place = nn.Parameter(0.02 * torch.randn(length, WIDTH))
        self.layer = nn.TransformerEncoderLayer(
            WIDTH, _HEADS, 2 * WIDTH, dropout=0.0, batch_first=True, norm_first=True
        )

    def forward(self, steps: Tensor, absent: Tensor | None = None) -> Tensor:
        """Return steps (B, T, WIDTH).

        Args:
            steps: Shape (B, T, width).
            absent: True where there is no step, shape (B, T); None where all are there.
        """
        steps = self.entry(steps) + self.place[: steps.shape[1]]
        result: Tensor = self.layer(steps, src_key_padding_mask=absent)
        return result


class Summary(nn.Module):
    """Steps to one unit row: what there is on average, at most, and in each eighth of them.

    Args:
        size: Numbers of the row.
        dropout: Of what the row is computed from, in training.
    """

    def __init__(self, size: int, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.part = nn.Linear(WIDTH, 48)
        self.exit = nn.Linear(2 * WIDTH + 48 * N_PARTS, size)
        self.norm = nn.BatchNorm1d(size)  # without it all rows begin as one, and part slowly

    def forward(self, steps: Tensor, shares: Tensor | None = None) -> Tensor:
        """Return unit rows (B, size) of steps (B, T, WIDTH).

        Args:
            steps: T is a multiple of ``N_PARTS``, where there are no shares.
            shares: Of each step in each part, shape (B, T, N_PARTS); without them each eighth of
                the steps is a part.
        """
        parts = self.part(steps)
        if shares is None:
            parts = parts.reshape(len(steps), N_PARTS, -1, parts.shape[-1]).mean(dim=2)
        else:
            parts = shares.transpose(1, 2).to(parts.dtype) @ parts / _STEPS_OF_A_PART
        joined = torch.cat([steps.mean(dim=1), steps.amax(dim=1), parts.flatten(1)], dim=1)
        return functional.normalize(self.norm(self.exit(self.dropout(joined))), dim=1)
