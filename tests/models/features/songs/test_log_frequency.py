import numpy as np
import pytest

from models.features.songs.log_frequency import (
    BANDS,
    FRAMES,
    LOWEST_PITCH,
    log_frequency_windows,
)
from models.types import Audio

RATE = 16_000


def tone(pitch: float, seconds: float, rate: int = RATE) -> np.ndarray:
    hertz = 440.0 * 2.0 ** ((pitch - 69.0) / 12.0)
    return np.sin(2.0 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def melody(pitches: list[float], seconds: float, rate: int = RATE) -> Audio:
    parts = [tone(pitch, seconds / len(pitches), rate) for pitch in pitches]
    return Audio(np.concatenate(parts).astype(np.float32), rate)


@pytest.mark.parametrize("pitch", [48, 60, 69, 84, 100])
def test_a_tone_is_brightest_at_its_pitch(pitch: int) -> None:
    (picture,) = log_frequency_windows(melody([pitch], 6.0))
    assert picture.shape == (BANDS, FRAMES)
    brightest = picture[:, 10:-10].argmax(axis=0)
    assert np.abs(brightest - 2 * (pitch - LOWEST_PITCH)).max() <= 1


def test_a_semitone_is_two_bands() -> None:
    (low,) = log_frequency_windows(melody([60, 64, 67, 72], 6.0))
    (high,) = log_frequency_windows(melody([63, 67, 70, 75], 6.0))
    first, second = low[40:120].astype(int), high[46:126].astype(int)
    assert np.abs(first - second).mean() < 3.0
    assert np.abs(first - high[40:120]).mean() > 10.0


def test_tempo_and_length_leave_no_trace() -> None:
    (slow,) = log_frequency_windows(melody([60, 64, 67, 72], 12.0))
    (fast,) = log_frequency_windows(melody([60, 64, 67, 72], 6.0))
    steady = [column + offset for column in range(0, 256, 64) for offset in range(16, 48)]
    assert np.abs(slow[:, steady].astype(int) - fast[:, steady]).mean() < 2.0


def test_loudness_and_rate_leave_no_trace() -> None:
    sound = melody([60, 64, 67, 72], 6.0)
    quiet = Audio((0.05 * sound.samples).astype(np.float32), RATE)
    np.testing.assert_allclose(
        log_frequency_windows(quiet).astype(int), log_frequency_windows(sound), atol=1
    )
    (other,) = log_frequency_windows(melody([60, 64, 67, 72], 6.0, rate=44_100))
    bright = log_frequency_windows(sound)[0] > 200
    assert np.abs(other.astype(int) - log_frequency_windows(sound)[0])[bright].mean() < 6.0


def test_a_long_sound_is_cut_into_windows() -> None:
    assert len(log_frequency_windows(melody([60] * 16, 16.0))) == 1
    windows = log_frequency_windows(melody([60.0] * 10 + [72.0] * 10, 40.0))
    assert len(windows) == 8
    first, last = windows[0][:, 100].argmax(), windows[-1][:, 100].argmax()
    assert last - first == 24


def test_an_endless_sound_has_a_bounded_number_of_windows() -> None:
    assert len(log_frequency_windows(Audio(np.zeros(RATE * 900, np.float32), RATE))) == 64


@pytest.mark.parametrize("length", [1, 100, 5000])
def test_silence_and_clicks_are_black(length: int) -> None:
    picture = log_frequency_windows(Audio(np.zeros(length, np.float32), RATE))
    assert picture.shape == (1, BANDS, FRAMES)
    assert picture.max() == 0
