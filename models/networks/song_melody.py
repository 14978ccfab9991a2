"""What a song network makes of its steps to recognise a melody in any key."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.networks.song_blocks import WIDTH

LOWEST, HIGHEST = 36, 96  # MIDI pitches with a class of their own
N_PITCHES = HIGHEST - LOWEST + 2
"""Classes of a step: 0 for no note, then the pitches."""

REACH = 24  # semitones above and below the middle that are looked at
_FREE = 64  # numbers of a step beside its pitches, such as that a note begins
_FILTERS, _KERNEL = 128, 7


class RelativeMelody(nn.Module):
    """Names the pitch at each step, then looks at the pitches around their middle.

    Moved to another key, a melody keeps its pitches here, so far as they are named rightly. A few
    numbers of each step go in beside them; that those say nothing of the key is up to training.
    """

    def __init__(self) -> None:
        super().__init__()
        self.pitches = nn.Linear(WIDTH, N_PITCHES)
        self.free = nn.Linear(WIDTH, _FREE)
        channels = 2 * REACH + 1 + 1 + _FREE
        self.first = nn.Conv1d(channels, _FILTERS, _KERNEL, padding=_KERNEL // 2)
        self.bn = nn.BatchNorm1d(_FILTERS)
        self.second = nn.Conv1d(_FILTERS, WIDTH, 3, padding=1)

    def forward(self, steps: Tensor) -> tuple[Tensor, Tensor]:
        """Return steps of the melody (B, T, WIDTH) and what names the pitches (B, T, N_PITCHES).

        Args:
            steps: Of a picture, shape (B, T, WIDTH).
        """
        named = self.pitches(steps)
        shares = named.float().softmax(dim=-1)
        seen = [around_the_middle(shares[..., 1:]), shares[..., :1], self.free(steps).float()]
        planes = torch.cat(seen, dim=-1).transpose(1, 2)
        planes = functional.relu(self.bn(self.first(planes)))
        planes = functional.relu(self.second(planes))
        return planes.transpose(1, 2), named


def around_the_middle(shares: Tensor) -> Tensor:
    """Move the pitches of each melody so that the middle of those that occur is at ``REACH``.

    The middle is the mean of the pitches, each weighted by the square of its largest share, however
    long it lasts: so it is the same of a sound and of noteheads. Between two whole semitones shares
    are interpolated.

    Args:
        shares: Of each pitch at each step, shape (B, T, P), >= 0.

    Returns:
        Shape (B, T, 2 * REACH + 1); 0 beyond the first and last pitch.
    """
    n_pitches = shares.shape[-1]
    numbers = torch.arange(n_pitches, dtype=shares.dtype, device=shares.device)
    weights = shares.detach().amax(dim=1).square()  # (B, P)
    middle = (weights * numbers).sum(dim=1) / weights.sum(dim=1).clamp(min=1e-6)
    offsets = torch.arange(-REACH, REACH + 1, dtype=shares.dtype, device=shares.device)
    places = middle[:, None] + offsets  # (B, 2 * REACH + 1)
    below = places.floor()
    part = (places - below)[:, None]
    padded = functional.pad(shares, (1, 1))
    first = (below + 1).clamp(0, n_pitches + 1).long()
    second = (below + 2).clamp(0, n_pitches + 1).long()
    size = (-1, shares.shape[1], -1)
    lower = padded.gather(2, first[:, None].expand(size))
    upper = padded.gather(2, second[:, None].expand(size))
    return (1.0 - part) * lower + part * upper
