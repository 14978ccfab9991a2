"""Word shape, beat and course of made-up spectrograms."""

import numpy as np
import pytest
from scipy import fft

from models.features.sound_shape import (
    WORD_CEPSTRA,
    WORD_SEGMENTS,
    beat,
    tempo,
    time_course,
    word_shape,
)
from models.types import Float64Array

FRAME_RATE_HZ = 100.0


def clicks(hz: float, seconds: float) -> Float64Array:
    curve = np.zeros(round(seconds * FRAME_RATE_HZ))
    curve[5 :: round(FRAME_RATE_HZ / hz)] = 1.0
    return curve


@pytest.fixture
def word() -> Float64Array:
    return 10.0 + np.random.default_rng(0).random((40, 64))


def test_word_shape_is_the_cosine_transform_of_its_parts(word):
    shape = word_shape(word, word.mean(axis=1))
    parts = word.reshape(WORD_SEGMENTS, 4, 64).mean(axis=1)
    expected = fft.dct(parts, norm="ortho")[:, :WORD_CEPSTRA]
    computed = shape[:-1].reshape(WORD_SEGMENTS, WORD_CEPSTRA)
    np.testing.assert_allclose(computed[:, 1:], expected[:, 1:], atol=1e-12)
    np.testing.assert_allclose(computed[:, 0], expected[:, 0] - expected[:, 0].mean(), atol=1e-9)
    assert shape[-1] == pytest.approx(np.log(40))


def test_silence_around_a_word_changes_nothing(word):
    quiet = np.pad(word, ((30, 11), (0, 0)))
    np.testing.assert_allclose(
        word_shape(quiet, quiet.mean(axis=1)), word_shape(word, word.mean(axis=1)), atol=1e-9
    )


def test_louder_word_has_the_same_shape(word):
    louder = word + 2.0
    np.testing.assert_allclose(
        word_shape(louder, louder.mean(axis=1)), word_shape(word, word.mean(axis=1)), atol=1e-9
    )


@pytest.mark.parametrize("hz", [1.0, 2.0, 5.0])
def test_beat_shows_the_rate_of_clicks(hz):
    onsets = np.stack([clicks(hz, 6.0)] * 4)
    numbers = beat(onsets, FRAME_RATE_HZ)
    rates = 0.5 * 40.0 ** (np.arange(24) / 23)
    periods = numbers[24 + 48 :][:24]
    faster = periods[rates > 1.3 * hz]
    assert numbers.shape == (24 + 48 + 24 + 5,)
    assert faster.max() < 0.2 if len(faster) else True


def test_spectrum_shares_do_not_depend_on_level():
    onsets = np.stack([clicks(3.0, 5.0)] * 4)
    quiet, loud = beat(onsets, FRAME_RATE_HZ), beat(10 * onsets, FRAME_RATE_HZ)
    np.testing.assert_allclose(quiet[:96], loud[:96], atol=1e-3)
    np.testing.assert_allclose(loud[96:] - quiet[96:], np.log(100.0), atol=1e-3)


@pytest.mark.parametrize("hz", [0.8, 2.0, 5.0])
def test_tempo_is_the_rate_of_clicks(hz):
    log_rate, clearness, _, _ = tempo(clicks(hz, 6.0), FRAME_RATE_HZ)
    assert np.exp(log_rate) == pytest.approx(hz, rel=0.03)
    assert clearness > 0.7


def test_spectrum_centre_follows_the_rate_of_a_wave():
    moments = np.arange(800) / FRAME_RATE_HZ
    for hz in (1.0, 8.0):
        _, _, centre, width = tempo(np.sin(2 * np.pi * hz * moments), FRAME_RATE_HZ)
        assert np.exp(centre) == pytest.approx(hz, rel=0.1)
        assert width < 0.3


def test_still_curve_has_no_tempo():
    assert np.isfinite(tempo(np.zeros(1), FRAME_RATE_HZ)).all()
    assert tempo(np.ones(500), FRAME_RATE_HZ)[1] == 0.0


def test_time_course_puts_events_into_their_part():
    level, onsets = np.zeros(160), np.zeros(160)
    level[40:50] = 8.0
    onsets[40] = 1.0
    course = time_course(level, onsets)
    assert course[:16].argmax() == course[16:].argmax() == 4
    assert course[:16].mean() == pytest.approx(0.0)
    assert course[20] == pytest.approx(1.0, abs=1e-4)
