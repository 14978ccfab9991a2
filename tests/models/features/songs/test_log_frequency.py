import numpy as np
import pytest

from models.features.songs.log_frequency import (
    COLUMNS,
    PITCHES,
    ROWS,
    SPEECH,
    log_frequency_windows,
    picture_of,
)
from models.types import Audio

RATE = 16_000


def tone(pitch: float, seconds: float, rate: int = RATE) -> np.ndarray:
    hertz = 440.0 * 2.0 ** ((pitch - 69.0) / 12.0)
    return np.sin(2.0 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def melody(pitches: list[float], seconds: float, rate: int = RATE) -> Audio:
    parts = [tone(pitch, seconds / len(pitches), rate) for pitch in pitches]
    return Audio(np.concatenate(parts).astype(np.float32), rate)


def pitches_of(window: np.ndarray) -> np.ndarray:
    return window[: PITCHES.bands]


def speech_of(window: np.ndarray) -> np.ndarray:
    return window[PITCHES.bands :].reshape(SPEECH.bands, SPEECH.frames)


@pytest.mark.parametrize("pitch", [48, 60, 69, 84, 100])
def test_a_tone_is_brightest_at_its_pitch(pitch: int) -> None:
    (window,) = log_frequency_windows(melody([pitch], 6.0))
    assert window.shape == (ROWS, COLUMNS)
    brightest = pitches_of(window)[:, 10:-10].argmax(axis=0)
    assert np.abs(brightest - 2 * (pitch - PITCHES.lowest_pitch)).max() <= 1
    brightest = speech_of(window)[:, 20:-20].argmax(axis=0)
    assert np.abs(brightest - (pitch - SPEECH.lowest_pitch)).max() <= 1


def test_a_click_is_narrow_in_the_picture_of_speech() -> None:
    samples = np.zeros(6 * RATE)
    samples[3 * RATE] = 1.0
    for picture, seconds in ((PITCHES, 0.128), (SPEECH, 0.025)):
        bright = (picture_of(samples, picture) > 0).any(axis=0)
        assert bright.sum() * 6.0 / picture.frames <= seconds + 6.0 / picture.frames
        assert bright.any()


def test_pictures_are_those_of_a_naive_loop() -> None:
    samples = np.random.default_rng(0).normal(size=3 * RATE)
    for picture in (PITCHES, SPEECH):
        found = picture_of(samples, picture)
        padded = np.pad(samples, picture.window_samples // 2)
        hertz = np.arange(picture.fft_size // 2 + 1) * RATE / picture.fft_size
        window = np.hanning(picture.window_samples + 1)[:-1]
        power = np.zeros((picture.bands, picture.frames))
        for frame in range(picture.frames):
            start = int((frame + 0.5) / picture.frames * len(samples))
            part = padded[start : start + picture.window_samples]
            spectrum = np.abs(np.fft.rfft(part * window, picture.fft_size)) ** 2
            for band in range(picture.bands):
                pitch = picture.lowest_pitch + band / picture.per_semitone
                centre = 440.0 * 2.0 ** ((pitch - 69.0) / 12.0)
                width = centre * (2.0 ** (1.0 / (12 * picture.per_semitone)) - 1.0)
                width = max(width, RATE / picture.fft_size)
                triangle = np.maximum(0.0, 1.0 - np.abs(hertz - centre) / width)
                power[band, frame] = triangle @ spectrum
        decibels = 10.0 * np.log10(power)
        level = (1.0 + (decibels - decibels.max()) / 60.0).clip(0.0, 1.0)
        assert np.abs(found - 255.0 * level).max() <= 0.51


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
    first, second = pitches_of(slow)[:, steady], pitches_of(fast)[:, steady]
    assert np.abs(first.astype(int) - second).mean() < 2.0


def test_loudness_and_rate_leave_no_trace() -> None:
    sound = melody([60, 64, 67, 72], 6.0)
    quiet = Audio((0.05 * sound.samples).astype(np.float32), RATE)
    np.testing.assert_allclose(
        log_frequency_windows(quiet).astype(int), log_frequency_windows(sound), atol=1
    )
    (other,) = log_frequency_windows(melody([60, 64, 67, 72], 6.0, rate=44_100))
    own = pitches_of(log_frequency_windows(sound)[0])
    assert np.abs(pitches_of(other).astype(int) - own)[own > 200].mean() < 6.0


def test_a_long_sound_is_cut_into_windows() -> None:
    assert len(log_frequency_windows(melody([60] * 16, 16.0))) == 1
    windows = log_frequency_windows(melody([60.0] * 10 + [72.0] * 10, 40.0))
    assert len(windows) == 8
    first, last = (pitches_of(windows[k])[:, 100].argmax() for k in (0, -1))
    assert last - first == 24


def test_an_endless_sound_has_a_bounded_number_of_windows() -> None:
    assert len(log_frequency_windows(Audio(np.zeros(RATE * 900, np.float32), RATE))) == 64


@pytest.mark.parametrize("length", [1, 100, 5000])
def test_silence_and_clicks_are_black(length: int) -> None:
    picture = log_frequency_windows(Audio(np.zeros(length, np.float32), RATE))
    assert picture.shape == (1, ROWS, COLUMNS)
    assert picture.max() == 0
