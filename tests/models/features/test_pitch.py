"""Pitch against tones whose pitch is known."""

import numpy as np
import pytest

from models.features.pitch import PitchSettings, pitch_salience, pitch_statistics
from models.types import Float64Array

SETTINGS = PitchSettings()


def tone(pitches: list[int], seconds: float, *, n_harmonics: int = 5) -> Float64Array:
    moments = np.arange(round(seconds * SETTINGS.sample_rate_hz)) / SETTINGS.sample_rate_hz
    notes = []
    for pitch in pitches:
        hz = 440.0 * 2.0 ** ((pitch - 69) / 12)
        waves = [np.sin(2 * np.pi * hz * h * moments) / h for h in range(1, n_harmonics + 1)]
        notes.append(0.2 * sum(waves))
    return np.concatenate(notes)


@pytest.mark.parametrize("pitch", [40, 48, 57, 60, 69, 76, 84, 95])
@pytest.mark.parametrize("n_harmonics", [1, 5])
def test_strongest_pitch_is_the_note(pitch, n_harmonics):
    salience = pitch_salience(tone([pitch], 1.0, n_harmonics=n_harmonics), SETTINGS)
    assert set(SETTINGS.lowest_pitch + salience.argmax(axis=1)) == {pitch}


def test_number_of_frames_follows_the_hop():
    salience = pitch_salience(np.zeros(4096 + 3 * 1024 + 1023), SETTINGS)
    assert salience.shape == (4, SETTINGS.n_pitches)


def test_silence_has_no_salience():
    assert not pitch_salience(np.zeros(100), SETTINGS).any()


def test_statistics_follow_the_melody():
    numbers = pitch_statistics(pitch_salience(tone([60, 64, 67, 72], 1.0), SETTINGS))
    melody = numbers[: SETTINGS.n_pitches]
    heard = set(SETTINGS.lowest_pitch + np.argsort(melody)[-4:])
    mean, _, low, high, moves = numbers[2 * SETTINGS.n_pitches :][:5]
    assert heard == {60, 64, 67, 72}
    assert mean == pytest.approx((65.75 - 36) / 12, abs=0.15)
    assert (low, high) == (2.0, 3.0)
    assert 3 / 60 <= moves <= 8 / 60


def test_shares_are_square_roots_of_distributions():
    numbers = pitch_statistics(np.random.default_rng(0).random((20, 61)))
    shares = numbers[:122].reshape(2, 61) ** 2
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, atol=1e-5)


def test_one_frame_does_not_move():
    numbers = pitch_statistics(np.eye(61)[12:13])
    assert numbers[122:127].tolist() == pytest.approx([1.0, 0.0, 1.0, 1.0, 0.0], abs=1e-9)
