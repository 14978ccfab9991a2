"""The real Festival; skipped where it is not installed."""

import os
import shutil
import signal

import numpy as np
import pytest

from models.errors import DataError
from tests.training.datasets.triples.sung import melody
from training.datasets.triples.festival import SAMPLE_RATE_HZ, FestivalSinger
from training.datasets.triples.sung_check import check_sung
from training.datasets.triples.sung_segments import SungNote

needs_festival = pytest.mark.skipif(
    shutil.which("festival") is None, reason="needs festival and festvox-kallpc16k"
)
WORDS = ["sil-", "ver", "riv-", "er", "run", "", "on", "now"]


@pytest.fixture(scope="module")
def singer():
    with FestivalSinger() as singer:
        yield singer


def level_db(samples, low_hz, high_hz):
    power = np.abs(np.fft.rfft(samples)) ** 2
    hertz = np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE_HZ)
    return 10 * np.log10(power[(hertz >= low_hz) & (hertz < high_hz)].sum())


@needs_festival
@pytest.mark.parametrize("transposed", [-12, 0, 7, 24])
def test_it_sings_the_written_notes(singer, transposed) -> None:
    notes = [
        SungNote(
            n.onset_seconds, n.duration_seconds, n.pitch + transposed, n.syllable, n.joins_next
        )
        for n in melody(WORDS, start=0.2, rest_after=3)
    ]
    found = check_sung(singer.sing(notes), notes, SAMPLE_RATE_HZ)
    assert found.on_pitch / found.frames > 0.95
    assert found.frames > 150  # of about 430 that lie wholly in a note
    assert found.silent_notes == 0
    assert abs(found.seconds_off) < 1 / SAMPLE_RATE_HZ


@needs_festival
def test_a_rest_is_silent(singer) -> None:
    notes = melody(["la", "la"], rest_after=0)
    samples = singer.sing(notes)
    rest = samples[round(0.65 * SAMPLE_RATE_HZ) : round(0.85 * SAMPLE_RATE_HZ)]
    assert np.abs(rest).max() < 0.02 * np.abs(samples).max()


@needs_festival
def test_words_are_heard(singer) -> None:
    """The vowel of "see" has its second formant near 2.3 kHz, that of "saw" near 0.9 kHz."""
    levels = {}
    for word in ("see", "saw"):
        vowel = singer.sing(melody([word] * 8))[round(0.8 * SAMPLE_RATE_HZ) : SAMPLE_RATE_HZ]
        levels[word] = level_db(vowel, 1900, 3000) - level_db(vowel, 500, 1300)
    assert levels["see"] > levels["saw"] + 10


@needs_festival
def test_a_hissed_consonant_is_heard_before_its_note(singer) -> None:
    samples = singer.sing(melody(["la", "see"]))
    before = samples[round(0.42 * SAMPLE_RATE_HZ) : round(0.47 * SAMPLE_RATE_HZ)]
    vowel = samples[round(0.6 * SAMPLE_RATE_HZ) : round(0.65 * SAMPLE_RATE_HZ)]
    hiss = [level_db(part, 4000, 8000) - level_db(part, 0, 1000) for part in (before, vowel)]
    assert hiss[0] > hiss[1] + 20


@needs_festival
def test_the_same_notes_give_the_same_bits_in_any_process(singer) -> None:
    notes = melody(WORDS)
    first = singer.sing(notes)
    singer.sing(melody(["oh"] * 8))
    with FestivalSinger() as other:
        assert np.array_equal(other.sing(notes), first)
    assert np.array_equal(singer.sing(notes), first)


@needs_festival
def test_the_syllables_of_a_word_share_its_pronunciation(singer) -> None:
    phones = singer.phones(melody(["sta-", "tion"]))  # alone, "tion" would be said otherwise
    assert phones == [("s", "t", "ey"), ("sh", "ax", "n")]
    assert singer.phones(melody(["ev-", "er-", "y-", "where", "ah"]))[4] == ("aa",)


@needs_festival
@pytest.mark.parametrize(
    "syllables", [["ev'ry"], ["fi-", "re"], ["x" * 500], ["1"], ["日本"], [""]]
)
@pytest.mark.parametrize("language", ["en", "de", "fr"])
def test_any_syllables_are_sung(singer, syllables, language) -> None:
    samples = singer.sing(melody(syllables), language=language)
    assert np.abs(samples).max() == pytest.approx(0.7)


@needs_festival
def test_a_killed_process_is_replaced(singer) -> None:
    notes = melody(WORDS)
    expected, killed = singer.sing(notes), singer.process_id
    os.kill(killed, signal.SIGKILL)
    assert np.array_equal(singer.sing(notes), expected)
    assert singer.process_id != killed


@needs_festival
def test_a_hanging_process_is_ended_in_time() -> None:
    with FestivalSinger(timeout_seconds=0.5) as singer:
        os.kill(singer.process_id, signal.SIGSTOP)
        assert len(singer.sing(melody(["la"]))) == SAMPLE_RATE_HZ // 2


@needs_festival
def test_no_notes_and_an_unknown_language_are_refused(singer) -> None:
    with pytest.raises(DataError, match="at least one"):
        singer.sing([])
    with pytest.raises(DataError, match="found 'it'"):
        singer.sing(melody(["la"]), language="it")


def test_without_festival_the_message_says_what_to_install(monkeypatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(DataError, match="apt install festival festvox-kallpc16k"):
        FestivalSinger()


def test_without_the_voice_the_message_says_what_to_install(monkeypatch, tmp_path) -> None:
    """A program that answers like a Festival without voices: it says nothing and ends."""
    program = tmp_path / "festival"
    program.write_text("#!/bin/sh\nexit 0\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DataError, match="voice kal_diphone"):
        FestivalSinger()
