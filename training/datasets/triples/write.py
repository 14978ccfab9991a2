"""Writes the files of one excerpt: sheet image, words, and its renditions in sound."""

import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path, PurePosixPath
from typing import Any, Final

import numpy as np
import soundfile
from PIL import Image

from models.errors import MediaError
from models.media.engraving import engrave_strip_with_noteheads
from models.media.limits import MediaLimits
from models.types import Float32Array
from training.datasets.seeded import named_generator
from training.datasets.triples.excerpt import Excerpt, PlayedNote, SongInfo
from training.datasets.triples.festival import LANGUAGES, FestivalSinger, SungNote
from training.datasets.triples.performance import (
    INSTRUMENTS,
    PIANO,
    Performance,
    draw_performance,
)
from training.datasets.triples.renditions import ACCOMPANIED, SUNG, VOICE
from training.datasets.triples.soundfont import SAMPLE_RATE_HZ, SoundfontPlayer, TimedNote
from training.datasets.triples.sung_segments import PADDING_SECONDS
from training.datasets.whole_files import write_whole

_LIMITS = MediaLimits()
_SUFFIX: Final = {"score": ".png", "lyrics": ".txt"}


@dataclass(frozen=True, slots=True)
class RenderSettings:
    """Choices that change the files.

    Attributes:
        seed: Chooses instruments, tempi and loudness.
        renditions: Which sounds to write.
        soundfont: Where it lies.
        instruments: Keys of ``INSTRUMENTS`` that may play the voice.
    """

    seed: int
    renditions: tuple[str, ...]
    soundfont: Path
    instruments: tuple[str, ...]

    def stated(self) -> dict[str, object]:
        """What is written into the manifest; the soundfont by name, never by place."""
        return {
            "seed": self.seed,
            "renditions": list(self.renditions),
            "soundfont": self.soundfont.name,
            "instruments": list(self.instruments),
        }


class Renderer:
    """Opens the synthesiser, and the singer where asked for, once per process."""

    def __init__(self, settings: RenderSettings) -> None:
        self._settings = settings
        self._player = SoundfontPlayer(settings.soundfont)
        self._singer: FestivalSinger | None = None
        self._render: Mapping[str, Callable[[Excerpt, SongInfo, Performance], Float32Array]] = {
            VOICE: self._played_voice,
            ACCOMPANIED: self._accompanied,
            SUNG: self._sung,
        }

    def close(self) -> None:
        """End the synthesiser, and the singer where there is one."""
        self._player.close()
        if self._singer is not None:
            self._singer.close()

    def write(self, out: Path, song: SongInfo, excerpt: Excerpt) -> dict[str, Any] | None:
        """Write the files of an excerpt.

        Returns:
            Its row of the table; None where it cannot be engraved or has no length.
        """
        if excerpt.quarters <= 0 or not excerpt.voice:
            return None
        try:
            strip, places = engrave_strip_with_noteheads(excerpt.musicxml.encode(), _LIMITS)
        except MediaError:
            return None
        performance = draw_performance(
            named_generator(self._settings.seed, excerpt.id), self._settings.instruments
        )
        files = {"score": _png(strip), "lyrics": (excerpt.text + "\n").encode()}
        for rendition in self._settings.renditions:
            files[rendition] = _flac(self._render[rendition](excerpt, song, performance))
        written = {}
        for kind, data in files.items():
            suffix = _SUFFIX.get(kind, ".flac")
            written[kind] = PurePosixPath(song.split, kind, song.id, excerpt.id + suffix).as_posix()
            write_whole(out / written[kind], data)
        hashes = {kind: hashlib.sha256(data).hexdigest() for kind, data in files.items()}
        row = _row(song, excerpt, performance, written, hashes)
        row["heads"] = _heads(places, excerpt.heads)
        if SUNG in self._settings.renditions:
            row["phones"] = self._phones(excerpt, song, performance)
        return row

    def _played_voice(
        self, excerpt: Excerpt, _: SongInfo, performance: Performance
    ) -> Float32Array:
        """The melody alone."""
        return _scaled(self._melody(excerpt, performance), performance)

    def _accompanied(self, excerpt: Excerpt, _: SongInfo, performance: Performance) -> Float32Array:
        """The melody with the other parts on a piano."""
        velocity = performance.accompaniment_velocity
        others = _timed(excerpt.accompaniment, excerpt, performance, velocity)
        piano = self._player.play(others, program=PIANO, seconds=performance.seconds)
        return _scaled(self._melody(excerpt, performance) + piano, performance)

    def _sung(self, excerpt: Excerpt, song: SongInfo, performance: Performance) -> Float32Array:
        """The words, sung; silent from the end of the last note."""
        notes = _sung_notes(excerpt, performance)
        sung = self._singing().sing(notes, language=_sung_language(song))
        samples = np.zeros(round(performance.seconds * SAMPLE_RATE_HZ), np.float32)
        samples[: len(sung)] = sung[: len(samples)]
        return _scaled(samples, performance)

    def _phones(
        self, excerpt: Excerpt, song: SongInfo, performance: Performance
    ) -> list[list[object]]:
        """Name, start and end in seconds of each phone that is sung, pauses included."""
        notes = _sung_notes(excerpt, performance)
        segments = self._singing().segments(notes, language=_sung_language(song))
        starts = accumulate((one.seconds for one in segments), initial=-PADDING_SECONDS)
        return [
            [one.phone, round(start, 4), round(start + one.seconds, 4)]
            for one, start in zip(segments, starts, strict=False)
        ]

    def _singing(self) -> FestivalSinger:
        if self._singer is None:
            self._singer = FestivalSinger()
        return self._singer

    def _melody(self, excerpt: Excerpt, performance: Performance) -> Float32Array:
        notes = _timed(excerpt.voice, excerpt, performance, performance.velocity)
        program = INSTRUMENTS[performance.instrument]
        return self._player.play(notes, program=program, seconds=performance.seconds)


def _sung_notes(excerpt: Excerpt, performance: Performance) -> list[SungNote]:
    return [
        SungNote(
            performance.at(note.onset, excerpt),
            performance.at(note.duration, excerpt),
            note.pitch,
            note.syllable,
            note.joins_next,
        )
        for note in excerpt.voice
    ]


def _sung_language(song: SongInfo) -> str:
    return song.language if song.language in LANGUAGES else LANGUAGES[0]


def _timed(
    notes: Sequence[PlayedNote], excerpt: Excerpt, performance: Performance, velocity: int
) -> list[TimedNote]:
    return [
        TimedNote(
            performance.at(note.onset, excerpt),
            performance.at(note.onset + note.duration, excerpt),
            note.pitch,
            velocity,
        )
        for note in notes
    ]


def _scaled(samples: Float32Array, performance: Performance) -> Float32Array:
    loudest = float(np.abs(samples).max()) if len(samples) else 0.0
    return (samples * (performance.peak / max(loudest, 1e-6))).astype(np.float32)


def _png(strip: np.ndarray[Any, Any]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(strip).save(file, "PNG")
    return file.getvalue()


def _flac(samples: Float32Array) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, SAMPLE_RATE_HZ, format="FLAC", subtype="PCM_16")
    return file.getvalue()


def _heads(places: Sequence[float], pitches: Sequence[int]) -> list[list[float]]:
    """Place along the staff and MIDI pitch of each notehead; empty where they do not agree."""
    if len(places) != len(pitches):
        return []
    return [[round(place, 4), pitch] for place, pitch in zip(places, pitches, strict=True)]


def _row(
    song: SongInfo,
    excerpt: Excerpt,
    performance: Performance,
    files: Mapping[str, str],
    hashes: Mapping[str, str],
) -> dict[str, Any]:
    """Describe one triple for the table."""
    return {
        "id": excerpt.id,
        "song": song.id,
        "title": song.title,
        "composer": song.composer,
        "language": song.language,
        "group": song.group,
        "split": song.split,
        "bars": [excerpt.first_bar, excerpt.last_bar],
        "seconds": round(performance.seconds, 4),
        "instrument": performance.instrument,
        "syllables": excerpt.syllables,
        "melody": excerpt.melody_key,
        "words": excerpt.words_key,
        "notes": [
            [
                round(performance.at(note.onset, excerpt), 4),
                round(performance.at(note.duration, excerpt), 4),
                note.pitch,
                note.syllable,
            ]
            for note in excerpt.voice
        ],
        "files": dict(files),
        "sha256": dict(hashes),
    }
