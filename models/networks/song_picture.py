"""The networks that read a line of sheet music and that hear a song: one build, two pictures."""

from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from models.networks import song_speech
from models.networks.song_blocks import (
    MELODY,
    PROSODY,
    PROSODY_DROPOUT,
    ConvBlock,
    Steps,
    Summary,
)
from models.networks.song_melody import RelativeMelody
from models.networks.song_speech import Hearing, Spoken


class Noticed(NamedTuple):
    """What a network makes of pictures.

    Attributes:
        steps: Shape (B, T, WIDTH).
        rows: Side by side, shape (B, MELODY + PROSODY), of sound SPEECH more.
        pitches: What names the pitch at each step, shape (B, T, N_PITCHES).
        sounds: What names the speech sound at each time, (B, TIMES, N_SOUNDS); None of sheet
            music.
    """

    steps: Tensor
    rows: Tensor
    pitches: Tensor
    sounds: Tensor | None


class SongPicture(nn.Module):
    """Convolutions over a picture whose columns are time, then steps, then rows side by side.

    The first is close to that of the other picture of the same music (``MELODY`` numbers), the
    second to that of its words (``PROSODY`` numbers), both of unit length; sound has a third, close
    to its words where they are sung (``SPEECH`` numbers, see ``Spoken``).
    """

    rows: ClassVar[int]
    columns: ClassVar[int]
    blocks: ClassVar[tuple[tuple[int, tuple[int, int]], ...]]
    beside: ClassVar[int] = 0  # numbers of a step from elsewhere than the convolutions

    def __init__(self) -> None:
        super().__init__()
        channels, height, length = 1, self.rows, self.columns
        layers = []
        for filters, stride in self.blocks:
            layers.append(ConvBlock(channels, filters, stride))
            channels, height, length = filters, height // stride[0], length // stride[1]
        self.convolutions = nn.Sequential(*layers)
        self.steps_of = Steps(channels * height + self.beside, length)
        self.melody_of = RelativeMelody()
        self.melody = Summary(MELODY)
        self.prosody = Summary(PROSODY, dropout=PROSODY_DROPOUT)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the rows side by side."""
        return self.noticed(pictures).rows

    def steps(self, pictures: Tensor) -> Tensor:
        """Return the steps, shape (B, T, WIDTH).

        Args:
            pictures: 0 (paper, silence) .. 255 (ink, loud), shape (B, rows, columns), of sound with
                the picture of speech below, uint8 or float.
        """
        found: Tensor = self.steps_of(self._columns(pictures.float() / 255.0))
        return found

    def noticed(self, pictures: Tensor) -> Noticed:
        """Return rows and all that training looks at."""
        steps = self.steps(pictures)
        rows, pitches = self._music(steps)
        return Noticed(steps, rows, pitches, None)

    def _music(self, steps: Tensor) -> tuple[Tensor, Tensor]:
        """Rows (B, MELODY + PROSODY) and what names the pitches."""
        melody, pitches = self.melody_of(steps)
        return torch.cat([self.melody(melody), self.prosody(steps)], dim=1), pitches

    def _columns(self, levels: Tensor) -> Tensor:
        """Columns of the last convolution, shape (B, T, channels * height)."""
        planes: Tensor = self.convolutions(levels[:, None])
        return planes.permute(0, 3, 1, 2).flatten(2)


class SongScore(SongPicture):
    """Reads one staff: 64 rows of four to a staff space, 512 columns; 64 steps."""

    rows, columns = 64, 512
    blocks = ((16, (1, 2)), (32, (2, 1)), (48, (2, 2)), (96, (2, 2)))


class SongAudio(SongPicture):
    """Hears one window: 160 half semitones, 256 frames, with a picture of speech below; 128 steps.

    The picture of speech, (72, 512), has its rows in two each: see
    ``models.features.songs.log_frequency``.
    """

    rows, columns = 160, 256
    blocks = ((16, (1, 2)), (32, (2, 1)), (40, (2, 1)), (56, (2, 1)))
    beside = song_speech.STEP_WIDTH

    def __init__(self) -> None:
        super().__init__()
        self.hearing = Hearing()
        self.spoken = Spoken()

    def steps(self, pictures: Tensor) -> Tensor:
        """Return the steps, shape (B, STEPS, WIDTH)."""
        return self._heard(pictures)[0]

    def noticed(self, pictures: Tensor) -> Noticed:
        """Return rows, with one of what is spoken, and all that training looks at."""
        steps, sounds = self._heard(pictures)
        rows, pitches = self._music(steps)
        rows = torch.cat([rows, self.spoken(sounds)], dim=1)
        return Noticed(steps, rows, pitches, sounds)

    def _heard(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Steps, and what names the speech sounds."""
        levels = pictures.float() / 255.0
        size = (-1, song_speech.BANDS, song_speech.FRAMES)
        heard, sounds = self.hearing(levels[:, self.rows :].reshape(size))
        beside = heard.reshape(len(heard), song_speech.STEPS, -1)
        steps = self.steps_of(torch.cat([self._columns(levels[:, : self.rows]), beside], dim=2))
        return steps, sounds
