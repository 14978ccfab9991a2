import numpy as np
import pytest

from training.datasets.triples.sung_check import check_sung, pitch_track
from training.datasets.triples.sung_segments import SungNote

RATE = 16_000


def tone(hertz: float, seconds: float):
    time = np.arange(round(seconds * RATE)) / RATE
    return sum(np.sin(2 * np.pi * k * hertz * time) / k for k in (1, 2, 3))


@pytest.mark.parametrize("hertz", [65.4, 110.0, 261.6, 493.9, 880.0])
def test_the_pitch_of_a_tone_is_found_to_a_tenth_of_a_semitone(hertz) -> None:
    found = pitch_track(tone(hertz, 0.4), RATE)
    assert np.abs(12 * np.log2(found / hertz)).max() < 0.1


def test_noise_and_silence_have_no_pitch() -> None:
    noise = np.random.default_rng(0).standard_normal(RATE // 2)
    assert (pitch_track(noise, RATE) > 0).mean() < 0.05
    assert not pitch_track(np.zeros(RATE // 2), RATE).any()


def test_a_wrong_note_a_silent_note_and_a_wrong_length_are_counted() -> None:
    samples = np.concatenate([tone(220.0, 1.0), tone(440.0, 1.0), np.zeros(RATE)])
    notes = [SungNote(0, 1, 57), SungNote(1, 1, 70), SungNote(2, 1, 60)]
    found = check_sung(samples.astype(np.float32), notes, RATE)
    assert found.notes == 3
    assert found.silent_notes == 1
    assert found.on_pitch / found.frames == pytest.approx(0.5, abs=0.01)
    assert found.seconds_off == pytest.approx(0.0)
    assert check_sung(samples.astype(np.float32)[:RATE], notes, RATE).seconds_off == -2.0
