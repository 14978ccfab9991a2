"""From syllables under notes to lines of text."""

from collections.abc import Sequence
from fractions import Fraction

from training.datasets.songs.song import Notehead, has_words

MIN_LINE_SYLLABLES = 4
MAX_LINE_SYLLABLES = 14
BREATH_QUARTERS = Fraction(1, 2)
_STOPS = (".", ",", ";", ":", "!", "?", "/")


def lyric_text(notes: Sequence[Notehead]) -> str:
    """Write the words of a voice, a phrase a line.

    A line ends where a word ends and the music does too (a fermata or a rest), where the text has
    a stop, or when it is full.

    Args:
        notes: Noteheads in time order.

    Returns:
        Lines separated by newlines; empty when nothing is sung.
    """
    lines: list[str] = []
    line, syllables = "", 0
    for index, note in enumerate(notes):
        if has_words(note):
            line += note.syllable + ("" if note.joins_next else " ")
            syllables += 1
        if syllables and line.endswith(" ") and _line_ends(line, syllables, notes, index):
            lines.append(line.strip())
            line, syllables = "", 0
    if line.strip():
        lines.append(line.strip())
    return "\n".join(lines)


def syllable_count(notes: Sequence[Notehead]) -> int:
    """Number of notes on which a syllable begins."""
    return sum(has_words(note) for note in notes)


def _line_ends(line: str, syllables: int, notes: Sequence[Notehead], index: int) -> bool:
    """Decide whether the line, whose last word is complete, ends after note ``index``."""
    if notes[index].ends_phrase or syllables >= MAX_LINE_SYLLABLES:
        return True
    if syllables < MIN_LINE_SYLLABLES:
        return False
    follower = notes[index + 1] if index + 1 < len(notes) else None
    rests = follower is not None and follower.onset - notes[index].end >= BREATH_QUARTERS
    next_is_new = follower is None or not follower.continues
    return rests or (next_is_new and has_words(notes[index]) and line.rstrip().endswith(_STOPS))
