from dataclasses import replace

import numpy as np
import pytest

from training.datasets.scenes.kinds.registry import RENDERERS
from training.datasets.scenes.parameters import KINDS, scene_parameters
from training.datasets.scenes.sound import render_sound

RATE = 16_000
SWELLING = {"sea"}  # loudest at its events instead of beginning there


def scene_of(kind, *, seed=8, **changes):
    return replace(scene_parameters(seed, KINDS.index(kind)), **changes)


def mono(scene):
    return render_sound(scene)[0].astype(np.float64).mean(axis=1)


def energy(samples, start, seconds):
    first = round(start * RATE)
    return float(np.sum(samples[max(first, 0) : first + round(seconds * RATE)] ** 2)) + 1e-9


def log_centroid(samples):
    """Octave around which the power lies."""
    power = np.abs(np.fft.rfft(samples)) ** 2
    octaves = np.log2(np.maximum(np.fft.rfftfreq(len(samples), 1 / RATE), 20.0))
    return float(np.sum(power * octaves) / np.sum(power))


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("kind", KINDS)
def test_a_sound_is_stereo_finite_audible_and_never_clipped(kind, seed):
    samples, rate = render_sound(scene_of(kind, seed=seed))
    assert samples.shape == (4 * RATE, 2)
    assert samples.dtype == np.float32
    assert rate == RATE
    assert np.isfinite(samples).all()
    assert 0.05 < np.abs(samples).max() <= 1.0
    assert np.sqrt(np.mean(samples**2)) > 0.005


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_scene_gives_the_same_samples(kind):
    first, second = render_sound(scene_of(kind))[0], render_sound(scene_of(kind))[0]
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("seconds", [1.0, 2.5])
@pytest.mark.parametrize("kind", ["ball", "fireworks", "train"])
def test_a_scene_of_another_length_sounds_that_long(kind, seconds):
    scene = scene_parameters(0, KINDS.index(kind), duration_seconds=seconds)
    assert len(render_sound(scene)[0]) == round(seconds * RATE)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in SWELLING])
def test_energy_rises_at_the_events_and_not_beside_them(kind):
    """Shifting all events away from where they are lowers the mean rise of energy there."""
    shifts = np.arange(-0.2, 0.2001, 0.02)
    rises = np.zeros(len(shifts))
    for seed in (8, 9, 10):
        scene = scene_of(kind, seed=seed, noise_level=0.0)
        samples = mono(scene)
        times = [e.time_seconds for e in scene.onsets if 0.3 < e.time_seconds < 3.7]
        for place, shift in enumerate(shifts):
            for time in times:
                moment = time + float(shift)
                after, before = energy(samples, moment, 0.04), energy(samples, moment - 0.04, 0.04)
                rises[place] += np.log(after / before)
    assert abs(shifts[rises.argmax()]) <= 0.021
    assert rises.max() > 2.0 * np.abs(np.median(rises))


@pytest.mark.parametrize("kind", sorted(SWELLING))
def test_swelling_sounds_are_loudest_at_the_events(kind):
    shifts = np.arange(-0.4, 0.4001, 0.04)
    for seed in (8, 9, 10):
        scene = scene_of(kind, seed=seed)
        samples = mono(scene)
        times = [e.time_seconds for e in scene.onsets if 0.5 < e.time_seconds < 3.5]
        loud = [sum(energy(samples, t + s - 0.05, 0.1) for t in times) for s in shifts.tolist()]
        assert abs(shifts[int(np.argmax(loud))]) <= 0.121


@pytest.mark.parametrize("kind", KINDS)
def test_a_higher_pitch_moves_the_spectrum_up(kind):
    low, high = RENDERERS[kind].PITCH_HZ
    plain = scene_of(kind, distance=0.0, noise_level=0.0, hue=0.5)
    assert log_centroid(mono(replace(plain, pitch_hz=high))) > 0.15 + log_centroid(
        mono(replace(plain, pitch_hz=low))
    )


@pytest.mark.parametrize("kind", ["ball", "cricket", "drum", "siren"])
def test_the_strongest_frequency_is_the_pitch(kind):
    for pitch_hz in RENDERERS[kind].PITCH_HZ:
        scene = scene_of(kind, pitch_hz=pitch_hz, distance=0.0, noise_level=0.0, hue=0.3)
        spectrum = np.abs(np.fft.rfft(mono(scene)))
        peak_hz = float(spectrum.argmax()) / scene.duration_seconds
        assert peak_hz == pytest.approx(pitch_hz, rel=0.17)  # a siren goes a fourth up and down


@pytest.mark.parametrize("kind", ["bell", "engine", "frog", "rain", "xylophone"])
def test_hue_brightens_and_distance_dulls_and_softens(kind):
    plain = scene_of(kind, distance=0.2, noise_level=0.0, hue=0.5, background=0.0)
    base = mono(plain)
    assert log_centroid(mono(replace(plain, hue=1.0))) > log_centroid(base)
    assert log_centroid(mono(replace(plain, hue=0.0))) < log_centroid(base)
    far = mono(replace(plain, distance=1.0))
    assert log_centroid(far) < log_centroid(base)
    assert far.std() < 0.7 * base.std()


@pytest.mark.parametrize("place_x", [0.0, 0.5, 1.0])
def test_a_thing_on_the_left_is_louder_on_the_left(place_x):
    samples = render_sound(scene_of("drum", place_x=place_x, noise_level=0.0))[0]
    left, right = np.sqrt(np.mean(samples.astype(np.float64) ** 2, axis=0))
    angle = 0.5 * np.pi * (0.12 + 0.76 * place_x)
    assert np.arctan2(right, left) == pytest.approx(angle, abs=0.05)


def test_the_noise_level_is_heard_between_the_events():
    high = []
    for level in (0.0, 0.5, 1.0):
        scene = scene_of("clock", noise_level=level, distance=1.0)
        time = scene.onsets[1].time_seconds - 0.1
        rest = mono(scene)[round(time * RATE) :][: RATE // 12]
        high.append(np.abs(np.fft.rfft(rest))[len(rest) // 4 :].mean())  # above 4 kHz
    assert high[1] > 2.0 * high[0]
    assert high[2] > 2.0 * high[1]


def test_the_background_is_heard_between_the_events():
    peaks = []
    for background in (0.0, 0.5, 1.0):
        scene = scene_of("clock", background=background, noise_level=0.0, distance=1.0)
        time = scene.onsets[1].time_seconds - 0.14
        rest = mono(scene)[round(time * RATE) :][: RATE // 8]
        peaks.append(log_centroid(rest * np.hanning(len(rest))))
    assert peaks[0] < peaks[1] - 1.0 < peaks[2] - 2.0


def test_stronger_events_sound_louder():
    scene = scene_of("drum", distance=0.0, noise_level=0.0)
    weak, strong = scene.onsets[1], scene.onsets[2]
    events = tuple(replace(event, strength=0.5 if event is weak else 1.0) for event in scene.events)
    samples = mono(replace(scene, events=events))
    soft, loud = (energy(samples, event.time_seconds, 0.1) for event in (weak, strong))
    assert loud / soft == pytest.approx(4.0, rel=0.25)
