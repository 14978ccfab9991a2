"""Cuts songs into windows of a few bars, each with its words."""

from collections.abc import Sequence
from dataclasses import dataclass

from training.datasets.songs.groups import plain_words
from training.datasets.songs.song import Bar, Notehead, Song
from training.datasets.songs.words import lyric_text, syllable_count

N_BARS = 4
MIN_SYLLABLES = 6
MAX_QUARTERS = 48


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a song.

    Attributes:
        first_bar: Counted from 1 in the file.
        bars: Four bars.
    """

    first_bar: int
    bars: tuple[Bar, ...]

    @property
    def last_bar(self) -> int:
        """The bar it ends with, counted from 1."""
        return self.first_bar + len(self.bars) - 1

    @property
    def notes(self) -> tuple[Notehead, ...]:
        """Noteheads in time order."""
        return tuple(note for bar in self.bars for note in bar.notes)

    @property
    def text(self) -> str:
        """Words, a phrase a line."""
        return lyric_text(self.notes)


def cut(song: Song) -> list[Window]:
    """Cut a song into windows that do not overlap.

    A window has four bars and at least 6 syllables, the first of them in its first bar. Stretches
    without words are left out.
    """
    windows = []
    start = 0
    while start < len(song.bars):
        bars = song.bars[start : start + N_BARS]
        found = _is_window(bars)
        if found:
            windows.append(Window(start + 1, bars))
        start += N_BARS if found else 1
    return windows


def distinct(songs: Sequence[Sequence[Window]]) -> list[list[Window]]:
    """Drop every window whose words or whose melody (in any key) an earlier window has."""
    seen: set[tuple[object, ...]] = set()
    kept: list[list[Window]] = []
    for windows in songs:
        kept.append([])
        for window in windows:
            traits = {("words", *plain_words(window.text)), ("melody", *_melody(window.notes))}
            if not traits & seen:
                kept[-1].append(window)
            seen |= traits
    return kept


def struck(notes: Sequence[Notehead]) -> list[Notehead]:
    """Join tied noteheads to the notes that are heard."""
    heard: list[Notehead] = []
    for note in notes:
        if note.continues and heard and heard[-1].end == note.onset:
            before = heard.pop()
            note = Notehead(
                before.onset,
                before.duration + note.duration,
                before.pitch,
                before.syllable,
                before.joins_next,
                before.continues,
                note.ends_phrase,
            )
        heard.append(note)
    return heard


def _is_window(bars: Sequence[Bar]) -> bool:
    """Tell whether bars begin with words, and have enough of them and not too many notes."""
    notes = [note for bar in bars for note in bar.notes]
    quarters = sum(bar.length for bar in bars)
    return (
        len(bars) == N_BARS
        and syllable_count(bars[0].notes) > 0
        and syllable_count(notes) >= MIN_SYLLABLES
        and quarters <= MAX_QUARTERS
    )


def _melody(notes: Sequence[Notehead]) -> list[tuple[object, ...]]:
    heard = struck(notes)
    return [(note.pitch - heard[0].pitch, note.duration) for note in heard]
