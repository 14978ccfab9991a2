"""Read the notes of a standard MIDI file."""

from dataclasses import dataclass, field

from models.errors import MediaError

_MAX_NOTES = 50_000
_DRUM_CHANNEL = 9
_DATA_BYTES = {0x8: 2, 0x9: 2, 0xA: 2, 0xB: 2, 0xC: 1, 0xD: 1, 0xE: 2}
_META, _SYSEX, _ESCAPE = 0xFF, 0xF0, 0xF7
_TIME_SIGNATURE, _KEY_SIGNATURE = 0x58, 0x59


@dataclass(frozen=True, slots=True, order=True)
class MidiNote:
    """One note.

    Attributes:
        part: Number of the (track, channel) pair it belongs to, from 0.
        start_quarters: Onset in quarter notes from the beginning.
        end_quarters: End, at or after the onset.
        pitch: MIDI number 0..127; 60 is middle C.
    """

    part: int
    start_quarters: float
    end_quarters: float
    pitch: int


@dataclass(frozen=True, slots=True)
class MidiFile:
    """Notes and signatures of a MIDI file.

    Attributes:
        notes: In order of part, onset, end and pitch; drums left out unless there is nothing else.
        meters: (onset in quarters, beats of a bar, note value of a beat), by onset.
        fifths: Key signature: sharps (positive) or flats (negative), -7..7; the first one stated.
    """

    notes: tuple[MidiNote, ...]
    meters: tuple[tuple[float, int, int], ...]
    fifths: int


@dataclass(slots=True)
class _Gathered:
    """What has been read so far; times in ticks."""

    notes: list[tuple[tuple[int, int], int, int, int]] = field(default_factory=list)
    meters: list[tuple[int, int, int]] = field(default_factory=list)
    fifths: int | None = None


def read_midi(data: bytes) -> MidiFile:
    """Read all tracks of a MIDI file.

    Raises:
        MediaError: ``damaged`` when it is cut or not built as MIDI, ``too_large`` with too many
            notes, ``empty`` without notes.
    """
    try:
        return _read(data)
    except IndexError:
        raise MediaError("damaged", "expected a whole MIDI file, it is cut") from None


def _read(data: bytes) -> MidiFile:
    ticks_per_quarter = _ticks_per_quarter(data)
    gathered = _Gathered()
    position = 8 + int.from_bytes(data[4:8])
    track = 0
    while position + 8 <= len(data):
        length = int.from_bytes(data[position + 4 : position + 8])
        start, end = position + 8, position + 8 + length
        if end > len(data):
            raise MediaError("damaged", "expected a whole MIDI track, the file is cut")
        if data[position : position + 4] == b"MTrk":
            _Track(data[start:end], track, gathered).read()
            track += 1
        position = end
    return _gathered_file(gathered, ticks_per_quarter)


def _ticks_per_quarter(data: bytes) -> float:
    if len(data) < 14:
        raise MediaError("damaged", "expected a MIDI header of 14 bytes, the file is cut")
    division = int.from_bytes(data[12:14])
    if division & 0x8000:  # frames per second x ticks per frame, at the default 120 beats a minute
        division = (256 - data[12]) * data[13] // 2
    if division == 0:
        raise MediaError("damaged", "expected MIDI ticks per quarter note above 0, got 0")
    return float(division)


def _gathered_file(gathered: _Gathered, ticks_per_quarter: float) -> MidiFile:
    pitched = [note for note in gathered.notes if note[0][1] != _DRUM_CHANNEL]
    chosen = pitched or gathered.notes
    if not chosen:
        raise MediaError("empty", "expected a MIDI file with notes, got none")
    numbers = {part: n for n, part in enumerate(sorted({part for part, *_ in chosen}))}
    notes = sorted(
        MidiNote(numbers[part], start / ticks_per_quarter, end / ticks_per_quarter, pitch)
        for part, start, end, pitch in chosen
    )
    meters = sorted(
        (tick / ticks_per_quarter, beats, value) for tick, beats, value in gathered.meters
    )
    return MidiFile(tuple(notes), tuple(meters), gathered.fifths or 0)


class _Track:
    """Reads the events of one track chunk."""

    def __init__(self, data: bytes, number: int, gathered: _Gathered) -> None:
        self._data = data
        self._number = number
        self._gathered = gathered
        self._position = 0
        self._tick = 0
        self._status = 0
        self._sounding: dict[tuple[int, int], list[int]] = {}  # (channel, pitch) -> onsets

    def read(self) -> None:
        while self._position < len(self._data):
            self._tick += self._variable_length()
            if self._data[self._position] & 0x80:
                self._status = self._data[self._position]
                self._position += 1
            if self._status in (_META, _SYSEX, _ESCAPE):
                self._read_meta_or_system()
            else:
                self._read_channel_event()
        for (channel, pitch), onsets in self._sounding.items():  # never released
            for onset in onsets:
                self._add_note(channel, pitch, onset)

    def _variable_length(self) -> int:
        value = 0
        for _ in range(4):
            byte = self._data[self._position]
            self._position += 1
            value = value << 7 | byte & 0x7F
            if not byte & 0x80:
                return value
        raise MediaError("damaged", "expected a MIDI time of at most 4 bytes, got a longer one")

    def _read_meta_or_system(self) -> None:
        kind = -1
        if self._status == _META:
            kind = self._data[self._position]
            self._position += 1
        length = self._variable_length()
        body = self._data[self._position : self._position + length]
        self._position += length
        if kind == _TIME_SIGNATURE and len(body) >= 2 and body[0] and body[1] <= 5:
            self._gathered.meters.append((self._tick, body[0], 1 << body[1]))
        elif kind == _KEY_SIGNATURE and body and self._gathered.fifths is None:
            fifths = int.from_bytes(body[:1], signed=True)
            self._gathered.fifths = fifths if -7 <= fifths <= 7 else 0

    def _read_channel_event(self) -> None:
        kind, channel = self._status >> 4, self._status & 0xF
        n_bytes = _DATA_BYTES.get(kind)
        if n_bytes is None:
            raise MediaError("damaged", f"expected a MIDI event, got status 0x{self._status:02x}")
        pitch, value = self._data[self._position], self._data[self._position + n_bytes - 1]
        self._position += n_bytes
        if kind == 0x9 and value > 0:
            self._sounding.setdefault((channel, pitch), []).append(self._tick)
        elif kind in (0x8, 0x9):
            onsets = self._sounding.get((channel, pitch))
            if onsets:
                self._add_note(channel, pitch, onsets.pop(0))

    def _add_note(self, channel: int, pitch: int, onset: int) -> None:
        if len(self._gathered.notes) >= _MAX_NOTES:
            raise MediaError("too_large", f"expected at most {_MAX_NOTES} MIDI notes, got more")
        self._gathered.notes.append(((self._number, channel), onset, self._tick, min(pitch, 127)))
