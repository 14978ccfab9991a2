"""Patches of sounds for training: cut anew in every epoch, at another level, speed and noise."""

from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from models.features.audioset_mel import MEL, PATCH_FRAMES, PATCH_SAMPLES, patches
from models.features.compact import HOP_FRAMES, LOG_OFFSET, CompactAudio, is_loud
from models.features.log_mel import resampled
from models.media.load import load
from models.types import Audio, Float32Array, Float64Array, Int64Array, Modality
from training.feature_networks.labelled_media import LabelledFile

_SPEEDS = (0.88, 1.14)
_GAIN_DB = (-12.0, 6.0)
_BACKGROUND_DB = (8.0, 25.0)  # below the sound
_NOISE_DB = (15.0, 45.0)
_MOST_BANDS, _MOST_FRAMES = 10, 20


class SoundPieces:
    """Log-mel patches of sounds that are held in memory.

    Args:
        files: What to read.
        per_file: Patches that one call of `draw` gives, at most.
    """

    def __init__(self, files: Sequence[LabelledFile], *, per_file: int) -> None:
        self._samples = [_read(one) for one in files]
        self._per_file = per_file

    def whole(self, number: int) -> Float32Array:
        """The patches that the extractor takes of a sound, unchanged, shape (P, 96, 64)."""
        samples = self._samples[number].astype(np.float32)
        return CompactAudio().prepare(Audio(samples, MEL.sample_rate_hz))

    def draw(self, number: int, rng: np.random.Generator, *, augment: bool) -> Float32Array:
        """Some patches of a sound, shape (P, 96, 64)."""
        samples = self._samples[number].astype(np.float64)
        starts = loud_starts(samples)
        count = min(self._per_file, max(1, len(samples) // PATCH_SAMPLES * 2))
        chosen = rng.choice(starts, size=count)
        if not augment:
            return _log_mel([samples[k : k + PATCH_SAMPLES] for k in chosen])
        pieces = [self._changed(samples, int(k), rng) for k in chosen]
        return np.stack([masked(one, rng) for one in _log_mel(pieces)])

    def _changed(self, samples: Float64Array, start: int, rng: np.random.Generator) -> Float64Array:
        speed = rng.uniform(*_SPEEDS)
        piece = at_speed(samples, start, speed)
        if rng.random() < 0.5:
            other = self._samples[rng.integers(len(self._samples))].astype(np.float64)
            background = at_speed(other, int(rng.choice(loud_starts(other))), 1.0)
            piece = mixed(piece, background, rng.uniform(*_BACKGROUND_DB))
        if rng.random() < 0.5:
            noise = rng.standard_normal(PATCH_SAMPLES)
            piece = mixed(piece, noise, rng.uniform(*_NOISE_DB))
        return piece * 10.0 ** (rng.uniform(*_GAIN_DB) / 20.0)


def loud_starts(samples: Float64Array) -> Int64Array:
    """Where patches begin that are not silence beside the loudest one, in samples, (n,)."""
    step = HOP_FRAMES * MEL.hop_samples // 4
    starts = np.arange(0, max(1, len(samples) - PATCH_SAMPLES + 1), step)
    return starts[is_loud(samples, starts)]


def at_speed(samples: Float64Array, start: int, speed: float) -> Float64Array:
    """One patch from ``start``, played at another speed, padded with silence, (15,600,)."""
    where = start + speed * np.arange(PATCH_SAMPLES)
    return np.interp(where, np.arange(len(samples)), samples, right=0.0)


def mixed(piece: Float64Array, other: Float64Array, decibels: float) -> Float64Array:
    """A patch with another sound so many decibels below it."""
    power, other_power = np.mean(piece**2), np.mean(other**2)
    if power == 0.0 or other_power == 0.0:
        return piece
    return piece + other * np.sqrt(power / other_power) * 10.0 ** (-decibels / 20.0)


def masked(patch: Float32Array, rng: np.random.Generator) -> Float32Array:
    """A patch (96, 64) with a run of bands and of frames set to its mean (SpecAugment)."""
    result = patch.copy()
    bands, frames = rng.integers(_MOST_BANDS + 1), rng.integers(_MOST_FRAMES + 1)
    band = rng.integers(MEL.n_bands - bands + 1)
    frame = rng.integers(PATCH_FRAMES - frames + 1)
    result[:, band : band + bands] = patch.mean()
    result[frame : frame + frames] = patch.mean()
    return result


def _log_mel(pieces: Sequence[Float64Array]) -> Float32Array:
    return np.concatenate(
        [patches(piece, offset=LOG_OFFSET, hop_frames=PATCH_FRAMES)[:1] for piece in pieces]
    )


def _read(file: LabelledFile) -> NDArray[np.float16]:
    """Samples at 16 kHz in half precision: hours of sound must fit into memory."""
    media = cast("Audio", load(file.source, Modality.AUDIO))
    return resampled(media, MEL.sample_rate_hz).astype(np.float16)
