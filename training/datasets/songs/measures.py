"""Reads the measures of one voice of a MusicXML part."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from training.datasets.songs.accidentals import Accidentals
from training.datasets.songs.song import DIVISIONS, Bar, Notehead, Signature

_SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_BEFORE_ACCIDENTAL = ("type", "dot")
_AFTER_ACCIDENTAL = ("time-modification", "notehead", "beam")
_NOTATIONS = ("tied", "tuplet", "fermata")


@dataclass(frozen=True, slots=True)
class Track:
    """The part, the voice in it and the verse that are read."""

    part: Element
    voice: str
    verse: str


@dataclass(slots=True)
class _State:
    """What a note inherits from those before it."""

    divisions: int = 1
    transposition: int = 0
    signature: Signature = field(default_factory=Signature)
    accidentals: Accidentals = field(default_factory=lambda: Accidentals(0))
    position: Fraction = Fraction(0)
    held: int | None = None  # MIDI pitch that is tied into the next note


def read_bars(track: Track) -> Iterator[Bar]:
    """Read all measures of a track in order."""
    state = _State()
    for measure in track.part.findall("measure"):
        yield _bar(measure, track, state)


def voice_of(note: Element) -> str:
    """Return the voice of a ``<note>``; files with one voice leave it out."""
    return note.findtext("voice") or "1"


def syllable_of(lyric: Element) -> tuple[str, bool]:
    """Read a ``<lyric>``.

    Returns:
        The syllable, NFC, without hyphens and extender lines at its ends; and whether the word
        goes on.
    """
    texts = [
        " " if child.tag == "elision" else child.text or ""
        for child in lyric
        if child.tag in ("text", "elision")
    ]
    text = " ".join(unicodedata.normalize("NFC", "".join(texts)).replace("_", " ").split())
    syllabics = [child.text for child in lyric.findall("syllabic")]
    joins = text.endswith("-") or (bool(syllabics) and syllabics[-1] in ("begin", "middle"))
    return text.strip("- "), joins


def _bar(measure: Element, track: Track, state: _State) -> Bar:
    """Read one measure and advance the state over it."""
    start = cursor = end = state.position
    first_signature: Signature | None = None
    written: list[str] = []
    notes: list[Notehead] = []
    state.accidentals = Accidentals.of_key(state.signature.key)
    for element in measure:
        if element.tag == "attributes":
            _read_attributes(element, state)
        length = Fraction(element.findtext("duration") or 0) / state.divisions
        if element.tag == "backup":
            cursor -= length
        elif element.tag == "forward":
            cursor += length
        elif _takes_time(element):
            first_signature = first_signature or state.signature
            if voice_of(element) == track.voice:
                note = _notehead(element, track.verse, cursor, length, state)
                notes += [note] if note else []
                written.append(_written(element, track.verse, length, state))
                state.held = _held(element, note)
            cursor += length
        end = max(end, cursor)
    state.position = end
    signature = first_signature or state.signature
    return Bar(start, end - start, signature, "".join(written), tuple(notes))


def _takes_time(element: Element) -> bool:
    """True for a note or rest with time of its own: no grace note, no further note of a chord."""
    return (
        element.tag == "note"
        and element.find("grace") is None
        and element.find("chord") is None
        and float(element.findtext("duration") or 0) > 0
    )


def _read_attributes(element: Element, state: _State) -> None:
    """Take over divisions, transposition, key, metre and clef of the first staff."""
    state.divisions = int(element.findtext("divisions") or state.divisions)
    state.transposition = transposition_of(element, state.transposition)
    changes = {
        name: _plain(found)
        for name in ("key", "time", "clef")
        if (found := element.find(name)) is not None
    }
    state.signature = replace(state.signature, **changes)
    state.accidentals = Accidentals.of_key(state.signature.key)


def _plain(element: Element) -> str:
    """Write an element without its attributes (positions, fonts, staff numbers)."""
    inner = "".join(_plain(child) for child in element)
    return f"<{element.tag}>{inner or escape((element.text or '').strip())}</{element.tag}>"


def _pitch(note: Element) -> tuple[str, int, int] | None:
    """Return step, octave and alteration in semitones; None for a rest or unpitched note."""
    pitch = note.find("pitch")
    if pitch is None:
        return None
    alter = round(float(pitch.findtext("alter") or 0))
    return pitch.findtext("step") or "C", int(pitch.findtext("octave") or 4), alter


def _midi(pitch: tuple[str, int, int], transposition: int) -> int:
    step, octave, alter = pitch
    return 12 * (octave + 1) + _SEMITONES[step] + alter + transposition


def sounding_pitch(note: Element, transposition: int) -> int | None:
    """Return the MIDI pitch of a note of a part; None for a rest or unpitched note."""
    pitch = _pitch(note)
    return None if pitch is None else _midi(pitch, transposition)


def transposition_of(attributes: Element, before: int) -> int:
    """Return how many semitones a part sounds above what is written; as before if not said."""
    transpose = attributes.find("transpose")
    if transpose is None:
        return before
    octaves = int(transpose.findtext("octave-change") or 0)
    return int(transpose.findtext("chromatic") or 0) + 12 * octaves


def _ties(note: Element) -> set[str | None]:
    return {tie.get("type") for tie in note.findall("tie")}


def _held(element: Element, note: Notehead | None) -> int | None:
    return note.pitch if note and "start" in _ties(element) else None


def _notehead(
    element: Element, verse: str, onset: Fraction, duration: Fraction, state: _State
) -> Notehead | None:
    """Read a note as a value; None for a rest."""
    pitch = _pitch(element)
    if pitch is None:
        return None
    midi = _midi(pitch, state.transposition)
    lyric = _lyric(element, verse)
    syllable, joins_next = syllable_of(lyric) if lyric is not None else ("", False)
    return Notehead(
        onset=onset,
        duration=duration,
        pitch=midi,
        syllable=syllable,
        joins_next=joins_next,
        continues="stop" in _ties(element) and state.held == midi,
        ends_phrase=element.find("notations/fermata") is not None,
    )


def _lyric(note: Element, verse: str) -> Element | None:
    found = (lyric for lyric in note.findall("lyric") if lyric.get("number", "1") == verse)
    return next(found, None)


def _written(element: Element, verse: str, length: Fraction, state: _State) -> str:
    """Write a note or rest with only what an engraver needs, plus the words of the verse."""
    pitch, ties = _pitch(element), _ties(element)
    head = "<rest/>"
    accidental = ""
    if pitch is not None:
        step, octave, alter = pitch
        head = f"<pitch><step>{step}</step><alter>{alter}</alter><octave>{octave}</octave></pitch>"
        needed = state.accidentals.needed(step, octave, alter, tied="stop" in ties)
        name = element.findtext("accidental") or needed
        accidental = f"<accidental>{name}</accidental>" if name else ""
    elif (element.find("rest") is not None) and element.find("type") is None:
        head = '<rest measure="yes"/>'
    sound = f"<duration>{round(length * DIVISIONS)}</duration>"
    tied = "".join(f'<tie type="{kind}"/>' for kind in ("stop", "start") if kind in ties)
    shape = _children(element, _BEFORE_ACCIDENTAL) + accidental
    shape += _children(element, _AFTER_ACCIDENTAL)
    marks = _notations(element)
    return f"<note>{head}{sound}{tied}<voice>1</voice>{shape}{marks}{_words(element, verse)}</note>"


def _children(note: Element, names: tuple[str, ...]) -> str:
    """Write the named children in the given order; beams keep their level."""
    written = []
    for name in names:
        for child in note.findall(name):
            number = child.get("number")
            plain = _plain(child)
            written.append(
                plain.replace(f"<{name}>", f'<{name} number="{number}">', 1)
                if name == "beam" and number
                else plain
            )
    return "".join(written)


def _notations(note: Element) -> str:
    marks = []
    for name in _NOTATIONS:
        for mark in note.findall(f"notations/{name}"):
            kind = mark.get("type")
            marks.append(f'<{name} type="{kind}"/>' if kind else f"<{name}/>")
    return f"<notations>{''.join(marks)}</notations>" if marks else ""


def _words(note: Element, verse: str) -> str:
    lyric = _lyric(note, verse)
    text = syllable_of(lyric)[0] if lyric is not None else ""
    if lyric is None or not text:
        return ""
    syllabic = lyric.findtext("syllabic") or "single"
    return f"<lyric><syllabic>{escape(syllabic)}</syllabic><text>{escape(text)}</text></lyric>"
