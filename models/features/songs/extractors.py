"""The extractors of the music space: networks that read staves, hear melodies and read words."""

from dataclasses import asdict
from typing import TYPE_CHECKING, cast

from models.features.extractor import MediaT
from models.features.published.base import PublishedExtractor
from models.features.songs import character_codes, log_frequency, staff_strip
from models.features.songs.character_codes import character_codes as codes_of
from models.features.songs.log_frequency import log_frequency_windows
from models.features.songs.staff_strip import staff_strips
from models.types import Audio, Lyrics, Modality, Score, UInt8Array

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from models.networks.song_lyrics import SongLyrics as LyricsNetwork
    from models.networks.song_picture import SongAudio as AudioNetwork
    from models.networks.song_picture import SongScore as ScoreNetwork

MELODY, PROSODY, SPEECH = 192, 64, 64
"""Numbers of a row: about the notes, about how words go with notes, about what is spoken."""


def _stated(name: str, picture: log_frequency.Picture) -> dict[str, int | float | str]:
    """The numbers of a picture as parameters."""
    return {f"{name}_{key}": value for key, value in asdict(picture).items()}


class SongExtractor(PublishedExtractor[MediaT]):
    """Base: the network of a subclass gives a row, or steps before they become one."""

    step_dimension = 192

    def network(self, *, sequence: bool) -> "Callable[[Tensor], Tensor]":
        """Return the map from pieces to rows (B, D), or to steps (B, T, 192)."""
        network = self.module()
        return cast("Callable[[Tensor], Tensor]", network.steps) if sequence else network


class SongScore(SongExtractor[Score]):
    """Extractor ``song-score``: the top staff of each system, whatever its size, slope and paper.

    A row is the mean of the systems; a step is a 64th of the length of a staff.
    """

    name = weights_name = "song-score"
    modality = Modality.SCORE
    dimension = MELODY + PROSODY
    parameters = {  # noqa: RUF012
        "version": 2,
        "windows": 1,  # a whole song is cut before it comes here, see models/features/windows.py
        "rows": staff_strip.ROWS,
        "columns": staff_strip.COLUMNS,
        "rows_per_space": staff_strip.SPACE,
        "most_strips": staff_strip.MOST_STRIPS,
    }

    def prepare(self, media: Score, *, sequence: bool = False) -> UInt8Array:  # noqa: ARG002
        """Return strips, shape (S, 64, 512)."""
        return staff_strips(media.pages)

    def module(self) -> "ScoreNetwork":
        """Return the network with its weights, on the device."""
        from models.networks.song_picture import SongScore as ScoreNetwork

        return self.loaded(ScoreNetwork)


class SongAudio(SongExtractor[Audio]):
    """Extractor ``song-audio``: a window of sound as pictures of its pitches and of its speech.

    A sound of up to 16 s is one window, so neither its length nor its tempo is seen; the row of a
    longer one is the mean of windows of 9 s.
    """

    name = weights_name = "song-audio"
    modality = Modality.AUDIO
    dimension = MELODY + PROSODY + SPEECH
    parameters = {  # noqa: RUF012
        "version": 2,
        "windows": 1,  # a whole song is cut before it comes here, see models/features/windows.py
        "sample_rate_hz": log_frequency.SAMPLE_RATE_HZ,
        **_stated("pitches", log_frequency.PITCHES),
        **_stated("speech", log_frequency.SPEECH),
        "range_db": log_frequency.RANGE_DB,
        "one_window_seconds": log_frequency.ONE_WINDOW_SECONDS,
        "window_seconds": log_frequency.WINDOW_SECONDS,
        "hop_seconds": log_frequency.HOP_SECONDS,
    }

    def prepare(self, media: Audio, *, sequence: bool = False) -> UInt8Array:  # noqa: ARG002
        """Return windows, shape (W, 304, 256)."""
        return log_frequency_windows(media)

    def module(self) -> "AudioNetwork":
        """Return the network with its weights, on the device."""
        from models.networks.song_picture import SongAudio as AudioNetwork

        return self.loaded(AudioNetwork)


class SongLyrics(SongExtractor[Lyrics]):
    """Extractor ``song-lyrics``: the words, character by character, in any language.

    A row is the mean of the parts of at most 192 characters.
    """

    name = weights_name = "song-lyrics"
    modality = Modality.LYRICS
    dimension = PROSODY + SPEECH
    parameters = {  # noqa: RUF012
        "version": 2,
        "windows": 1,  # a whole song is cut before it comes here, see models/features/windows.py
        "length": character_codes.LENGTH,
        "codes": character_codes.N_CODES,
    }

    def prepare(self, media: Lyrics, *, sequence: bool = False) -> UInt8Array:  # noqa: ARG002
        """Return codes of characters, shape (P, 192)."""
        return codes_of(media.text)

    def module(self) -> "LyricsNetwork":
        """Return the network with its weights, on the device."""
        from models.networks.song_lyrics import SongLyrics as LyricsNetwork

        return self.loaded(LyricsNetwork)
