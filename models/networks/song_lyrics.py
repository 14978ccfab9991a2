"""The network that reads the words of a song, character by character, in any language."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.networks.song_blocks import (
    N_PARTS,
    PROSODY,
    PROSODY_DROPOUT,
    WIDTH,
    Steps,
    Summary,
)
from models.networks.song_speech import N_SOUNDS, Spoken

N_CODES = 160
LENGTH = 192
STEPS = LENGTH // 2
PLACES = 32  # of a window, at which a syllable may begin
_EMBEDDING = 64
_WAVES = 4
_KERNEL = 5


class Told(NamedTuple):
    """What the network makes of words.

    Attributes:
        steps: Shape (B, STEPS, WIDTH).
        rows: Of prosody, of unit length, and of speech, side by side, (B, PROSODY + SPEECH).
        places: What tells when the syllable of each step is sung, shape (B, STEPS, PLACES).
        sounds: What names the speech sound of each character, shape (B, LENGTH, N_SOUNDS).
    """

    steps: Tensor
    rows: Tensor
    places: Tensor
    sounds: Tensor


class SongLyrics(nn.Module):
    """Convolutions over characters, then steps, then rows beside those of the music.

    The network guesses when each syllable would be sung, so that the parts of its rows are parts of
    the time, as those of the music are, and which sound each letter stands for. Code 0 is no
    character: it fills up a text to ``LENGTH``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.characters = nn.Embedding(N_CODES, _EMBEDDING, padding_idx=0)
        self.first = nn.Conv1d(_EMBEDDING, WIDTH, _KERNEL, padding=_KERNEL // 2)
        self.second = nn.Conv1d(WIDTH, WIDTH, 3, padding=1)
        self.steps_of = Steps(WIDTH, STEPS)
        self.place = nn.Linear(WIDTH, PLACES)
        self.sounds = nn.Linear(WIDTH, 2 * N_SOUNDS)
        self.prosody = Summary(PROSODY, dropout=PROSODY_DROPOUT)
        self.spoken = Spoken()
        self.length = nn.Linear(1 + 2 * _WAVES, WIDTH)

    def forward(self, codes: Tensor) -> Tensor:
        """Return rows (B, PROSODY + SPEECH) of codes (B, LENGTH), uint8."""
        return self.noticed(codes).rows

    def noticed(self, codes: Tensor) -> Told:
        """Return rows and all that training looks at."""
        steps = self.steps(codes)
        places = self.place(steps)
        shares = places.float().softmax(dim=-1).reshape(*places.shape[:2], N_PARTS, -1).sum(dim=-1)
        shares = shares * _there(codes)[:, :, None]
        sounds = self.sounds(steps).reshape(len(codes), LENGTH, -1)
        spoken = self.spoken(sounds, shares.repeat_interleave(2, dim=1))
        rows = torch.cat([self.prosody(steps, shares), spoken], dim=1)
        return Told(steps, rows, places, sounds)

    def steps(self, codes: Tensor) -> Tensor:
        """Return a step for two characters, shape (B, STEPS, WIDTH); zeros behind the text."""
        there = _there(codes)
        planes = self.characters(codes.long()).transpose(1, 2)
        planes = functional.relu(self.first(planes))
        planes = planes + functional.relu(self.second(planes))
        planes = functional.avg_pool1d(planes, 2)
        steps = planes.transpose(1, 2) + self.length(_extent(there))
        absent = ~there & there.any(dim=1, keepdim=True)  # no text at all attends to itself
        found: Tensor = self.steps_of(steps, absent)
        return torch.where(there[:, :, None], found, torch.zeros_like(found))


def _extent(there: Tensor) -> Tensor:
    """How long the text is, and where in it each step lies, shape (B, STEPS, 1 + 2 * waves)."""
    numbers = torch.arange(1, STEPS + 1, device=there.device)
    length = (there * numbers).amax(dim=1).float()[:, None, None]
    place = (numbers[None, :, None] - 0.5) / length.clamp(min=1.0)
    angles = place.clamp(max=1.0) * torch.pi * 2.0 ** torch.arange(_WAVES, device=there.device)
    share = (length / STEPS).expand(-1, STEPS, 1)
    return torch.cat([share, angles.cos(), angles.sin()], dim=2)


def _there(codes: Tensor) -> Tensor:
    """Whether a step has a character, shape (B, STEPS)."""
    return (codes > 0).reshape(len(codes), -1, 2).any(dim=2)
