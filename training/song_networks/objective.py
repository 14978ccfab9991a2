"""What the song networks are trained for: true triples close, notes and sung letters named."""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.networks.song_blocks import MELODY, WIDTH
from models.networks.song_lyrics import SongLyrics
from models.networks.song_picture import SongAudio, SongScore
from training.loops.batches import Batch
from training.loops.objective import Moment, Objective
from training.losses.contrastive import info_nce
from training.song_networks.config import SongNetworksConfig
from training.song_networks.letters import N_LETTERS
from training.song_networks.source import N_PITCHES

Outputs = tuple[Tensor, Tensor]  # steps and rows


class SongNetworksObjective(Objective):
    """The three networks, with heads that only training needs.

    Beside InfoNCE between the faces (several positives where notes or words are the same), the
    steps of sound name the note of the voice that sounds, and those of the staff the notehead that
    stands there, by one linear map: so both speak of pitches alike. Where the words are sung, the
    steps of sound name the letter.

    Args:
        config: Weights and temperatures.
    """

    def __init__(self, config: SongNetworksConfig) -> None:
        nn.Module.__init__(self)
        self.score, self.audio, self.lyrics = SongScore(), SongAudio(), SongLyrics()
        self.pitches = nn.Linear(WIDTH, N_PITCHES)
        self.letters = nn.Linear(WIDTH, N_LETTERS)
        self._config = config

    def loss(self, batch: Batch, moment: Moment) -> dict[str, Tensor]:
        """The weighted parts."""
        del moment
        config, labels = self._config, batch.labels
        score_steps, score = self.music("score", batch.features["score"])
        audio_steps, audio = self.music("audio", batch.features["audio"])
        words = self.words(batch.features["lyrics"])
        same_melody = _same(labels["same_melody"])
        same_words = _same(labels["same_words"])
        melodies = score[:, :MELODY] @ audio[:, :MELODY].T / config.temperature
        parts = {"melody": _both_ways(melodies, same_melody)}
        pairs = [
            _both_ways(rows[:, MELODY:] @ words.T / config.words_temperature, same_words)
            for rows in (score, audio)
        ]
        parts["words"] = config.words_weight * torch.stack(pairs).mean()
        if config.notes_weight:
            parts["heard notes"] = config.notes_weight * self._heard(audio_steps, batch)
            parts["read notes"] = config.notes_weight * self._read(score_steps, batch)
        if config.letters_weight and bool(labels["sung"].any()):
            parts["letters"] = config.letters_weight * self._sung(audio_steps, batch)
        return parts

    def music(self, name: str, pictures: Tensor) -> Outputs:
        """Steps (B, T, WIDTH) and rows (B, MELODY + WORDS) of ``score`` or ``audio``."""
        network = cast("SongScore | SongAudio", getattr(self, name))
        with self._precision():
            steps = network.steps(pictures)
            rows = torch.cat([network.melody(steps), network.words(steps)], dim=1)
        return steps.float(), rows.float()

    def words(self, codes: Tensor) -> Tensor:
        """Rows (B, WORDS) of lyrics."""
        with self._precision():
            rows: Tensor = self.lyrics(codes)
        return rows.float()

    def _precision(self) -> torch.autocast:
        config = self._config
        return torch.autocast(config.device, torch.bfloat16, enabled=config.mixed_precision)

    def _heard(self, steps: Tensor, batch: Batch) -> Tensor:
        """Cross-entropy of the note at each step; a singer may be an octave off, so not of hers."""
        played = ~batch.labels["sung"]
        if not bool(played.any()):
            return steps.sum() * 0.0
        logits = self.pitches(steps[played])
        return functional.cross_entropy(
            logits.flatten(0, 1), batch.labels["melody"][played].flatten()
        )

    def _read(self, steps: Tensor, batch: Batch) -> Tensor:
        """Cross-entropy of the notehead in each column of the staves whose heads are known."""
        known = batch.labels["read"]
        if not bool(known.any()):
            return steps.sum() * 0.0
        logits, heads = self.pitches(steps[known]), batch.labels["heads"][known]
        return functional.cross_entropy(logits.flatten(0, 1), heads.flatten())

    def _sung(self, steps: Tensor, batch: Batch) -> Tensor:
        """Cross-entropy of the letter at each step of what is sung."""
        sung = batch.labels["sung"]
        logits, letters = self.letters(steps[sung]), batch.labels["letters"][sung]
        return functional.cross_entropy(logits.flatten(0, 1), letters.flatten())


def _same(numbers: Tensor) -> Tensor:
    return numbers[:, None] == numbers[None, :]


def _both_ways(similarities: Tensor, positive: Tensor) -> Tensor:
    return 0.5 * (info_nce(similarities, positive) + info_nce(similarities.T, positive.T))
