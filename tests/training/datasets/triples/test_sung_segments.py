import numpy as np
import pytest

from tests.training.datasets.triples.sung import melody
from training.datasets.triples.sung_segments import (
    CONSONANTS,
    PADDING_SECONDS,
    VOWELS,
    SungNote,
    singable,
    sung_segments,
    within_the_voice,
)

LA = ("l", "aa")


def timed(segments):
    """Phones with their start in seconds of the recording."""
    ends = np.cumsum([segment.seconds for segment in segments]) - PADDING_SECONDS
    starts = np.concatenate([[-PADDING_SECONDS], ends[:-1]])
    return [(segment.phone, start) for segment, start in zip(segments, starts, strict=True)]


def pitch_at(segments, seconds):
    """Pitch in Hz by linear interpolation of the targets."""
    points = [
        (start + at, hertz)
        for (_, start), segment in zip(timed(segments), segments, strict=True)
        for at, hertz in segment.targets
    ]
    times, hertz = zip(*points, strict=True)
    assert list(times) == sorted(times)
    return float(np.interp(seconds, times, hertz))


def test_segments_last_as_long_as_the_notes() -> None:
    notes = melody(["la"] * 8, rest_after=3)
    segments = sung_segments(notes, [LA] * 8)
    total = sum(segment.seconds for segment in segments)
    assert total == pytest.approx(notes[-1].end_seconds + 2 * PADDING_SECONDS)


def test_every_vowel_begins_with_its_note() -> None:
    notes = melody(["la"] * 8, start=0.3, rest_after=3)
    vowels = [start for phone, start in timed(sung_segments(notes, [LA] * 8)) if phone == "aa"]
    assert vowels == pytest.approx([note.onset_seconds for note in notes])


def test_the_first_consonant_is_inside_the_note_where_no_time_is_before_it() -> None:
    segments = timed(sung_segments(melody(["la"]), [LA]))
    assert [phone for phone, _ in segments] == ["pau", "l", "aa", "pau"]
    assert segments[1][1] == pytest.approx(0.0)


def test_a_rest_is_a_pause_and_a_gap_too_short_for_a_breath_is_not() -> None:
    notes = [SungNote(0.0, 0.5, 60, "a"), SungNote(1.0, 0.48, 60, "a"), SungNote(1.5, 0.5, 60, "a")]
    phones = [phone for phone, _ in timed(sung_segments(notes, [("aa",)] * 3))]
    assert phones == ["pau", "aa", "pau", "aa", "aa", "pau"]


def test_a_melisma_keeps_its_vowel_and_follows_the_notes() -> None:
    notes = melody(["la", "", "", "da"])
    segments = sung_segments(notes, [LA, (), (), ("d", "aa")])
    assert [segment.phone for segment in segments] == ["pau", "l", "aa", "d", "aa", "pau"]
    for note in notes:
        middle = note.onset_seconds + note.duration_seconds / 2
        assert pitch_at(segments, middle) == pytest.approx(440 * 2 ** ((note.pitch - 69) / 12))


def test_behind_a_rest_a_note_without_a_syllable_repeats_the_vowel() -> None:
    notes = melody(["light", ""], rest_after=0)
    phones = [one.phone for one in sung_segments(notes, [("l", "ay", "t"), ()])]
    assert phones == ["pau", "l", "ay", "t", "pau", "ay", "pau"]


def test_a_short_note_keeps_half_of_its_time_for_the_vowel() -> None:
    notes = [SungNote(0.0, 0.2, 60, "strengths"), SungNote(0.2, 0.2, 60, "a")]
    phones = ("s", "t", "r", "eh", "ng", "th", "s")
    segments = sung_segments(notes, [phones, ("aa",)])
    vowel = next(one for one in segments if one.phone == "eh")
    assert all(one.seconds > 0 for one in segments)
    assert vowel.seconds >= 0.2 * 0.5 * 0.5


def test_a_note_is_cut_where_the_next_begins() -> None:
    notes = [SungNote(0.0, 3.0, 60, "a"), SungNote(1.0, 1.0, 60, "a")]
    segments = sung_segments(notes, [("aa",), ("iy",)])
    assert sum(one.seconds for one in segments) == pytest.approx(2.0 + 2 * PADDING_SECONDS)


@pytest.mark.parametrize(
    ("pitches", "expected"),
    [
        ([60, 64, 71], [60, 64, 71]),
        ([67, 72], [55, 60]),  # all of it by one octave, so the melody keeps its shape
        ([84, 96], [60, 72 - 12]),  # wider than what is left: folded note by note
        ([30, 40], [42, 52]),
    ],
)
def test_a_melody_moves_by_octaves_into_the_voice(pitches, expected) -> None:
    moved = within_the_voice(pitches)
    assert [pitch % 12 for pitch in moved] == [pitch % 12 for pitch in pitches]
    assert all(36 <= pitch <= 71 for pitch in moved)
    if max(pitches) - min(pitches) < 12:
        assert moved == expected


@pytest.mark.parametrize(
    ("phones", "expected"),
    [
        (("hh", "s", "iy"), ("s", "iy")),
        (("b", "ow", "w"), ("b", "ow", "uw")),
        (("s", "eh", "y"), ("s", "eh", "iy")),
        (("ng", "aa", "ng"), ("n", "aa", "ng")),
        (("m",), ("m", "ax")),
        ((), ("ax",)),
        (("aa", "unknown"), ("aa",)),
    ],
)
def test_phones_the_voice_cannot_join_are_changed(phones, expected) -> None:
    assert singable(phones) == expected


def test_singable_phones_hold_for_any_phones() -> None:
    rng = np.random.default_rng(0)
    names = sorted(VOWELS | CONSONANTS)
    for _ in range(500):
        phones = singable([names[index] for index in rng.integers(len(names), size=4)])
        assert any(phone in VOWELS for phone in phones)
        for index, phone in enumerate(phones):
            if phone in ("hh", "w", "y"):
                assert phones[index + 1] in VOWELS
            if phone == "ng":
                assert phones[index - 1] in VOWELS
