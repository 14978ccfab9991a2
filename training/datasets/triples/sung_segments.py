"""From notes with syllables to what a diphone synthesiser sings: phones, their lengths, the pitch.

A syllable's vowel begins at the onset of its note; the consonants before it are sung in the time
of the note or rest before. Consonants keep a natural length, vowels fill what is left.
"""

from collections.abc import Sequence
from dataclasses import dataclass

# Means of the durations of the Festival voice kal (kaldurtreeZ.scm), in seconds.
_CONSONANT_SECONDS = {
    "b": 0.069, "ch": 0.115, "d": 0.048, "dh": 0.031, "f": 0.095, "g": 0.064, "hh": 0.061,
    "jh": 0.094, "k": 0.089, "l": 0.066, "m": 0.069, "n": 0.059, "ng": 0.064, "p": 0.088,
    "r": 0.053, "s": 0.102, "sh": 0.108, "t": 0.070, "th": 0.093, "v": 0.051, "w": 0.054,
    "y": 0.048, "z": 0.079, "zh": 0.071,
}  # fmt: skip
CONSONANTS = frozenset(_CONSONANT_SECONDS)
VOWELS = frozenset(
    ("aa", "ae", "ah", "ao", "aw", "ax", "ay", "eh", "er", "ey", "ih", "iy", "ow", "oy", "uh", "uw")
)
PAUSE = "pau"
PADDING_SECONDS = 0.1  # silence before the first and after the last note, cut off afterwards
LOWEST_PITCH, HIGHEST_PITCH = 36, 71  # above 500 Hz Festival ends with a segmentation fault
_NEUTRAL = ("aa",)  # sung where a window begins in the middle of a syllable
_BREATH_SECONDS = 0.03  # a shorter gap is sung through
_LEAD_SHARE = 0.4  # of the note before, at most, for the consonants of the next syllable
_CONSONANT_SHARE = 0.5  # of a syllable, at most
_GLIDE_SECONDS = 0.015  # on either side of a change of pitch
_SHORTEST_SECONDS = 0.005


@dataclass(frozen=True, slots=True)
class SungNote:
    """One note to sing; tied notes are joined.

    Attributes:
        onset_seconds: From the start of the recording, >= 0.
        duration_seconds: > 0.
        pitch: MIDI note number.
        syllable: What is sung from here on; empty where the vowel before goes on (a melisma).
        joins_next: The word goes on in the next syllable.
    """

    onset_seconds: float
    duration_seconds: float
    pitch: int
    syllable: str = ""
    joins_next: bool = False

    @property
    def end_seconds(self) -> float:
        """Where it ends."""
        return self.onset_seconds + self.duration_seconds


@dataclass(frozen=True, slots=True)
class Segment:
    """One phone of Festival's ``Segments`` utterance.

    Attributes:
        phone: Name in the radio phone set.
        seconds: Its length.
        targets: (seconds from its start, Hz) points that the pitch passes through.
    """

    phone: str
    seconds: float
    targets: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class _Sung:
    """One syllable over its notes, in time order."""

    phones: tuple[str, ...]
    notes: tuple[SungNote, ...]


def sung_segments(
    notes: Sequence[SungNote], phones: Sequence[tuple[str, ...]]
) -> tuple[Segment, ...]:
    """Lay out phones and pitch in time.

    Args:
        notes: In time order, one voice; a note is cut where the next begins.
        phones: Phones of each note's syllable, empty where it has none; singable (see
            ``singable``).

    Returns:
        Segments without a gap, with ``PADDING_SECONDS`` of pause before and after.
    """
    one_voice = _cut_overlaps(notes)
    pitches = within_the_voice([note.pitch for note in one_voice])
    hertz = [440.0 * 2.0 ** ((pitch - 69) / 12.0) for pitch in pitches]
    timed = _timed_phones(_syllables(one_voice, phones))
    return _with_pitch(timed, _contour(one_voice, hertz))


def within_the_voice(pitches: Sequence[int]) -> list[int]:
    """Move a melody by octaves into the voice: all of it alike where it fits, else note by note."""
    down = max(0, -((HIGHEST_PITCH - max(pitches)) // 12))
    up = max(0, -((min(pitches) - LOWEST_PITCH) // 12)) if not down else 0
    moved = [pitch + 12 * (up - down) for pitch in pitches]
    return [_folded(pitch) for pitch in moved]


def singable(phones: Sequence[str]) -> tuple[str, ...]:
    """Make phones of one syllable ones that the voice has diphones for, with a vowel.

    The voice sings h, w and y only before vowels and ng only behind one.
    """
    kept: list[str] = []
    for index, phone in enumerate(phones):
        before_vowel = index + 1 < len(phones) and phones[index + 1] in VOWELS
        if phone == "ng" and not (kept and kept[-1] in VOWELS):
            phone = "n"
        elif phone in ("w", "y") and not before_vowel:
            phone = {"w": "uw", "y": "iy"}[phone]
        if phone in VOWELS or (phone in CONSONANTS and (phone != "hh" or before_vowel)):
            kept.append(phone)
    if not any(phone in VOWELS for phone in kept):
        kept.insert((len(kept) + 1) // 2, "ax")
        return singable(kept)
    return tuple(kept)


def _folded(pitch: int) -> int:
    while pitch > HIGHEST_PITCH:
        pitch -= 12
    while pitch < LOWEST_PITCH:
        pitch += 12
    return pitch


def _cut_overlaps(notes: Sequence[SungNote]) -> list[SungNote]:
    """Cut each note where the next begins, and sing through gaps too short for a breath."""
    cut = []
    for index, note in enumerate(notes):
        end = note.end_seconds
        if index + 1 < len(notes) and notes[index + 1].onset_seconds < end + _BREATH_SECONDS:
            end = notes[index + 1].onset_seconds
        length = max(end - note.onset_seconds, _SHORTEST_SECONDS)
        cut.append(SungNote(note.onset_seconds, length, note.pitch, note.syllable, note.joins_next))
    return cut


def _syllables(notes: Sequence[SungNote], phones: Sequence[tuple[str, ...]]) -> list[_Sung]:
    """Give the notes without a syllable to the one before; behind a rest they repeat its vowel."""
    sung: list[_Sung] = []
    for note, own in zip(notes, phones, strict=True):
        goes_on = sung and note.onset_seconds - sung[-1].notes[-1].end_seconds < _BREATH_SECONDS
        if own or not sung:
            sung.append(_Sung(own or _NEUTRAL, (note,)))
        elif goes_on:
            sung[-1] = _Sung(sung[-1].phones, (*sung[-1].notes, note))
        else:
            vowels = [phone for phone in sung[-1].phones if phone in VOWELS]
            sung.append(_Sung((vowels[-1],), (note,)))
    return sung


def _timed_phones(sung: Sequence[_Sung]) -> list[tuple[str, float, float]]:
    """Place phones as (phone, start, end) in seconds of the recording, pauses included."""
    timed: list[tuple[str, float, float]] = []
    starts = [
        one.notes[0].onset_seconds - _lead(one, sung[index - 1] if index else None)
        for index, one in enumerate(sung)
    ]
    now = -PADDING_SECONDS
    for index, one in enumerate(sung):
        if starts[index] - now >= _SHORTEST_SECONDS:
            timed.append((PAUSE, now, starts[index]))
        end = one.notes[-1].end_seconds
        if index + 1 < len(sung):
            end = min(end, starts[index + 1])
        timed.extend(_timed_syllable(one, starts[index], end))
        now = end
    return [*timed, (PAUSE, now, now + PADDING_SECONDS)]


def _onset_seconds(phones: Sequence[str]) -> float:
    """Natural length of the consonants before the first vowel."""
    first = next(index for index, phone in enumerate(phones) if phone in VOWELS)
    return sum(_CONSONANT_SECONDS[phone] for phone in phones[:first])


def _lead(one: _Sung, before: _Sung | None) -> float:
    """How long before its note a syllable begins, so that its vowel falls on the beat."""
    onset = one.notes[0].onset_seconds
    if before is None:
        return min(_onset_seconds(one.phones), onset)
    rest = onset - before.notes[-1].end_seconds
    free = rest + _LEAD_SHARE * before.notes[-1].duration_seconds
    return min(_onset_seconds(one.phones), free)


def _timed_syllable(one: _Sung, start: float, end: float) -> list[tuple[str, float, float]]:
    """Share the time of a syllable out to its phones."""
    onset = one.notes[0].onset_seconds
    first = next(index for index, phone in enumerate(one.phones) if phone in VOWELS)
    opening, rest = one.phones[:first], one.phones[first:]
    natural = _onset_seconds(one.phones)
    inside = min(max(natural - (onset - start), 0.0), _CONSONANT_SHARE / 2 * (end - onset))
    lengths = [_CONSONANT_SECONDS[phone] * (onset + inside - start) / natural for phone in opening]
    lengths += _rhyme_lengths(rest, end - onset - inside)
    timed = []
    for phone, length in zip(one.phones, lengths, strict=True):
        timed.append((phone, start, start + length))
        start += length
    return timed


def _rhyme_lengths(phones: Sequence[str], seconds: float) -> list[float]:
    """Lengths of the vowel and what follows it: consonants natural, vowels the rest."""
    natural = sum(_CONSONANT_SECONDS.get(phone, 0.0) for phone in phones)
    shrink = min(1.0, _CONSONANT_SHARE * seconds / natural) if natural else 1.0
    n_vowels = sum(phone in VOWELS for phone in phones)
    vowel = (seconds - shrink * natural) / n_vowels
    return [vowel if phone in VOWELS else shrink * _CONSONANT_SECONDS[phone] for phone in phones]


def _contour(notes: Sequence[SungNote], hertz: Sequence[float]) -> list[tuple[float, float]]:
    """Points (seconds, Hz) of the pitch: level in each note, a short glide between notes."""
    points = [(-PADDING_SECONDS, hertz[0])]
    for note, frequency in zip(notes, hertz, strict=True):
        glide = min(_GLIDE_SECONDS, note.duration_seconds / 4.0)
        points.append((note.onset_seconds + glide, frequency))
        points.append((note.end_seconds - glide, frequency))
    return points


def _with_pitch(
    timed: Sequence[tuple[str, float, float]], contour: Sequence[tuple[float, float]]
) -> tuple[Segment, ...]:
    """Attach each point of the pitch to the phone that is sounding then."""
    segments, next_point = [], 0
    for phone, start, end in timed:
        targets = []
        while next_point < len(contour) and contour[next_point][0] < end:
            seconds, frequency = contour[next_point]
            targets.append((max(seconds - start, 0.0), frequency))
            next_point += 1
        segments.append(Segment(phone, end - start, tuple(targets)))
    return tuple(segments)
