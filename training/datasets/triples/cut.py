"""Cuts a score into windows of a number of bars."""

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction

from training.datasets.songs.musicxml import write_window
from training.datasets.songs.song import Bar, Song
from training.datasets.songs.windows import struck
from training.datasets.songs.words import lyric_text, syllable_count
from training.datasets.triples.accompaniment import Bars
from training.datasets.triples.excerpt import Excerpt, PlayedNote

MIN_SYLLABLES = 4


def cut_windows(
    song: Song, accompaniment: Bars, *, name: str, bars: int, hop: int
) -> Iterator[Excerpt]:
    """Yield the windows of a song in which at least four syllables are sung.

    Args:
        song: The voice.
        accompaniment: Notes of the other parts, bar by bar; a missing bar is silent.
        name: Begins the id of each window.
        bars: Bars of a window; the last one of a song, if shorter, is left out.
        hop: Bars from one window to the next.
    """
    for first in range(0, len(song.bars) - bars + 1, hop):
        window = song.bars[first : first + bars]
        notes = [note for bar in window for note in bar.notes]
        if syllable_count(notes) < MIN_SYLLABLES:
            continue
        yield Excerpt(
            id=f"{name}-bar{first + 1:03d}",
            first_bar=first + 1,
            last_bar=first + bars,
            quarters=sum((bar.length for bar in window), Fraction(0)),
            musicxml=_without_words(write_window(window, title="", composer="")),
            text=lyric_text(notes),
            voice=_voice(window),
            heads=tuple(note.pitch for note in notes),
            accompaniment=_others(window, accompaniment[first : first + bars]),
        )


def _without_words(musicxml: str) -> str:
    return re.sub(r"<lyric\b.*?</lyric>", "", musicxml, flags=re.DOTALL)


def _voice(window: Sequence[Bar]) -> tuple[PlayedNote, ...]:
    """Notes of the voice as they are heard, from the start of the window."""
    start = window[0].start
    heard = struck([note for bar in window for note in bar.notes])
    return tuple(
        PlayedNote(note.onset - start, note.duration, note.pitch, note.syllable, note.joins_next)
        for note in heard
    )


def _others(window: Sequence[Bar], bars: Bars) -> tuple[PlayedNote, ...]:
    """Notes of the other parts, from the start of the window, none beyond its end."""
    start, end = window[0].start, window[-1].start + window[-1].length
    notes = []
    for bar, others in zip(window, bars, strict=False):
        for note in others:
            onset = bar.start - start + note.onset
            duration = min(note.duration, end - start - onset)
            if duration > 0:
                notes.append(PlayedNote(onset, duration, note.pitch))
    return tuple(sorted(notes, key=lambda note: (note.onset, note.pitch)))
