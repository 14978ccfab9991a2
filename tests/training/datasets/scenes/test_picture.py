import colorsys
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from models.errors import DataError
from training.datasets.scenes.parameters import KINDS, scene_parameters
from training.datasets.scenes.picture import render_frames, render_still
from training.datasets.scenes.stage import fade, hsv, mix, set_stage, sky_colour

STILLEST_BACKGROUND = {"drum", "siren", "bird", "cricket", "typing", "frog", "helicopter"}


def scene_of(kind, *, seed=8, **changes):
    return replace(scene_parameters(seed, KINDS.index(kind)), **changes)


def motion(scene):
    """Mean change of brightness into each frame, shape (T - 1,)."""
    grey = render_frames(replace(scene, noise_level=0.0)).astype(np.float64).mean(axis=-1)
    return np.abs(np.diff(grey, axis=0)).mean(axis=(1, 2))


@pytest.mark.parametrize("kind", KINDS)
def test_frames_have_the_documented_shape_and_repeat(kind):
    scene = scene_of(kind)
    frames = render_frames(scene)
    assert frames.shape == (60, 120, 160, 3)
    assert frames.dtype == np.uint8
    np.testing.assert_array_equal(frames, render_frames(scene))


@pytest.mark.parametrize("kind", KINDS)
def test_every_event_changes_the_picture(kind):
    scene = scene_of(kind)
    moved = motion(scene)
    for event in scene.onsets:
        into = int(np.ceil(event.time_seconds * 15)) - 1
        if 0 <= into < len(moved):
            assert moved[into : into + 2].max() > 0.05


@pytest.mark.parametrize("kind", KINDS)
def test_the_picture_follows_the_event_times(kind):
    scene = scene_of(kind, noise_level=0.0)
    later = 0.4 / scene.tempo_hz
    events = tuple(replace(e, time_seconds=e.time_seconds + later) for e in scene.events)
    first, second = render_frames(scene), render_frames(replace(scene, events=events))
    changed = (first != second).any(axis=-1).mean(axis=(1, 2))  # share of pixels, shape (T,)
    assert np.mean(changed > 0.001) > 0.5


@pytest.mark.parametrize("kind", sorted(STILLEST_BACKGROUND))
def test_movement_is_strongest_at_the_events(kind):
    at_events = []
    for seed in (8, 9, 10, 11):
        scene = scene_of(kind, seed=seed)
        moved = motion(scene)
        into = [int(np.ceil(e.time_seconds * 15)) - 1 for e in scene.onsets]
        at_events += [moved[i] / moved.mean() for i in into if 0 <= i < len(moved)]
    assert np.mean(at_events) > 1.2


@pytest.mark.parametrize("kind", KINDS)
def test_scenes_of_one_kind_look_different_and_kinds_differ(kind):
    stills = [render_still(scene_of(kind, seed=seed), rows=120).astype(int) for seed in range(3)]
    for first, second in pairwise(stills):
        assert np.abs(first - second).mean() > 5.0


@pytest.mark.parametrize("rows", [60, 240])
def test_a_still_is_a_picture_of_the_asked_size(rows):
    still = render_still(scene_of("bird"), rows=rows)
    assert still.shape == (rows, rows * 4 // 3, 3)
    assert still.dtype == np.uint8


def test_a_still_shows_the_moment_after_the_strongest_event():
    """A key is down and bright in the still of a typewriter, and at no time without events."""
    scene = scene_of("typing", distance=0.0, noise_level=0.0)
    pressed = np.array((255, 214, 84))
    assert (np.abs(render_still(scene).astype(int) - pressed).sum(axis=-1) < 12).sum() > 20


@pytest.mark.parametrize("kind", ["ball", "bird", "drum", "train", "typing"])
def test_the_hue_is_the_colour_of_the_thing(kind):
    for hue in (0.0, 0.4, 0.8):
        scene = scene_of(kind, hue=hue, distance=0.0, noise_level=0.0, background=0.5)
        main = set_stage(scene).palette.main
        assert colorsys.rgb_to_hsv(*(c / 255 for c in main))[0] == pytest.approx(
            0.84 * hue, abs=0.01
        )
        close = np.abs(render_still(scene).astype(int) - np.array(main)).sum(axis=-1) < 12
        assert close.mean() > 0.004


@pytest.mark.parametrize("kind", ["ball", "bird", "clock", "frog", "helicopter", "train"])
def test_large_and_near_things_fill_more_of_the_picture(kind):
    def filled(**changes):
        plain = scene_of(kind, hue=0.0, noise_level=0.0, background=0.3, place_x=0.5)
        scene = replace(plain, **changes)
        main = np.array(set_stage(scene).palette.main)
        still = render_still(scene).astype(int)
        return (np.abs(still - main).sum(axis=-1) < 12).mean()

    assert filled(size=1.0, distance=0.3) > 1.5 * filled(size=0.0, distance=0.3)
    assert filled(size=0.5, distance=0.0) > 1.3 * filled(size=0.5, distance=1.0)


def test_things_on_the_right_are_right():
    columns = []
    for place_x in (0.0, 0.5, 1.0):
        scene = scene_of("frog", place_x=place_x, hue=0.0, distance=0.0, noise_level=0.0)
        still = render_still(scene, rows=120).astype(int)
        main = np.array(set_stage(scene).palette.main)
        columns.append(np.nonzero(np.abs(still - main).sum(axis=-1) < 12)[1].mean())
    assert np.diff(columns) == pytest.approx([28.0, 28.0], abs=3.0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_lighter_background_gives_a_lighter_picture(kind):
    light = [
        render_still(scene_of(kind, background=background), rows=60).mean()
        for background in (0.0, 0.5, 1.0)
    ]
    assert light[0] < light[1] < light[2]


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_grain_has_the_strength_of_the_noise_level_and_changes_in_every_frame(level):
    scene = scene_of("clock", background=0.5)
    clean = render_frames(replace(scene, noise_level=0.0)).astype(int)
    grain = (render_frames(replace(scene, noise_level=level)).astype(int) - clean)[:, 90:, 130:]
    assert grain.std() == pytest.approx(9.0 * level, rel=0.15, abs=0.01)
    if level:
        assert abs(np.corrcoef(grain[0].ravel(), grain[1].ravel())[0, 1]) < 0.2


@pytest.mark.parametrize(("rows", "rate"), [(0, 15), (7, 15), (-6, 15), (120, 0)])
def test_sizes_and_rates_that_cannot_be_drawn_are_refused(rows, rate):
    with pytest.raises(DataError, match=f"rows={rows} and frame_rate_hz={rate}"):
        render_frames(scene_of("ball"), rows=rows, frame_rate_hz=rate)


@pytest.mark.parametrize(
    ("rows", "rate", "shape"), [(60, 5, (20, 60, 80, 3)), (6, 1, (4, 6, 8, 3))]
)
def test_other_sizes_and_rates_can_be_drawn(rows, rate, shape):
    assert render_frames(scene_of("ball"), rows=rows, frame_rate_hz=rate).shape == shape


def test_the_sky_gets_ever_lighter():
    light = [sum(sky_colour(background)) for background in np.linspace(0.0, 1.0, 41).tolist()]
    assert np.all(np.diff(light) > 0)


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, (10, 20, 30)), (1.0, (30, 40, 250)), (0.5, (20, 30, 140))]
)
def test_mixing_runs_from_the_first_to_the_second_colour(share, expected):
    assert mix((10, 20, 30), (30, 40, 250), share) == expected


@pytest.mark.parametrize(
    ("opacity", "alpha"), [(-1.0, 0), (0.0, 0), (0.5, 128), (1.0, 255), (3.0, 255)]
)
def test_opacity_is_clamped(opacity, alpha):
    assert fade((1, 2, 3), opacity) == (1, 2, 3, alpha)


@pytest.mark.parametrize(
    ("hue", "colour"), [(0.0, (255, 0, 0)), (1 / 3, (0, 255, 0)), (5 / 3, (0, 0, 255))]
)
def test_hues_turn_from_red_over_green_to_blue(hue, colour):
    assert hsv(hue, 1.0, 1.0) == colour
