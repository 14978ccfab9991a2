"""Writes notes that come without a score as one staff of MusicXML in four-four time."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

from training.datasets.songs.accidentals import Accidentals
from training.datasets.songs.musicxml import write_window
from training.datasets.songs.song import DIVISIONS, Bar, Notehead, Signature

BAR_QUARTERS = 4
_SPELLING = (
    ("C", 0), ("C", 1), ("D", 0), ("E", -1), ("E", 0), ("F", 0),
    ("F", 1), ("G", 0), ("G", 1), ("A", 0), ("B", -1), ("B", 0),
)  # fmt: skip
_GRID = 8  # parts of a quarter note
_SHAPES = {  # parts -> type and dots
    32: ("whole", 0), 24: ("half", 1), 16: ("half", 0), 12: ("quarter", 1), 8: ("quarter", 0),
    6: ("eighth", 1), 4: ("eighth", 0), 3: ("16th", 1), 2: ("16th", 0), 1: ("32nd", 0),
}  # fmt: skip
_TIME = "<time><beats>4</beats><beat-type>4</beat-type></time>"
_BASS_CLEF = "<clef><sign>F</sign><line>4</line></clef>"
_LOWEST_MEAN_ON_TREBLE = 57


def notes_to_musicxml(notes: Sequence[Notehead]) -> str:
    """Engrave-ready MusicXML of notes, without their words.

    Notes that cross a bar line are tied, gaps and the end of the last bar are filled with rests,
    and every accidental is written out (the key has none).

    Args:
        notes: In time order from 0, not overlapping, lengths in thirty-seconds.
    """
    mean = sum(note.pitch for note in notes) / len(notes)
    clef = {"clef": _BASS_CLEF} if mean < _LOWEST_MEAN_ON_TREBLE else {}
    signature = Signature(time=_TIME, **clef)
    bars = [
        Bar(Fraction(number * BAR_QUARTERS), Fraction(BAR_QUARTERS), signature, xml, ())
        for number, xml in enumerate(_bars(notes))
    ]
    return write_window(bars, title="", composer="")


def n_bars(notes: Sequence[Notehead]) -> int:
    """Bars that the notes fill."""
    return -(-notes[-1].end // BAR_QUARTERS)


def _bars(notes: Sequence[Notehead]) -> Iterator[str]:
    """Yield the notes and rests of each bar."""
    parts = list(_parts(notes))
    for number in range(n_bars(notes)):
        accidentals = Accidentals(0)
        first, last = (bar * BAR_QUARTERS * _GRID for bar in (number, number + 1))
        yield "".join(
            _element(pitch, shape, ties, accidentals)
            for pitch, start, end in parts
            if start < last and end > first
            for shape, ties in _shapes(pitch, start, end, first, last)
        )


def _parts(notes: Sequence[Notehead]) -> Iterator[tuple[int | None, int, int]]:
    """Yield (pitch or None for a rest, start, end) in parts, without gaps to the last bar line."""
    now = 0
    for note in notes:
        start, end = (round(quarters * _GRID) for quarters in (note.onset, note.end))
        if start > now:
            yield None, now, start
        yield note.pitch, start, end
        now = end
    last = n_bars(notes) * BAR_QUARTERS * _GRID
    if now < last:
        yield None, now, last


def _shapes(
    pitch: int | None, start: int, end: int, first: int, last: int
) -> Iterator[tuple[tuple[int, str, int], tuple[str, ...]]]:
    """Yield (parts, type, dots) and ties of what a note or rest shows in one bar."""
    now, stop = max(start, first), min(end, last)
    while now < stop:
        length = next(one for one in _SHAPES if one <= stop - now)
        ties = [
            kind for kind, tied in (("stop", now > start), ("start", now + length < end)) if tied
        ]
        yield (length, *_SHAPES[length]), tuple(ties) if pitch is not None else ()
        now += length


def _element(
    pitch: int | None,
    shape: tuple[int, str, int],
    ties: tuple[str, ...],
    accidentals: Accidentals,
) -> str:
    parts, kind, dots = shape
    head, sign = "<rest/>", ""
    if pitch is not None:
        (step, alter), octave = _SPELLING[pitch % 12], pitch // 12 - 1
        head = f"<pitch><step>{step}</step><alter>{alter}</alter><octave>{octave}</octave></pitch>"
        needed = accidentals.needed(step, octave, alter, tied="stop" in ties)
        sign = f"<accidental>{needed}</accidental>" if needed else ""
    sound = f"<duration>{parts * DIVISIONS // _GRID}</duration>"
    sound += "".join(f'<tie type="{tie}"/>' for tie in ties)
    look = f"<type>{kind}</type>{'<dot/>' * dots}{sign}"
    tied = "".join(f'<tied type="{tie}"/>' for tie in ties)
    marks = f"<notations>{tied}</notations>" if ties else ""
    return f"<note>{head}{sound}<voice>1</voice>{look}{marks}</note>"
