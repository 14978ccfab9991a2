from collections import Counter
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

from models.errors import DataError
from training.datasets.scenes.kinds.registry import RENDERERS
from training.datasets.scenes.parameters import KINDS, scene_parameters
from training.datasets.scenes.scene import Event

MANY = [scene_parameters(3, index) for index in range(640)]


def test_there_are_at_least_fourteen_kinds_in_alphabetic_order():
    assert len(KINDS) >= 14
    assert list(KINDS) == sorted(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_says_what_it_is_and_has_sensible_ranges(kind):
    renderer = RENDERERS[kind]
    assert renderer.__doc__
    assert 0.0 < renderer.TEMPO_HZ[0] < renderer.TEMPO_HZ[1] < 4.0  # seen at 8 frames per second
    assert 20.0 < renderer.PITCH_HZ[0] < renderer.PITCH_HZ[1] < 6_000.0
    assert 0.0 <= renderer.JITTER <= 1.0
    assert 0.0 <= renderer.STILL_SECONDS < 0.5


@pytest.mark.parametrize("first", [0, 7, 1_000])
def test_any_hundred_scenes_in_a_row_hold_every_kind_about_as_often(first):
    counts = Counter(scene_parameters(0, index).kind for index in range(first, first + 100))
    assert set(counts) == set(KINDS)
    assert max(counts.values()) - min(counts.values()) <= 1


def test_the_same_arguments_give_the_same_scene_in_any_order():
    backwards = {index: scene_parameters(3, index) for index in reversed(range(40))}
    assert [backwards[index] for index in range(40)] == MANY[:40]


def test_another_seed_or_index_gives_another_scene():
    tempos = {scene_parameters(seed, index).tempo_hz for seed in range(4) for index in (0, 16, 32)}
    assert len(tempos) == 12


def test_stems_are_unique_over_seeds_and_indexes():
    scenes = [scene_parameters(seed, index) for seed in (0, 1) for index in range(50)]
    assert len({scene.stem for scene in scenes}) == 100


def test_every_number_stays_in_its_range():
    for scene in MANY:
        renderer = RENDERERS[scene.kind]
        assert renderer.TEMPO_HZ[0] <= scene.tempo_hz <= renderer.TEMPO_HZ[1]
        assert renderer.PITCH_HZ[0] <= scene.pitch_hz <= renderer.PITCH_HZ[1]
        for share in ("size", "distance", "place_x", "place_y", "hue", "background", "noise_level"):
            assert 0.0 <= getattr(scene, share) <= 1.0


def test_large_things_sound_low():
    balls = [scene for scene in MANY if scene.kind == "ball"]
    pitch, size = [s.pitch_hz for s in balls], [s.size for s in balls]
    assert np.corrcoef(np.log(pitch), size)[0, 1] < -0.97


def test_what_is_drawn_apart_is_uncorrelated():
    names = ("size", "distance", "place_x", "place_y", "hue", "background", "noise_level")
    rows = np.array([[getattr(scene, name) for name in names] for scene in MANY])
    correlations = np.corrcoef(rows.T) - np.eye(len(names))
    assert np.abs(correlations).max() < 0.14  # 3.5 standard errors of 640 draws


@pytest.mark.parametrize("kind", KINDS)
def test_events_follow_the_tempo_and_reach_past_both_ends(kind):
    scene = next(scene for scene in MANY if scene.kind == kind)
    times = np.array([event.time_seconds for event in scene.events])
    jitter = RENDERERS[kind].JITTER
    assert np.all(np.diff(times) > 0.0)
    assert times[0] < 0.0
    assert times[-1] > scene.duration_seconds
    assert np.diff(times) * scene.tempo_hz == pytest.approx(1.0, abs=jitter + 1e-9)
    assert abs(len(scene.onsets) - scene.duration_seconds * scene.tempo_hz) <= 1.0 + jitter


def test_onsets_are_the_events_inside_the_scene():
    scene = replace(MANY[0], events=tuple(Event(t, 1.0, 0) for t in (-0.5, 0.0, 1.0, 4.0, 5.0)))
    assert [event.time_seconds for event in scene.onsets] == [0.0, 1.0]


@pytest.mark.parametrize(
    ("seconds", "number", "fraction", "since"),
    [(0.0, 0, 0.5, 0.5), (0.5, 1, 0.0, 0.0), (1.0, 1, 0.25, 0.5), (2.5, 2, 0.0, 0.0)],
)
def test_a_beat_lies_between_the_events_around_a_moment(seconds, number, fraction, since):
    scene = replace(MANY[0], events=tuple(Event(t, 1.0, 0) for t in (-0.5, 0.5, 2.5, 4.5)))
    beat = scene.beat(seconds)
    assert beat.number == number
    assert beat.previous == scene.events[number]
    assert beat.following == scene.events[number + 1]
    assert (beat.fraction, beat.since_seconds) == pytest.approx((fraction, since))


def test_a_moment_outside_of_all_events_is_clamped():
    scene = replace(MANY[0], events=(Event(1.0, 1.0, 0), Event(2.0, 1.0, 0)))
    assert scene.beat(0.0).since_seconds == 0.0
    assert scene.beat(9.0).fraction < 1.0


def test_generators_differ_by_purpose_and_repeat():
    scene = MANY[5]
    assert scene.generator("a").random() == scene.generator("a").random()
    assert scene.generator("a").random() != scene.generator("b").random()


def test_a_scene_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        MANY[0].hue = 0.5  # type: ignore[misc]  # the point of the test


@pytest.mark.parametrize(("seed", "index"), [(-1, 0), (0, -1)])
def test_negative_seeds_and_indexes_are_refused(seed, index):
    with pytest.raises(DataError, match=f"seed={seed} and index={index}"):
        scene_parameters(seed, index)


@pytest.mark.parametrize("seconds", [0.0, 0.9, 61.0, float("nan")])
def test_impossible_durations_are_refused(seconds):
    with pytest.raises(DataError, match="1 to 60 seconds"):
        scene_parameters(0, 0, duration_seconds=seconds)


def test_a_longer_scene_has_events_to_its_end():
    scene = scene_parameters(0, 3, duration_seconds=10.0)
    assert scene.onsets[-1].time_seconds > 10.0 - 2.0 / scene.tempo_hz
