"""Batches of triples, each with one of its renditions, disturbed anew in every epoch."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import torch
from torch import Tensor

from models.types import Int64Array
from training.datasets.triples.renditions import RENDITIONS, SUNG
from training.loops.batches import Batch
from training.song_networks.augment import disturbed_sound, disturbed_staff, disturbed_words
from training.song_networks.config import SongNetworksConfig
from training.song_networks.triples import HIGHEST, LOWEST, PLACES, Triples, pitch_class

STEPS: Final = 128  # of sound
COLUMNS: Final = 64  # of a strip


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
        melody = torch.from_numpy(triples.melody[numbers]).long()
        letters = torch.from_numpy(triples.letters[numbers]).long()
        heads = torch.from_numpy(triples.heads[numbers])
        if self._config.augment:
            heard, seen = (
                disturbed_sound(sound, self._config.transposition),
                disturbed_staff(score),
            )
            sound, score, words = heard.pictures, seen.pictures, disturbed_words(words)
            melody = _moved(melody, heard.start, heard.end, heard.shift)
            letters = _moved(letters, heard.start, heard.end, torch.zeros_like(heard.shift))
            heads = _in_columns(heads, seen.start, seen.end)
        else:
            melody = melody[:, :: PLACES // STEPS]
            letters = letters[:, :: PLACES // STEPS]
            heads = _in_columns(heads, torch.zeros(len(heads)), torch.ones(len(heads)))
        device = torch.device(self._config.device)
        features = {
            "score": score,
            "audio": sound,
            "lyrics": words,
        }
        labels = {
            "same_melody": torch.from_numpy(triples.same_melody[numbers]),
            "same_words": torch.from_numpy(triples.same_words[numbers]),
            "melody": melody,
            "sung": torch.tensor([name == SUNG for name in names]),
            "heads": heads,
            "read": torch.from_numpy(triples.heads[numbers, 0, 1] > 0),
            "letters": letters,
        }
        return Batch(
            {name: rows.to(device) for name, rows in features.items()},
            {name: rows.to(device) for name, rows in labels.items()},
            {},
        )


def _moved(melody: Tensor, start: Tensor, end: Tensor, shift: Tensor) -> Tensor:
    """Classes at the middle of each step of a sound that was cut and transposed, (B, STEPS)."""
    middles = (torch.arange(STEPS) + 0.5) / STEPS
    places = (start[:, None] + middles * (end - start)[:, None]) * PLACES
    inside = (places >= 0) & (places < PLACES)
    found = melody.gather(1, places.long().clamp(0, PLACES - 1)) * inside
    moved = (found + shift[:, None]).clamp(1, pitch_class(HIGHEST))
    return torch.where(found > 0, moved, found)


def _in_columns(heads: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """Class of the notehead in each column of a strip that shows start to end, (B, COLUMNS)."""
    places, classes = heads[:, :, 0], heads[:, :, 1].long()
    columns = ((places - start[:, None]) / (end - start)[:, None] * COLUMNS).long()
    there = (classes > 0) & (columns >= 0) & (columns < COLUMNS)
    found = torch.zeros(len(heads), COLUMNS + 1, dtype=torch.long)  # the last one for the others
    found.scatter_(1, torch.where(there, columns, COLUMNS), classes)
    return found[:, :COLUMNS]


N_PITCHES: Final = HIGHEST - LOWEST + 2
"""Classes of a step: 0 for no note, then the pitches."""
