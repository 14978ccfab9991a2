import numpy as np
import pytest

from training.datasets.scenes.parameters import scene_parameters
from training.datasets.scenes.synthesis import (
    SAMPLE_RATE_HZ,
    band,
    bump,
    clock,
    decay,
    filtered,
    lay,
    noise,
    per_event,
    sample_count,
    struck,
    tone,
)


@pytest.mark.parametrize(("seconds", "count"), [(1.0, 16_000), (0.5, 8_000), (0.0, 1)])
def test_a_stretch_of_time_has_its_samples(seconds, count):
    assert sample_count(seconds) == len(clock(seconds)) == count


def test_decay_halves_every_half_life():
    envelope = decay(0.5, 0.1)
    later = round(0.1 * SAMPLE_RATE_HZ)
    ratios = envelope[1_000 + later : 1_000 + 3 * later] / envelope[1_000 : 1_000 + 2 * later]
    assert ratios == pytest.approx(0.5)
    assert envelope[0] == 0.0


def test_a_bump_begins_and_ends_at_zero_and_is_one_between():
    envelope = bump(0.4, 0.1)
    assert envelope[[0, -1]] == pytest.approx(0.0)
    assert envelope[2_000:4_000] == pytest.approx(1.0)
    np.testing.assert_allclose(envelope, envelope[::-1])


def test_a_struck_thing_has_its_partials_and_no_others():
    samples = struck(400.0, ((1.0, 1.0), (2.5, 0.5), (30.0, 9.0)), 0.3)  # the last would alias
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    hz = np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE_HZ)
    assert hz[spectrum.argmax()] == pytest.approx(400.0, abs=2.0)
    away = (np.abs(hz - 400.0) > 60.0) & (np.abs(hz - 1_000.0) > 60.0)
    assert spectrum[away].max() < 0.02 * spectrum.max()


def test_a_tone_is_the_sum_of_its_harmonics():
    frequency = np.full(1_600, 200.0)
    moments = (np.arange(1_600) + 1) / SAMPLE_RATE_HZ
    expected = np.sin(2 * np.pi * 200 * moments) + 0.5 * np.sin(2 * np.pi * 600 * moments)
    np.testing.assert_allclose(tone(frequency, (1.0, 0.0, 0.5)), expected, atol=1e-9)


def test_harmonics_that_would_alias_are_silent():
    assert np.abs(tone(np.full(100, 5_000.0), (0.0, 1.0))).max() == 0.0


@pytest.mark.parametrize(("low", "high"), [(100.0, 300.0), (2_000.0, 4_000.0)])
def test_noise_has_unit_level_and_lies_in_its_band(low, high):
    samples = noise(np.random.default_rng(0), 2.0, low, high)
    assert np.sqrt(np.mean(samples**2)) == pytest.approx(1.0)
    power = np.abs(np.fft.rfft(samples)) ** 2
    hz = np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE_HZ)
    inside = power[(hz > low / 2) & (hz < high * 2)].sum()
    assert inside > 0.8 * power.sum()


def test_a_band_loses_half_at_its_edges():
    gain = band(200.0, 3_000.0)(np.array([2.0, 200.0, 775.0, 3_000.0, 300_000.0]))
    assert gain == pytest.approx([0.0, 0.5, 0.88, 0.5, 0.0], abs=0.01)


def test_a_filter_scales_a_sine_by_its_gain():
    sine = np.sin(2 * np.pi * 500 * clock(1.0))
    np.testing.assert_allclose(
        filtered(sine, lambda hz: np.where(hz > 400.0, 0.25, 1.0)), 0.25 * sine, atol=1e-9
    )


@pytest.mark.parametrize(
    ("start", "expected"),
    [(0, [1, 2, 3, 0]), (2, [0, 0, 1, 2]), (-1, [2, 3, 0, 0]), (9, [0] * 4), (-9, [0] * 4)],
)
def test_laying_a_sound_cuts_what_is_outside(start, expected):
    track = np.zeros(4)
    lay(track, start / SAMPLE_RATE_HZ, np.array([1.0, 2.0, 3.0]))
    assert track.tolist() == expected


def test_per_event_lays_each_sound_at_its_strength():
    scene = scene_parameters(0, 5)
    track = per_event(scene, lambda _: np.ones(1))
    for event in scene.onsets:
        assert track[round(event.time_seconds * SAMPLE_RATE_HZ)] == event.strength
    assert np.count_nonzero(track) == len(scene.onsets)


def test_sounds_that_swell_begin_before_their_event():
    scene = scene_parameters(0, 5)
    plain = per_event(scene, lambda _: np.ones(1))
    early = per_event(scene, lambda _: np.ones(1), advance_seconds=0.01)
    np.testing.assert_array_equal(early[:-160], plain[160:])
