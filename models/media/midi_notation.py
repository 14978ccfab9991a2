"""Write MIDI notes down as MusicXML: quantised to sixteenths, one rhythm a staff.

MIDI has no notation. Each (track, channel) becomes a part; one that spans more than two octaves
around middle C is split there into two staves, as piano music is. In a staff a chord lasts until
the next onset at most. Words, tempo and dynamics of the file are not read.
"""

import xml.etree.ElementTree as ET
from dataclasses import dataclass

from models.errors import MediaError
from models.media.midi_file import MidiFile, MidiNote

STEPS_PER_QUARTER = 4
_MAX_BARS = 2_000
_MAX_PARTS = 32
_MIDDLE_C = 60
_SPLIT_RANGE_SEMITONES = 24

_TYPES = {  # length in sixteenths -> (note type, dots)
    16: ("whole", 0),
    12: ("half", 1),
    8: ("half", 0),
    6: ("quarter", 1),
    4: ("quarter", 0),
    3: ("eighth", 1),
    2: ("eighth", 0),
    1: ("16th", 0),
}
_SHARP_NAMES = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"]
_FLAT_NAMES = ["C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B"]
_PLAIN_NAMES = ["C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B"]


@dataclass(frozen=True, slots=True)
class _Chord:
    """Pitches that sound together, or a rest without pitches; times in sixteenths."""

    start: int
    end: int
    pitches: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Bar:
    start: int
    end: int
    meter: tuple[int, int]


def to_musicxml(midi: MidiFile) -> str:
    """Return a MusicXML document with a part for each staff.

    Raises:
        MediaError: ``too_large`` with more than 32 staves or 2,000 bars.
    """
    staves = _staves(midi.notes)
    if len(staves) > _MAX_PARTS:
        raise MediaError("too_large", f"expected at most {_MAX_PARTS} MIDI parts, got more")
    voices = [_chords(staff) for staff in staves]
    bars = _bars(midi.meters, max(voice[-1].end for voice in voices))
    root = ET.Element("score-partwise", version="4.0")
    part_list = ET.SubElement(root, "part-list")
    for number, voice in enumerate(voices, start=1):
        identity = f"P{number}"
        score_part = ET.SubElement(part_list, "score-part", id=identity)
        ET.SubElement(score_part, "part-name")
        part = ET.SubElement(root, "part", id=identity)
        _write_part(part, voice, bars, midi.fifths)
    return ET.tostring(root, encoding="unicode")


def _staves(notes: tuple[MidiNote, ...]) -> list[list[MidiNote]]:
    parts: dict[int, list[MidiNote]] = {}
    for note in notes:
        parts.setdefault(note.part, []).append(note)
    staves = []
    for part in parts.values():
        pitches = [note.pitch for note in part]
        low = [note for note in part if note.pitch < _MIDDLE_C]
        if max(pitches) - min(pitches) > _SPLIT_RANGE_SEMITONES and 0 < len(low) < len(part):
            staves += [[note for note in part if note.pitch >= _MIDDLE_C], low]
        else:
            staves.append(part)
    return staves


def _chords(notes: list[MidiNote]) -> list[_Chord]:
    """Quantise to one voice: chords by onset, with rests between them."""
    at: dict[int, tuple[int, set[int]]] = {}
    for note in notes:
        start = round(note.start_quarters * STEPS_PER_QUARTER)
        end = max(start + 1, round(note.end_quarters * STEPS_PER_QUARTER))
        last_end, pitches = at.get(start, (end, set()))
        at[start] = (max(last_end, end), pitches | {note.pitch})
    onsets = sorted(at)
    chords = []
    now = 0
    for onset, following in zip(onsets, [*onsets[1:], None], strict=True):
        end, sounding = at[onset]
        if following is not None and end >= following - 1:
            end = following  # a player lets go a little early: no rest of a sixteenth
        if onset > now:
            chords.append(_Chord(now, onset, ()))
        chords.append(_Chord(onset, end, tuple(sorted(sounding))))
        now = end
    return chords


def _bars(meters: tuple[tuple[float, int, int], ...], end: int) -> list[_Bar]:
    """Bars up to ``end``; a change of meter counts from the next bar line."""
    bars: list[_Bar] = []
    start = 0
    meter = (4, 4)
    pending = [
        (round(quarters * STEPS_PER_QUARTER), (beats, value)) for quarters, beats, value in meters
    ]
    while start < end:
        if len(bars) >= _MAX_BARS:
            raise MediaError("too_large", f"expected at most {_MAX_BARS} bars of MIDI, got more")
        while pending and pending[0][0] <= start:
            meter = pending.pop(0)[1]
        length = max(1, meter[0] * 4 * STEPS_PER_QUARTER // meter[1])
        bars.append(_Bar(start, start + length, meter))
        start += length
    return bars


def _write_part(part: ET.Element, chords: list[_Chord], bars: list[_Bar], fifths: int) -> None:
    pieces = [*chords, _Chord(chords[-1].end, bars[-1].end, ())]
    clef = _clef(chords)
    meter: tuple[int, int] | None = None
    n_done = 0
    for number, bar in enumerate(bars, start=1):
        measure = ET.SubElement(part, "measure", number=str(number))
        if bar.meter != meter:
            _write_attributes(measure, bar.meter, None if meter else (fifths, clef))
            meter = bar.meter
        while pieces[n_done].end <= bar.start and n_done < len(pieces) - 1:
            n_done += 1
        for piece in pieces[n_done:]:
            if piece.start >= bar.end:
                break
            _write_chord(measure, piece, bar, fifths)


def _clef(chords: list[_Chord]) -> tuple[str, str]:
    pitches = [pitch for chord in chords for pitch in chord.pitches]
    return ("G", "2") if sum(pitches) / len(pitches) >= _MIDDLE_C else ("F", "4")


def _write_attributes(
    measure: ET.Element, meter: tuple[int, int], first: tuple[int, tuple[str, str]] | None
) -> None:
    attributes = ET.SubElement(measure, "attributes")
    if first is not None:
        _child(attributes, "divisions", STEPS_PER_QUARTER)
        _child(ET.SubElement(attributes, "key"), "fifths", first[0])
    time = ET.SubElement(attributes, "time")
    _child(time, "beats", meter[0])
    _child(time, "beat-type", meter[1])
    if first is not None:
        clef = ET.SubElement(attributes, "clef")
        _child(clef, "sign", first[1][0])
        _child(clef, "line", first[1][1])


def _write_chord(measure: ET.Element, chord: _Chord, bar: _Bar, fifths: int) -> None:
    """Write the part of a chord that lies in a bar, as tied notes of plain lengths."""
    start, end = max(chord.start, bar.start), min(chord.end, bar.end)
    while start < end:
        length = next(steps for steps in _TYPES if steps <= end - start)
        for n, pitch in enumerate(chord.pitches or (None,)):
            note = ET.SubElement(measure, "note")
            if n:
                ET.SubElement(note, "chord")
            _write_pitch(note, pitch, fifths)
            _child(note, "duration", length)
            ties = _ties(chord, start, start + length) if pitch is not None else []
            for kind in ties:
                ET.SubElement(note, "tie", type=kind)
            _child(note, "type", _TYPES[length][0])
            for _ in range(_TYPES[length][1]):
                ET.SubElement(note, "dot")
            if ties:
                notations = ET.SubElement(note, "notations")
                for kind in ties:
                    ET.SubElement(notations, "tied", type=kind)
        start += length


def _ties(chord: _Chord, start: int, end: int) -> list[str]:
    stop = ["stop"] if start > chord.start else []
    return [*stop, "start"] if end < chord.end else stop


def _write_pitch(note: ET.Element, pitch: int | None, fifths: int) -> None:
    if pitch is None:
        ET.SubElement(note, "rest")
        return
    names = _PLAIN_NAMES if fifths == 0 else _SHARP_NAMES if fifths > 0 else _FLAT_NAMES
    name = names[pitch % 12]
    element = ET.SubElement(note, "pitch")
    _child(element, "step", name[0])
    if len(name) == 2:
        _child(element, "alter", 1 if name[1] == "#" else -1)
    _child(element, "octave", pitch // 12 - 1)


def _child(parent: ET.Element, tag: str, value: int | str) -> None:
    ET.SubElement(parent, tag).text = str(value)
