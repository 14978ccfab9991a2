"""Cuts songs into windows of a few bars, each with its words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from training.datasets.songs.groups import plain_words
from training.datasets.songs.song import Bar, Notehead, Song
from training.datasets.songs.words import lyric_text, syllable_count

MIN_BARS = 4
MAX_BARS = 8
MIN_SYLLABLES = 6
MAX_QUARTERS = 48


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a song.

    Attributes:
        first_bar: Counted from 1 in the file.
        bars: Four to eight bars.
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

    A window has 4 to 8 bars and at least 6 syllables, and ends at the first fermata, else the
    first complete word, that allows that. Stretches without words are left out.
    """
    windows = []
    start = 0
    while start < len(song.bars):
        length = _length(song.bars[start:])
        if length:
            windows.append(Window(start + 1, song.bars[start : start + length]))
        start += max(length, 1)
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


def _length(bars: Sequence[Bar]) -> int:
    """Bars of the window that begins with the first bar; 0 if there is none."""
    if not syllable_count(bars[0].notes):
        return 0
    fitting = list(_fitting_lengths(bars))
    for ends in (_ends_phrase, _ends_word):
        for length in fitting:
            if ends(bars, length):
                return length
    return fitting[0] if fitting else 0


def _fitting_lengths(bars: Sequence[Bar]) -> Iterator[int]:
    """Yield the lengths with enough syllables that are not too long."""
    for length in range(MIN_BARS, min(MAX_BARS, len(bars)) + 1):
        notes = [note for bar in bars[:length] for note in bar.notes]
        quarters = sum(bar.length for bar in bars[:length])
        if syllable_count(notes) >= MIN_SYLLABLES and quarters <= MAX_QUARTERS:
            yield length


def _ends_phrase(bars: Sequence[Bar], length: int) -> bool:
    return bool(bars[length - 1].notes) and bars[length - 1].notes[-1].ends_phrase


def _ends_word(bars: Sequence[Bar], length: int) -> bool:
    sung = [note for bar in bars[:length] for note in bar.notes if note.syllable]
    return not sung[-1].joins_next


def _melody(notes: Sequence[Notehead]) -> list[tuple[object, ...]]:
    heard = struck(notes)
    return [(note.pitch - heard[0].pitch, note.duration) for note in heard]
