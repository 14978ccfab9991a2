"""The network that reads the words of a song, character by character, in any language."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.networks.song_blocks import WIDTH, WORDS, WORDS_DROPOUT, Steps, Summary

N_CODES = 160
LENGTH = 192
_EMBEDDING = 64
_KERNEL = 5


class SongLyrics(nn.Module):
    """Convolutions over characters, then steps, then a unit row beside those of the music.

    Code 0 is no character: it fills up a text to ``LENGTH``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.characters = nn.Embedding(N_CODES, _EMBEDDING, padding_idx=0)
        self.first = nn.Conv1d(_EMBEDDING, WIDTH, _KERNEL, padding=_KERNEL // 2)
        self.second = nn.Conv1d(WIDTH, WIDTH, _KERNEL, padding=_KERNEL // 2)
        self.steps_of = Steps(WIDTH, LENGTH // 2)
        self.words = Summary(WORDS, dropout=WORDS_DROPOUT)
        self.length = nn.Linear(1, WIDTH)

    def forward(self, codes: Tensor) -> Tensor:
        """Return unit rows (B, WORDS) of codes (B, LENGTH), uint8."""
        row: Tensor = self.words(self.steps(codes))
        return row

    def steps(self, codes: Tensor) -> Tensor:
        """Return a step for two characters, shape (B, LENGTH / 2, WIDTH); zeros behind the text."""
        codes = codes.long()
        planes = self.characters(codes).transpose(1, 2)
        planes = functional.relu(self.first(planes))
        planes = planes + functional.relu(self.second(planes))
        planes = functional.avg_pool1d(planes, 2)
        there = (codes > 0).reshape(len(codes), -1, 2).any(dim=2)
        share = there.float().mean(dim=1)[:, None, None]  # how long the text is
        steps = planes.transpose(1, 2) + self.length(share)
        absent = ~there & there.any(dim=1, keepdim=True)  # no text at all attends to itself
        found: Tensor = self.steps_of(steps, absent)
        return torch.where(there[:, :, None], found, torch.zeros_like(found))
