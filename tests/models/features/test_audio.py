"""The audio extractor: what its rows keep, and what they ignore."""

import numpy as np
import pytest

from models.features.audio import LogMelStatistics
from models.features.log_mel import MelSettings, log_mel, mel_power
from models.types import Audio

RATE_HZ = 16_000
EXTRACTOR = LogMelStatistics()
PLACES = EXTRACTOR.layout.slices()

GOLDEN = {
    0: 2.09663,
    85: -2.42737,
    170: 0.0688658,
    255: 0.622193,
    341: 0.895813,
    426: 0.136105,
    511: 6.59369,
    596: 5.22249,
    682: 1.37384,
    767: 0.687985,
    852: 1.24353,
    938: 0.812263,
}  # place in the row -> value


def sweep(seconds: float = 1.5, *, rate_hz: int = RATE_HZ, gain: float = 0.3) -> Audio:
    """A tone that rises by an octave a second and pulses four times a second."""
    moments = np.arange(round(seconds * rate_hz)) / rate_hz
    phase = 2 * np.pi * 300.0 * (2.0**moments - 1.0) / np.log(2.0)
    pulse = (moments * 4.0) % 1.0 < 0.5
    return Audio((gain * np.sin(phase) * pulse).astype(np.float32), rate_hz)


def part(audio: Audio, name: str) -> np.ndarray:
    return EXTRACTOR.pooled(audio)[PLACES[name]]


def test_row_is_the_golden_one():
    row = EXTRACTOR.pooled(sweep())
    np.testing.assert_allclose(row[list(GOLDEN)], list(GOLDEN.values()), rtol=1e-4)


def test_patches_are_moments_of_the_log_mel_spectrogram():
    audio = sweep(2.0)
    spectrogram = log_mel(mel_power(audio.samples.astype(np.float64), MelSettings()), MelSettings())
    patch = spectrogram[48:144]
    sequence = EXTRACTOR.sequence(audio)
    assert sequence.shape == (3, 192)
    np.testing.assert_allclose(sequence[1, :64], patch.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(sequence[1, 64:128], patch.std(axis=0), rtol=1e-5)


@pytest.mark.parametrize(
    ("seconds", "patches"), [(0.01, 1), (0.9, 1), (0.98, 1), (1.5, 2), (5.0, 9)]
)
def test_patches_start_every_480_ms(seconds, patches):
    assert len(EXTRACTOR.sequence(sweep(seconds))) == patches


def test_spoken_word_does_not_change_with_silence_around_it():
    word = sweep(0.6)
    padded = Audio(np.pad(word.samples, (8_000, 4_800)), RATE_HZ)
    shapes = part(padded, "word cepstra"), part(word, "word cepstra")
    assert np.corrcoef(*shapes)[0, 1] > 0.95


def test_sample_rate_of_the_file_hardly_matters():
    low, high = EXTRACTOR.pooled(sweep(rate_hz=16_000)), EXTRACTOR.pooled(sweep(rate_hz=44_100))
    correlation = np.corrcoef(low, high)[0, 1]
    assert correlation > 0.97


def test_tempo_of_the_pulses_is_found():
    log_rate = part(sweep(4.0), "tempo")[0] * 0.3
    assert np.exp(log_rate) == pytest.approx(4.0, rel=0.05)


def test_louder_sound_has_the_same_pitch_and_beat():
    quiet, loud = sweep(gain=0.1), sweep(gain=0.8)
    for name in ("pitch shares", "beat spectra"):
        np.testing.assert_allclose(part(quiet, name), part(loud, name), atol=0.8)
    assert part(loud, "band moments").mean() > part(quiet, "band moments").mean()


def test_duration_is_the_last_number():
    assert EXTRACTOR.pooled(sweep(2.0))[-1] == pytest.approx(np.log(2.001) / 0.5, rel=1e-5)
