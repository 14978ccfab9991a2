"""Disturbances in training: what changes pictures of staves and of sound, but not the song."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from models.features.songs.log_frequency import PITCHES, SPEECH

_MOST_CUT = 0.05  # of a window, at each end
_LEAST_SNR_DB, _MOST_SNR_DB = 3.0, 50.0
_RANGE_DB = 60.0
_MOST_LEFT_OUT = 0.2


class Heard(NamedTuple):
    """Disturbed sound.

    Attributes:
        pictures: Shape (B, ROWS, COLUMNS), 0..255.
        start: Where each begins in the undisturbed window, shape (B,), 0 is its start.
        end: Where each ends, shape (B,), 1 is its end.
        shift: Semitones upwards, shape (B,), int64.
    """

    pictures: Tensor
    start: Tensor
    end: Tensor
    shift: Tensor


def disturbed_sound(pictures: Tensor, transposition: int) -> Heard:
    """Cut the ends, transpose, add noise and colour.

    Args:
        pictures: Shape (B, ROWS, COLUMNS) of ``models.features.songs.log_frequency``, 0..255.
        transposition: Semitones, at most; every number of them is as likely.
    """
    size = len(pictures)
    start = torch.rand(size) * 2 * _MOST_CUT - _MOST_CUT
    end = 1.0 + torch.rand(size) * 2 * _MOST_CUT - _MOST_CUT
    shift = torch.randint(-transposition, transposition + 1, (size,))
    both = []
    for picture, own in zip((PITCHES, SPEECH), _two_pictures(pictures), strict=True):
        level = _placed(own.float() / 255.0, start, end, float(picture.per_semitone) * shift)
        both.append(_with_noise(_coloured(level)).reshape(size, -1, pictures.shape[2]))
    return Heard(torch.cat(both, dim=1) * 255.0, start, end, shift)


def undisturbed(pictures: Tensor) -> Heard:
    """Sound as it is."""
    size = len(pictures)
    return Heard(pictures, torch.zeros(size), torch.ones(size), torch.zeros(size, dtype=torch.long))


def _two_pictures(pictures: Tensor) -> tuple[Tensor, Tensor]:
    """The pictures of pitches and of speech, shapes (B, bands, frames)."""
    speech = pictures[:, PITCHES.bands :]
    return pictures[:, : PITCHES.bands], speech.reshape(-1, SPEECH.bands, SPEECH.frames)


class Seen(NamedTuple):
    """Disturbed strips.

    Attributes:
        pictures: Shape (B, rows, columns), 0..255.
        start: What is seen at the left end, shape (B,), 0 is the left end of the staff.
        end: What is seen at the right end, shape (B,), 1 is the right end of the staff.
    """

    pictures: Tensor
    start: Tensor
    end: Tensor


def disturbed_staff(strips: Tensor) -> Seen:
    """Turn, stretch and move strips a little, and make ink and paper uneven.

    Args:
        strips: Shape (B, rows, columns), 0..255.
    """
    size, rows, columns = strips.shape
    turn = (torch.rand(size) - 0.5) * 2 * 0.03  # rows per row-height over the whole length
    tall, wide = (1.0 + (torch.rand(size) - 0.5) * 2 * share for share in (0.05, 0.04))
    up, along = ((torch.rand(size) - 0.5) * 2 * share for share in (0.03, 0.03))
    theta = torch.zeros(size, 2, 3)
    theta[:, 0, 0], theta[:, 0, 2] = wide, along
    theta[:, 1, 0], theta[:, 1, 1], theta[:, 1, 2] = turn, tall, up
    grid = functional.affine_grid(theta, [size, 1, rows, columns], align_corners=False)
    ink = functional.grid_sample(strips[:, None].float() / 255.0, grid, align_corners=False)
    blurred = functional.avg_pool2d(ink, 3, 1, 1)
    share = torch.rand(size, 1, 1, 1) ** 2
    ink = (1.0 - share) * ink + share * blurred
    ink = ink ** torch.empty(size, 1, 1, 1).uniform_(0.6, 1.6)
    noise = torch.rand(size, 1, 1, 1) ** 2 * 0.2 * torch.randn_like(ink)
    pictures = (ink + noise).clamp(0.0, 1.0)[:, 0] * 255.0
    return Seen(pictures, 0.5 * (1.0 + along - wide), 0.5 * (1.0 + along + wide))


def disturbed_words(codes: Tensor) -> Tensor:
    """Leave out up to a fifth of the characters of each text.

    Args:
        codes: Shape (B, length), uint8.
    """
    share = _MOST_LEFT_OUT * torch.rand(len(codes), 1)
    return codes * (torch.rand(codes.shape) >= share)


def _placed(level: Tensor, start: Tensor, end: Tensor, bands: Tensor) -> Tensor:
    """Frames from start to end, moved upwards by a number of bands."""
    size, rows, columns = level.shape
    theta = torch.zeros(size, 2, 3)
    theta[:, 0, 0] = end - start
    theta[:, 0, 2] = end + start - 1.0
    theta[:, 1, 1] = 1.0
    theta[:, 1, 2] = -2.0 * bands / rows
    grid = functional.affine_grid(theta, [size, 1, rows, columns], align_corners=False)
    return functional.grid_sample(level[:, None], grid, align_corners=False)[:, 0]


def _coloured(level: Tensor) -> Tensor:
    """Tilt and bend the spectrum by up to 12 dB, as rooms and microphones do."""
    size, rows, _ = level.shape
    place = torch.linspace(-1.0, 1.0, rows)[None, :, None]
    tilt = (torch.rand(size, 1, 1) - 0.5) * 0.4
    bend = (torch.rand(size, 1, 1) - 0.5) * 0.2
    gain = tilt * place + bend * torch.cos(3.0 * place + 6.3 * torch.rand(size, 1, 1))
    louder = level + gain * (level > 0)
    return louder + (1.0 - louder.amax(dim=(1, 2), keepdim=True))


def _with_noise(level: Tensor) -> Tensor:
    """Add power of noise, white or falling with frequency, at 3 to 50 dB below the sound."""
    size, rows, columns = level.shape
    power = 10.0 ** ((level - 1.0) * _RANGE_DB / 10.0) * (level > 0)
    snr = torch.empty(size, 1, 1).uniform_(_LEAST_SNR_DB, _MOST_SNR_DB)
    slope = torch.empty(size, 1, 1).uniform_(-1.0, 1.0)  # power over bands, log scale
    profile = 10.0 ** (slope * torch.linspace(-1.0, 1.0, rows)[None, :, None])
    grain = torch.empty(size, rows, columns).exponential_()
    noise = profile / profile.mean(dim=1, keepdim=True) * grain
    mean = power.mean(dim=(1, 2), keepdim=True)
    power = power + noise * mean * 10.0 ** (-snr / 10.0)
    decibels = 10.0 * torch.log10(power + 1e-9)
    decibels = decibels - decibels.amax(dim=(1, 2), keepdim=True)
    return (1.0 + decibels / _RANGE_DB).clamp(0.0, 1.0)
