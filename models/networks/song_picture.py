"""The networks that read a line of sheet music and that hear a melody: one build, two pictures."""

from typing import ClassVar

import torch
from torch import Tensor, nn

from models.networks.song_blocks import (
    MELODY,
    WORDS,
    WORDS_DROPOUT,
    ConvBlock,
    Steps,
    Summary,
)


class SongPicture(nn.Module):
    """Convolutions over a picture whose columns are time, then steps, then two unit rows.

    The first row is close to that of the other picture of the same music (``MELODY`` numbers), the
    second to that of its words (``WORDS`` numbers).
    """

    rows: ClassVar[int]
    columns: ClassVar[int]
    blocks: ClassVar[tuple[tuple[int, tuple[int, int]], ...]]

    def __init__(self) -> None:
        super().__init__()
        channels, height, length = 1, self.rows, self.columns
        layers = []
        for filters, stride in self.blocks:
            layers.append(ConvBlock(channels, filters, stride))
            channels, height, length = filters, height // stride[0], length // stride[1]
        self.convolutions = nn.Sequential(*layers)
        self.steps_of = Steps(channels * height, length)
        self.melody = Summary(MELODY)
        self.words = Summary(WORDS, dropout=WORDS_DROPOUT)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the two unit rows side by side, shape (B, MELODY + WORDS)."""
        steps = self.steps(pictures)
        return torch.cat([self.melody(steps), self.words(steps)], dim=1)

    def steps(self, pictures: Tensor) -> Tensor:
        """Return the steps, shape (B, T, WIDTH).

        Args:
            pictures: 0 (paper, silence) .. 255 (ink, loud), shape (B, rows, columns), uint8 or
                float.
        """
        planes = self.convolutions(pictures[:, None].float() / 255.0)
        columns = planes.permute(0, 3, 1, 2).flatten(2)  # (B, T, channels * height)
        found: Tensor = self.steps_of(columns)
        return found


class SongScore(SongPicture):
    """Reads one staff: 64 rows of four to a staff space, 512 columns; 64 steps."""

    rows, columns = 64, 512
    blocks = ((16, (1, 2)), (32, (2, 1)), (48, (2, 2)), (96, (2, 2)))


class SongAudio(SongPicture):
    """Hears one window: 160 half semitones, 256 frames; 128 steps."""

    rows, columns = 160, 256
    blocks = ((16, (1, 2)), (32, (2, 1)), (40, (2, 1)), (56, (2, 1)))
