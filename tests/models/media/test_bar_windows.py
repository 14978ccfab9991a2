from typing import Any

import numpy as np
import pytest

from models.errors import MediaError
from models.features.windows import windows_of
from models.media.bar_windows import bar_windows
from models.media.engraving import engrave_strip
from models.media.limits import MediaLimits
from models.media.load import load
from models.media.sniff import identify
from models.media.spans import spans
from models.types import Audio, Lyrics, Modality, Place, Score
from tests.models.media.media_files import ABC, SCALE, made, musicxml

LIMITS = MediaLimits()
UP = ("C4", "D4", "E4", "F4")
DOWN = ("C5", "B4", "A4", "G4")
TWELVE_BARS = UP * 4 + DOWN * 4 + (*UP, *DOWN) * 2


def _cut(data):
    return bar_windows(data, identify(data), LIMITS)


def _strips(data):
    return [window.engraved(LIMITS).pages[0] for window in _cut(data)]


def test_each_window_looks_as_a_file_of_its_bars_does():
    """Against engraving what a file of those four bars alone gives."""
    strips = _strips(musicxml(TWELVE_BARS))
    alone = [TWELVE_BARS[start : start + 16] for start in (0, 16, 32)]
    assert len(strips) == 3
    for strip, notes in zip(strips, alone, strict=True):
        assert np.array_equal(strip, engrave_strip(musicxml(notes), LIMITS))


def test_places_are_bars_from_1_and_seconds_at_the_written_tempo():
    """Verovio plays 120 quarters a minute where no tempo is written: a bar of 4/4 lasts 2 s."""
    assert [window.place for window in _cut(musicxml(TWELVE_BARS))] == [
        Place(first_bar=1, last_bar=4, start_seconds=0.0, end_seconds=8.0),
        Place(first_bar=5, last_bar=8, start_seconds=8.0, end_seconds=16.0),
        Place(first_bar=9, last_bar=12, start_seconds=16.0, end_seconds=24.0),
    ]


def test_a_written_tempo_counts():
    slow = b"<direction><sound tempo='60'/></direction><note>"
    data = musicxml(TWELVE_BARS, words=False).replace(b"<note>", slow, 1)
    assert [w.place.end_seconds for w in _cut(data)] == [16.0, 32.0, 48.0]


def test_the_last_window_ends_with_the_last_bar():
    places = [window.place for window in _cut(musicxml(TWELVE_BARS[:40]))]
    assert [(p.first_bar, p.last_bar) for p in places] == [(1, 4), (5, 8), (7, 10)]


def test_clef_key_and_metre_hold_on_where_they_were_stated_before():
    change = (
        b"<measure number='5'><attributes><key><fifths>-3</fifths></key>"
        b"<clef><sign>F</sign><line>4</line></clef></attributes>"
    )
    data = musicxml(TWELVE_BARS).replace(b"<measure number='5'>", change)
    changed = _strips(data)
    in_bass = musicxml(TWELVE_BARS[16:32], fifths=-3).replace(
        b"<sign>G</sign><line>2</line>", b"<sign>F</sign><line>4</line>"
    )
    assert np.array_equal(changed[0], _strips(musicxml(TWELVE_BARS))[0])
    assert np.array_equal(changed[1], engrave_strip(in_bass, LIMITS))
    assert not np.array_equal(changed[2], _strips(musicxml(TWELVE_BARS))[2])


def _two_parts(first, second):
    """A score of two parts, from files of one each."""
    one, two = first.decode(), second.decode()
    part = two[two.index("<part id='P1'>") : two.index("</score-partwise>")]
    names = "<score-part id='P2'><part-name>B</part-name></score-part></part-list>"
    return (
        one.replace("</part-list>", names)
        .replace("</score-partwise>", part.replace("'P1'", "'P2'") + "</score-partwise>")
        .encode()
    )


def test_the_sung_staff_is_taken_wherever_it_stands():
    piano, voice = musicxml(TWELVE_BARS, words=False), musicxml(TWELVE_BARS[::-1])
    sung = b"<lyric><syllabic>single</syllabic><text>la</text></lyric></note>"
    voice = voice if b"<lyric" in voice else voice.replace(b"</note>", sung)
    expected = _strips(voice)
    for data in (_two_parts(piano, voice), _two_parts(voice, piano)):
        found = _strips(data)
        assert all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))


def test_without_words_the_first_staff_with_notes_is_taken():
    top, low = musicxml(TWELVE_BARS, words=False), musicxml(TWELVE_BARS[::-1], words=False)
    found = _strips(_two_parts(top, low))
    assert all(np.array_equal(a, b) for a, b in zip(found, _strips(top), strict=True))


def test_windows_of_rests_are_left_out():
    rests = b"<note><rest/><duration>4</duration></note>"
    data = musicxml(TWELVE_BARS)
    for number in (5, 6, 7, 8):
        start = data.index(b"<note>", data.index(f"<measure number='{number}'>".encode()))
        end = data.index(b"</measure>", start)
        data = data[:start] + rests + data[end:]
    assert [w.place.first_bar for w in _cut(data)] == [1, 9]


@pytest.mark.parametrize(
    ("name", "bars"),
    [("musicxml", 2), ("timewise", 2), ("mxl", 2), ("mei", 1), ("mid", 1), ("abc", 2), ("krn", 1)],
)
def test_every_format_is_cut(name, bars):
    data = made(name)
    window: Any
    (window,) = windows_of(data, load(data, Modality.SCORE), LIMITS)
    assert (window.place.first_bar, window.place.last_bar) == (1, bars)
    assert np.array_equal(window.media.pages[0], engrave_strip(data, LIMITS))


def test_a_long_tune_in_abc():
    tune = ABC.replace(b"CDEF", b"|".join([b"CDEF"] * 9))
    assert [w.place.last_bar for w in _cut(tune)] == [4, 8, 10]


def test_too_many_bars_are_refused():
    few = MediaLimits(max_bars=8)
    data = musicxml(TWELVE_BARS)
    with pytest.raises(MediaError, match="at most 8 bars, got 12") as refusal:
        bar_windows(data, identify(data), few)
    assert refusal.value.reason == "too_large"


def test_the_only_window_and_a_few_of_many():
    data = musicxml(SCALE * 20)  # 40 bars
    whole = load(data, Modality.SCORE)
    everything: Any = windows_of(data, whole, LIMITS)
    assert len(everything) == 10
    third = everything[2]
    found: Any
    (found,) = windows_of(data, whole, LIMITS, only=third.place)
    assert np.array_equal(found.media.pages[0], third.media.pages[0])
    some = windows_of(data, whole, LIMITS, most=3)
    assert [w.place.first_bar for w in some] == [1, 17, 37]
    with pytest.raises(MediaError, match="at that place"):
        windows_of(data, whole, LIMITS, only=Place(first_bar=2, last_bar=5))


def test_a_sound_is_cut_every_4_seconds_and_silence_left_out():
    rate = 1_000
    samples = np.sin(np.arange(30 * rate)).astype(np.float32)
    samples[9 * rate : 21 * rate] = 0.0
    windows: Any = windows_of(b"", Audio(samples, rate), LIMITS)
    spans_found = [(w.place.start_seconds, w.place.end_seconds) for w in windows]
    assert spans_found == [(0, 9), (4.5, 13.5), (13.5, 22.5), (18, 27), (21, 30)]
    for window in windows:
        start, end = (
            round(s * rate) for s in (window.place.start_seconds, window.place.end_seconds)
        )
        assert np.array_equal(window.media.samples, samples[start:end])


def test_a_short_or_silent_sound_is_one_window():
    for seconds in (0.1, 8.0):
        sound = Audio(np.ones(round(seconds * 100), np.float32), 100)
        assert len(windows_of(b"", sound, LIMITS)) == 1
    assert len(windows_of(b"", Audio(np.zeros(3_000, np.float32), 100), LIMITS)) == 1


def test_words_are_cut_every_four_lines():
    text = "\n".join(f"line {n}" if n % 5 else "" for n in range(1, 15))
    windows: Any = windows_of(b"", Lyrics(text), LIMITS)
    assert [w.media.text.split("\n") for w in windows] == [
        ["line 1", "line 2", "line 3", "line 4"],
        ["line 6", "line 7", "line 8", "line 9"],
        ["line 11", "line 12", "line 13", "line 14"],
    ]
    assert [(w.place.first_line, w.place.last_line) for w in windows] == [(1, 4), (6, 9), (11, 14)]


def test_a_page_is_cut_into_its_staves():
    """A page of four lines is put together from strips, so what each cut must show is known."""
    strips = [
        engrave_strip(musicxml(notes * 4), LIMITS) for notes in (UP, DOWN, UP[::-1], DOWN[::-1])
    ]
    rows = [np.pad(s, ((40, 40), (60, 60)), constant_values=255) for s in strips]
    page = np.vstack(rows)
    score = Score((page,), engraved=False)
    windows: Any = windows_of(b"%PDF-", score, LIMITS)
    assert [(w.place.page, w.place.staff) for w in windows] == [(1, 1), (1, 2), (1, 3), (1, 4)]
    for window, strip in zip(windows, strips, strict=True):
        shown, expected = _inked(window.media.pages[0]), _inked(strip)
        assert np.abs(np.subtract(shown.shape, expected.shape)).max() <= 2
        columns = min(shown.shape[1], expected.shape[1])
        profiles = [picture[:, :columns].mean(axis=0) for picture in (shown, expected)]
        assert np.corrcoef(*profiles)[0, 1] > 0.95


def _inked(picture):
    """The picture cut to its ink."""
    ink = picture < 200
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    return picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def test_a_picture_without_staves_stays_whole():
    blank = Score((np.full((200, 300), 255, np.uint8),), engraved=False)
    (window,) = windows_of(b"%PDF-", blank, LIMITS)
    assert window.media is blank


@pytest.mark.parametrize(
    ("total", "expected"),
    [(3, [(0, 3)]), (4, [(0, 4)]), (5, [(0, 4), (1, 5)]), (8, [(0, 4), (4, 8)])],
)
def test_spans_cover_everything(total, expected):
    assert spans(total, 4, 4) == expected
