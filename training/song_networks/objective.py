"""What the song networks are trained for: true triples close, notes and speech sounds named."""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.networks.song_blocks import MELODY, PROSODY, SPEECH, WIDTH
from models.networks.song_lyrics import SongLyrics, Told
from models.networks.song_picture import Noticed, SongAudio, SongScore
from training.loops.batches import Batch
from training.loops.objective import Moment, Objective
from training.losses.contrastive import info_nce
from training.song_networks.config import SongNetworksConfig
from training.song_networks.triples import Onset


class SongNetworksObjective(Objective):
    """The three networks, with heads that only training needs.

    InfoNCE brings the faces together: melodies of sound and staff; prosody of either and of words;
    what is sung and what is written (several positives where notes or words are the same). Beside
    it the steps of sound name the note of the voice that sounds, those of the staff the notehead
    that stands there; the sound names the speech sounds that are sung, silence where an instrument
    plays; words tell which sound each letter stands for, and when each syllable is sung; and all
    three tell where syllables begin.

    Args:
        config: Weights and temperatures.
    """

    def __init__(self, config: SongNetworksConfig) -> None:
        nn.Module.__init__(self)
        self.score, self.audio, self.lyrics = SongScore(), SongAudio(), SongLyrics()
        self.lyrics.spoken.exit = self.audio.spoken.exit  # counts of the same sounds: one map
        self.read_onsets, self.heard_onsets = (nn.Linear(WIDTH, len(Onset)) for _ in range(2))
        self.starts = nn.Linear(WIDTH, 2)
        self._config = config

    def loss(self, batch: Batch, moment: Moment) -> dict[str, Tensor]:
        """The weighted parts."""
        del moment
        config, labels = self._config, batch.labels
        score = self.music("score", batch.features["score"])
        audio = self.music("audio", batch.features["audio"])
        words = self.words(batch.features["lyrics"])
        same_melody = _same(labels["same_melody"])
        same_words = _same(labels["same_words"])
        melodies = score.rows[:, :MELODY] @ audio.rows[:, :MELODY].T / config.temperature
        parts = {"melody": _both_ways(melodies, same_melody)}
        prosody = words.rows[:, :PROSODY] / config.words_temperature
        pairs = [
            _both_ways(one.rows[:, MELODY : MELODY + PROSODY] @ prosody.T, same_words)
            for one in (score, audio)
        ]
        parts["prosody"] = config.words_weight * torch.stack(pairs).mean()
        if config.notes_weight:
            heard = _named(audio.pitches, labels["melody"])
            parts["heard notes"] = config.notes_weight * heard
            parts["read notes"] = config.notes_weight * self._read(score.pitches, batch)
        if config.syllables_weight:
            syllables = self._syllables(score.steps, audio.steps, words, batch)
            parts["syllables"] = config.syllables_weight * syllables
        return parts | self._spoken(audio, words, batch)

    def music(self, name: str, pictures: Tensor) -> Noticed:
        """What the network of ``score`` or ``audio`` makes of pictures, in float32."""
        network = cast("SongScore | SongAudio", getattr(self, name))
        with self._precision():
            steps, rows, pitches, sounds = network.noticed(pictures)
        heard = None if sounds is None else sounds.float()
        return Noticed(steps.float(), rows.float(), pitches.float(), heard)

    def words(self, codes: Tensor) -> Told:
        """What the network of lyrics makes of codes, in float32."""
        with self._precision():
            told = self.lyrics.noticed(codes)
        return Told(*(one.float() for one in told))

    def _precision(self) -> torch.autocast:
        config = self._config
        return torch.autocast(config.device, torch.bfloat16, enabled=config.mixed_precision)

    def _read(self, pitches: Tensor, batch: Batch) -> Tensor:
        """Cross-entropy of the notehead in each column of the staves whose heads are known."""
        known = batch.labels["read"]
        if not bool(known.any()):
            return pitches.sum() * 0.0
        return _named(pitches[known], batch.labels["heads"][known])

    def _syllables(self, score: Tensor, audio: Tensor, words: Told, batch: Batch) -> Tensor:
        """Cross-entropies of where syllables begin, in each of the three, and of when."""
        labels, known = batch.labels, batch.labels["onsets read"]
        read = torch.where(known[:, None], labels["read onsets"], -1)
        return (
            _named(self.read_onsets(score), read)
            + _named(self.heard_onsets(audio), labels["heard onsets"])
            + _named(self.starts(words.steps), labels["starts"] - 1)
            + _named(words.places, labels["places"] - 1)
        )

    def _spoken(self, audio: Noticed, words: Told, batch: Batch) -> dict[str, Tensor]:
        """Sounds of what is heard and of what is written, and InfoNCE where they are sung."""
        config, labels = self._config, batch.labels
        named = {"written sounds": (words.sounds, labels["letters"])}
        if audio.sounds is not None:
            named["heard sounds"] = (audio.sounds, labels["sounds"])
        parts = {
            name: config.sounds_weight * _named(logits, classes - 1)
            for name, (logits, classes) in named.items()
        }
        sung = labels["sung"]
        if bool(sung.any()):
            heard, written = audio.rows[:, -SPEECH:][sung], words.rows[:, -SPEECH:][sung]
            similarities = heard @ written.T / config.words_temperature
            same = _same(labels["same_words"][sung])
            parts["speech"] = config.speech_weight * _both_ways(similarities, same)
        return parts


def _named(logits: Tensor, classes: Tensor) -> Tensor:
    """Cross-entropy over all steps of all items whose class is not -1; 0 where there is none."""
    if not bool((classes >= 0).any()):
        return logits.sum() * 0.0
    return functional.cross_entropy(logits.flatten(0, 1), classes.flatten(), ignore_index=-1)


def _same(numbers: Tensor) -> Tensor:
    return numbers[:, None] == numbers[None, :]


def _both_ways(similarities: Tensor, positive: Tensor) -> Tensor:
    return 0.5 * (info_nce(similarities, positive) + info_nce(similarities.T, positive.T))
