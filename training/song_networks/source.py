"""Batches of triples, each with one of its renditions, disturbed anew in every epoch."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import torch
from torch import Tensor

from models.networks.song_melody import HIGHEST
from models.networks.song_speech import STEPS, TIMES
from models.types import Int64Array
from training.datasets.triples.renditions import RENDITIONS, SUNG
from training.datasets.triples.sung_segments import PAUSE
from training.loops.batches import Batch
from training.song_networks.augment import (
    Seen,
    disturbed_sound,
    disturbed_staff,
    disturbed_words,
    undisturbed,
)
from training.song_networks.config import SongNetworksConfig
from training.song_networks.sung_words import SOUNDS
from training.song_networks.triples import MOMENTS, Triples, pitch_class

COLUMNS: Final = 64  # of a strip
_SILENT = 1 + SOUNDS.index(PAUSE)  # an instrument says nothing


class TripleSource:
    """Deals the training triples out in batches; every triple comes once an epoch.

    Args:
        triples: All of them.
        config: Sizes and shares.
        split: Which to deal.
    """

    def __init__(self, triples: Triples, config: SongNetworksConfig, split: str) -> None:
        self._triples, self._config = triples, config
        self._numbers = triples.of_split(split)
        self._names = [name for name in RENDITIONS if name in triples.audio]
        shares = np.array([config.shares[RENDITIONS.index(name)] for name in self._names])
        self._shares = shares / shares.sum()

    def epoch(self, rng: np.random.Generator) -> Iterator[Batch]:
        """Yield the batches of one epoch; what does not fill a batch is left out."""
        order = rng.permutation(self._numbers)
        size = min(self._config.batch_size, len(order))
        for first in range(0, len(order) - size + 1, size):
            yield self._batch(order[first : first + size], rng)

    def _batch(self, numbers: Int64Array, rng: np.random.Generator) -> Batch:
        triples = self._triples
        renditions = rng.choice(len(self._names), len(numbers), p=self._shares)
        names = [self._names[one] for one in renditions]
        sound = torch.from_numpy(
            np.stack([triples.audio[name][n] for name, n in zip(names, numbers, strict=True)])
        )
        score = torch.from_numpy(triples.score[numbers])
        words = torch.from_numpy(triples.lyrics[numbers])
        sung = torch.tensor([name == SUNG for name in names])
        melody = torch.where(
            sung[:, None],
            torch.from_numpy(triples.sung_melody[numbers]),
            torch.from_numpy(triples.melody[numbers]),
        ).long()
        sounds = torch.from_numpy(triples.sounds[numbers]).long()
        sounds = torch.where(sung[:, None], sounds, _SILENT)
        heads = torch.from_numpy(triples.heads[numbers])
        onsets = torch.from_numpy(triples.onsets[numbers])
        size = len(numbers)
        heard, seen = undisturbed(sound), Seen(score, torch.zeros(size), torch.ones(size))
        if self._config.augment:
            heard = disturbed_sound(sound, self._config.transposition)
            seen, words = disturbed_staff(score), disturbed_words(words)
        melody = _moved(_seen(melody, heard.start, heard.end, STEPS), heard.shift)
        sounds = _seen(sounds, heard.start, heard.end, TIMES)
        device = torch.device(self._config.device)
        features = {
            "score": seen.pictures,
            "audio": heard.pictures,
            "lyrics": words,
        }
        labels = {
            "same_melody": torch.from_numpy(triples.same_melody[numbers]),
            "same_words": torch.from_numpy(triples.same_words[numbers]),
            "melody": melody,
            "sung": sung,
            "heads": _in_columns(heads[:, :, :2], seen.start, seen.end, COLUMNS),
            "read onsets": _in_columns(heads[:, :, ::2], seen.start, seen.end, COLUMNS),
            "heard onsets": _in_columns(onsets, heard.start, heard.end, STEPS),
            "read": heads[:, 0, 1] > 0,
            "onsets read": heads[:, 0, 2] > 0,
            "starts": torch.from_numpy(triples.starts[numbers]).long(),
            "sounds": sounds,
            "places": torch.from_numpy(triples.places[numbers]).long(),
            "letters": torch.from_numpy(triples.letters[numbers]).long(),
        }
        return Batch(
            {name: rows.to(device) for name, rows in features.items()},
            {name: rows.to(device) for name, rows in labels.items()},
            {},
        )


def _seen(classes: Tensor, start: Tensor, end: Tensor, count: int) -> Tensor:
    """Classes at the middle of each of ``count`` steps of a sound that was cut, (B, count)."""
    middles = (torch.arange(count) + 0.5) / count
    places = (start[:, None] + middles * (end - start)[:, None]) * MOMENTS
    inside = (places >= 0) & (places < MOMENTS)
    return classes.gather(1, places.long().clamp(0, MOMENTS - 1)) * inside


def _moved(melody: Tensor, shift: Tensor) -> Tensor:
    """Classes of a melody that was transposed; 0 stays no note."""
    moved = (melody + shift[:, None]).clamp(1, pitch_class(HIGHEST))
    return torch.where(melody > 0, moved, melody)


def _in_columns(placed: Tensor, start: Tensor, end: Tensor, count: int) -> Tensor:
    """Class of what stands in each of ``count`` columns from start to end, shape (B, count).

    Args:
        placed: Place and class of each, shape (B, H, 2); class 0 is none.
        start: Shape (B,).
        end: Shape (B,).
        count: Columns.
    """
    places, classes = placed[:, :, 0], placed[:, :, 1].long()
    columns = ((places - start[:, None]) / (end - start)[:, None] * count).floor().long()
    there = (classes > 0) & (columns >= 0) & (columns < count)
    found = torch.zeros(len(placed), count + 1, dtype=torch.long)  # the last one for the others
    found.scatter_(1, torch.where(there, columns, count), classes)
    return found[:, :count]
