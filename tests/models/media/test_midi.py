import base64
import struct
import xml.etree.ElementTree as ET

import numpy as np
import pytest
import verovio

from models.errors import MediaError
from models.media.midi_file import MidiFile, MidiNote, read_midi
from models.media.midi_notation import to_musicxml
from models.media.xml_tree import parse_xml
from tests.models.media.media_files import midi, midi_notes, musicxml

STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
METER_3_4 = b"\x00\xff\x58\x04\x03\x02\x18\x08"
KEY_TWO_FLATS = b"\x00\xff\x59\x02\xfe\x00"


def _pitches(midi_file: MidiFile) -> list[int]:
    return [note.pitch for note in midi_file.notes]


def test_notes_are_those_that_verovio_wrote():
    toolkit = verovio.toolkit()
    toolkit.loadData(musicxml().decode())
    notes = read_midi(base64.b64decode(toolkit.renderToMIDI())).notes
    assert [note.pitch for note in notes] == [60, 62, 64, 66, 67, 69, 71, 72]
    np.testing.assert_allclose([note.start_quarters for note in notes], range(8), atol=0.01)
    np.testing.assert_allclose([note.end_quarters for note in notes], range(1, 9), atol=0.02)


def test_tracks_and_channels_are_parts():
    data = midi(midi_notes([60, 62]), midi_notes([50], channel=1) + midi_notes([40], channel=2))
    notes = read_midi(data).notes
    assert [(note.part, note.pitch) for note in notes] == [(0, 60), (0, 62), (1, 50), (2, 40)]


def test_running_status_and_silent_note_on_are_understood():
    events = bytes([0, 0x90, 60, 64, 96, 60, 0, 0, 64, 64, 96, 64, 0])
    assert read_midi(midi(events)).notes == (MidiNote(0, 0.0, 1.0, 60), MidiNote(0, 1.0, 2.0, 64))


def test_long_times_take_several_bytes():
    events = bytes([0x83, 0x00, 0x90, 60, 64, 0x81, 0x40, 0x80, 60, 0])  # 384 and 192 ticks
    assert read_midi(midi(events)).notes == (MidiNote(0, 4.0, 6.0, 60),)


def test_other_events_are_passed_over():
    events = (
        b"\x00\xff\x03\x04name"  # track name
        b"\x00\xf0\x03\x01\x02\xf7"  # system exclusive
        b"\x00\xc0\x05"  # program
        b"\x00\xb0\x07\x64"  # volume
        b"\x00\xe0\x00\x40"  # pitch bend
        b"\x00\x80\x3c\x00"  # the end of a note that never began
    )
    assert _pitches(read_midi(midi(events + midi_notes([60])))) == [60]


def test_a_note_without_end_lasts_to_the_end_of_its_track():
    events = bytes([0, 0x90, 60, 64]) + midi_notes([64, 65])
    assert MidiNote(0, 0.0, 2.0, 60) in read_midi(midi(events)).notes


def test_drums_are_left_out_unless_alone():
    drums = midi_notes([36, 38], channel=9)
    assert _pitches(read_midi(midi(midi_notes([60]), drums))) == [60]
    assert _pitches(read_midi(midi(drums))) == [36, 38]


def test_signatures_are_read():
    read = read_midi(midi(METER_3_4 + KEY_TWO_FLATS + midi_notes([60])))
    assert read.meters == ((0.0, 3, 4),)
    assert read.fifths == -2


def test_wrong_signatures_are_passed_over():
    events = b"\x00\xff\x58\x04\x00\x02\x18\x08\x00\xff\x59\x02\x40\x00"
    read = read_midi(midi(events + midi_notes([60])))
    assert (read.meters, read.fifths) == ((), 0)


def test_time_in_frames_counts_at_two_beats_a_second():
    data = bytearray(midi(midi_notes([60], ticks=100)))
    data[12:14] = bytes([256 - 25, 40])  # 25 frames of 40 ticks: 1,000 ticks a second
    assert read_midi(bytes(data)).notes[0].end_quarters == pytest.approx(0.2)


def test_unknown_chunks_are_passed_over():
    data = midi(midi_notes([60]))
    stranger = b"XFIH" + struct.pack(">I", 3) + b"abc"
    assert _pitches(read_midi(data[:14] + stranger + data[14:])) == [60]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"MThd\x00\x00", "damaged"),
        (midi(midi_notes([60]))[:-3], "damaged"),
        (midi(midi_notes([60]), ticks_per_quarter=0), "damaged"),
        (midi(b"\x00\xf5\x00"), "damaged"),
        (midi(b"\x00\x90\x3c"), "damaged"),
        (midi(b"\xff\xff\xff\xff\x00\x90\x3c\x40"), "damaged"),
        (midi(b"\x00\x40\x40"), "damaged"),
        (midi(), "empty"),
        (midi(b""), "empty"),
        (midi(midi_notes([60] * 50_001)), "too_large"),
    ],
)
def test_bad_files_are_refused_with_a_reason(data, reason):
    with pytest.raises(MediaError) as caught:
        read_midi(data)
    assert caught.value.reason == reason


def _file(*notes: tuple[float, float, int], fifths: int = 0, meters=()) -> MidiFile:
    return MidiFile(tuple(MidiNote(0, *note) for note in notes), meters, fifths)


def _parts(written: str) -> list[ET.Element]:
    return parse_xml(written, name="MusicXML").findall("part")


def _sounding(part: ET.Element) -> list[tuple[int, int, int]]:
    """(start, end, pitch) of a part in sixteenths, tied notes joined: what the reader plays."""
    now, last = 0, 0
    sounding: list[list[int]] = []
    for note in part.iter("note"):
        duration = int(note.findtext("duration", "0"))
        if note.find("chord") is None:
            last, now = now, now + duration
        pitch = note.find("pitch")
        if pitch is None:
            continue
        alter = int(pitch.findtext("alter", "0"))
        octave = int(pitch.findtext("octave", "0"))
        number = 12 * (octave + 1) + STEPS[pitch.findtext("step", "")] + alter
        if "stop" in [tie.get("type") for tie in note.findall("tie")]:
            held = next(s for s in reversed(sounding) if s[2] == number and s[1] == last)
            held[1] = now
        else:
            sounding.append([last, now, number])
    return sorted((start, end, number) for start, end, number in sounding)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("meter", [(4, 4), (3, 4), (6, 8), (2, 2)])
def test_melodies_on_the_grid_are_written_down_exactly(seed, meter):
    rng = np.random.default_rng(seed)
    start, notes = 0.0, []
    for _ in range(20):
        start += float(rng.choice([0.0, 0.5, 1.0]))
        length = float(rng.integers(1, 24)) / 4
        notes.append((start, start + length, int(rng.integers(60, 80))))
        start += length
    (part,) = _parts(
        to_musicxml(_file(*notes, fifths=int(rng.integers(-4, 5)), meters=((0.0, *meter),)))
    )
    assert _sounding(part) == [(int(4 * s), int(4 * e), p) for s, e, p in notes]
    for measure in part.findall("measure"):
        duration = sum(
            int(note.findtext("duration", "0"))
            for note in measure.findall("note")
            if note.find("chord") is None
        )
        assert duration == 16 * meter[0] // meter[1]


def test_chords_share_their_rhythm():
    (part,) = _parts(to_musicxml(_file((0, 1, 60), (0, 1, 64), (0, 2, 67), (1, 2, 62))))
    assert _sounding(part) == [(0, 4, 60), (0, 4, 64), (0, 4, 67), (4, 8, 62)]


def test_short_gaps_before_the_next_note_are_closed():
    (part,) = _parts(to_musicxml(_file((0.02, 0.8, 60), (1.01, 1.9, 62), (2.0, 2.1, 64))))
    assert _sounding(part) == [(0, 4, 60), (4, 8, 62), (8, 9, 64)]


@pytest.mark.parametrize(
    ("fifths", "step", "alter"), [(3, "C", "1"), (-3, "D", "-1"), (0, "C", "1")]
)
def test_black_keys_are_spelt_by_the_key(fifths, step, alter):
    (part,) = _parts(to_musicxml(_file((0, 1, 61), fifths=fifths)))
    assert part.findtext(".//step") == step
    assert part.findtext(".//alter") == alter


def test_a_wide_part_becomes_two_staves_with_their_clefs():
    parts = _parts(to_musicxml(_file((0, 1, 40), (0, 1, 76))))
    assert [part.findtext(".//sign") for part in parts] == ["G", "F"]
    assert [_sounding(part)[0][2] for part in parts] == [76, 40]


def test_meters_change_at_the_next_bar():
    meters = ((0.0, 4, 4), (5.0, 3, 4))
    (part,) = _parts(to_musicxml(_file((0, 12, 60), meters=meters)))
    assert [time.findtext("beats") for time in part.iter("time")] == ["4", "3"]
    assert len(part.findall("measure")) == 4  # 4 + 4 + 3 + 3 quarters


@pytest.mark.parametrize(
    "notes",
    [
        tuple(MidiNote(part, 0.0, 1.0, 60) for part in range(33)),
        (MidiNote(0, 0.0, 1.0, 60), MidiNote(0, 9_000.0, 9_001.0, 60)),
    ],
)
def test_too_many_staves_or_bars_are_refused(notes):
    with pytest.raises(MediaError) as caught:
        to_musicxml(MidiFile(notes, (), 0))
    assert caught.value.reason == "too_large"
