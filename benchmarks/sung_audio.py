"""Whether sung sound holds its notes and its words, on real songs.

    python benchmarks/sung_audio.py lyrics-melody --root DATA --count 200
    python benchmarks/sung_audio.py lieder --root DATA --count 200

Sings excerpts of songs taken at equal distances and prints one JSON object: the share of voiced
frames within 0.7 semitone of the written pitch class (YIN), silent notes, the largest error of a
length, wall seconds per 8 s of song, and how far the spectral envelopes of the same melody lie
apart with its own words sung twice and with the words of another excerpt (mean distance in dB over
32 mel-like bands and all frames; 0 would be the same sound).
"""

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from models.types import Float32Array, Float64Array
from training.build_triples_command import _lyric_songs, _opened
from training.datasets.triples.excerpt import Excerpt
from training.datasets.triples.festival import LANGUAGES, SAMPLE_RATE_HZ, FestivalSinger, SungNote
from training.datasets.triples.sung_check import check_sung

SECONDS = 8.0


def notes_of(excerpt: Excerpt) -> list[SungNote]:
    """The voice of an excerpt in 8 seconds."""
    scale = SECONDS / float(excerpt.quarters)
    return [
        SungNote(
            float(n.onset) * scale, float(n.duration) * scale, n.pitch, n.syllable, n.joins_next
        )
        for n in excerpt.voice
    ]


def with_words_of(notes: list[SungNote], others: list[SungNote]) -> list[SungNote]:
    """The same melody with other syllables, as many as there are."""
    words = [note for note in others if note.syllable] or others
    sung = iter(words * (len(notes) // len(words) + 1))
    return [
        replace(note, syllable=(other := next(sung)).syllable, joins_next=other.joins_next)
        if note.syllable
        else note
        for note in notes
    ]


def envelopes(samples: Float32Array) -> Float64Array:
    """Levels in dB of 32 bands, (frames, 32), no quieter than 50 dB below the loudest."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, 1024)[::512] * np.hanning(1024)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    edges = np.geomspace(8, power.shape[1], 33).astype(int)
    bands = np.add.reduceat(power, edges[:-1], axis=1)
    levels = 10.0 * np.log10(bands + 1e-12)
    return np.maximum(levels, levels.max() - 50.0)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", choices=("lyrics-melody", "lieder"))
    parser.add_argument("--root", type=Path)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--count", type=int, default=200)
    options = parser.parse_args()
    if options.source == "lieder":
        source = _opened("lieder", options.root, options.cache, 4, 4)
    else:
        source = _lyric_songs(options.root, 1, random_split=False)
    songs = source.songs(0, lambda function, places, _: map(function, places))
    songs = songs[:: max(1, len(songs) // options.count)][: options.count]
    jobs = [
        (notes_of(excerpt), song.info.language)
        for song in songs
        for excerpt in list(source.excerpts(song))[:1]
    ]
    figures: dict[str, list[float]] = {}
    with FestivalSinger() as singer:
        for number, (notes, language) in enumerate(jobs):
            language = language if language in LANGUAGES else "en"
            begun = time.perf_counter()
            samples = singer.sing(notes, language=language)
            seconds = time.perf_counter() - begun
            found = check_sung(samples, notes, SAMPLE_RATE_HZ)
            other = singer.sing(with_words_of(notes, jobs[number - 1][0]), language=language)
            again = singer.sing(notes, language=language)
            figures.setdefault(f"on_pitch_{language}", []).append(
                found.on_pitch / max(found.frames, 1)
            )
            for name, value in {
                "on_pitch": found.on_pitch / max(found.frames, 1),
                "silent_notes": found.silent_notes,
                "notes": found.notes,
                "seconds_off": abs(found.seconds_off),
                "wall_seconds": seconds,
                "other_words_db": np.abs(envelopes(samples) - envelopes(other)).mean(),
                "same_words_db": np.abs(envelopes(samples) - envelopes(again)).mean(),
            }.items():
                figures.setdefault(name, []).append(float(value))
    summary = {
        name: {"sum": sum(v)}
        if name in ("silent_notes", "notes")
        else {
            "mean": round(float(np.mean(v)), 4),
            "worst": [round(min(v), 4), round(max(v), 4)],
            "n": len(v),
        }
        for name, v in figures.items()
    }
    print(json.dumps(summary, indent=1))  # noqa: T201


if __name__ == "__main__":
    main()
