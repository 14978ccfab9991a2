"""What is spoken in a song: speech sounds that are heard, and those that letters stand for."""

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.networks.song_blocks import N_PARTS, SPEECH, ConvBlock

BANDS, FRAMES = 72, 512
TIMES = 256  # at which a speech sound is named
STEPS = 128
WIDTH = 128  # at each of those times
STEP_WIDTH = WIDTH * TIMES // STEPS
_KERNEL = 3

N_SOUNDS: Final = 41
"""Classes of speech sounds: silence, then the phones that ``training.song_networks`` names."""

_LITTLE = 0.01
_FEW = 4.0  # speech sounds in a window


class Hearing(nn.Module):
    """Convolutions over a picture of speech: two in the plane, then one over time."""

    def __init__(self) -> None:
        super().__init__()
        self.plane = nn.Sequential(ConvBlock(1, 12, (2, 2)), ConvBlock(12, 24, (2, 1)))
        self.first = nn.Conv1d(24 * BANDS // 4, WIDTH, 1)
        self.first_bn = nn.BatchNorm1d(WIDTH)
        self.second = nn.Conv1d(WIDTH, WIDTH, _KERNEL, padding=_KERNEL // 2)
        self.second_bn = nn.BatchNorm1d(WIDTH)
        self.sounds = nn.Linear(WIDTH, N_SOUNDS)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Return what is heard at each time, and what names the speech sounds there.

        Args:
            pictures: Levels 0 .. 1, shape (B, BANDS, FRAMES).

        Returns:
            Shapes (B, TIMES, WIDTH) and (B, TIMES, N_SOUNDS).
        """
        planes = self.plane(pictures[:, None]).flatten(1, 2)  # (B, channels * bands, TIMES)
        planes = functional.relu(self.first_bn(self.first(planes)))
        planes = planes + functional.relu(self.second_bn(self.second(planes)))
        heard = planes.transpose(1, 2)
        return heard, self.sounds(heard)


class Spoken(nn.Module):
    """How often each speech sound begins in each part of the time, as a row.

    How long a sound lasts leaves no trace, so letters and singing are counted alike. Rows are of
    unit length in training; in use, one of a sound in which little is spoken is as much shorter,
    so that an instrument says nothing rather than always the same.
    """

    def __init__(self) -> None:
        super().__init__()
        self.exit = nn.Linear((N_PARTS + 1) * (N_SOUNDS - 1), SPEECH, bias=False)
        self.norm = nn.BatchNorm1d(SPEECH)

    def forward(self, named: Tensor, shares: Tensor | None = None) -> Tensor:
        """Return rows (B, SPEECH), not longer than 1.

        Args:
            named: What names the sounds one after the other, shape (B, T, N_SOUNDS).
            shares: Of each of the T in each part, (B, T, N_PARTS); without them each eighth is one.
        """
        counts = beginnings(named.float().softmax(dim=-1)[..., 1:])
        if shares is None:
            parts = counts.reshape(len(counts), N_PARTS, -1, counts.shape[-1]).sum(dim=2)
        else:
            parts = shares.float().transpose(1, 2) @ counts
        seen = torch.cat([parts, parts.sum(dim=1, keepdim=True)], dim=1)
        roots = (seen.flatten(1) + _LITTLE).sqrt()
        row = functional.normalize(self.norm(self.exit(roots)), dim=1)
        if self.training:
            return row
        return row * (1.0 - torch.exp(-parts.sum(dim=(1, 2)) / _FEW))[:, None]


def beginnings(shares: Tensor) -> Tensor:
    """Return by how much the share of each sound rises at each place, shape (B, T, S)."""
    before = functional.pad(shares, (0, 0, 1, 0))[:, :-1]
    return (shares - before).clamp(min=0.0)
