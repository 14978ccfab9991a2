"""A pendulum clock on the wall: tick, tock."""

import math

import numpy as np

from models.types import Float64Array
from training.datasets.scenes.canvas import Canvas, Pen
from training.datasets.scenes.scene import SceneParameters
from training.datasets.scenes.scenery import indoors
from training.datasets.scenes.stage import INK, WHITE, Stage, fade
from training.datasets.scenes.synthesis import decay, lay, noise, per_event, sample_count, struck

TEMPO_HZ = (1.0, 3.0)
PITCH_HZ = (900.0, 2_600.0)
JITTER = 0.0
STILL_SECONDS = 0.06

_CASE_HZ = 230.0
_PARTIALS = ((1.0, 1.0), (2.76, 0.5), (5.4, 0.2))


def sound(scene: SceneParameters) -> Float64Array:
    """A dry click, higher on one side of the swing, its echo in the case, and the wheel's stop."""
    clicks = []
    for ratio in (1.0, 0.82):
        click = struck(scene.pitch_hz * ratio, _PARTIALS, 0.009)
        snap = noise(scene.generator("snap"), 0.02, 1_500.0, 6_000.0) * decay(0.02, 0.002)
        click[: len(snap)] += 0.4 * snap
        whole = np.zeros(sample_count(0.3))
        lay(whole, 0.0, click)
        lay(whole, 0.045, click, 0.35)
        lay(whole, 0.0, struck(_CASE_HZ, ((1.0, 1.0), (1.9, 0.5)), 0.03), 0.35)
        clicks.append(whole)
    return per_event(scene, lambda number: clicks[number % 2])


def draw_scenery(canvas: Canvas, stage: Stage) -> None:
    """A papered wall, and the case without its hands."""
    indoors(canvas, stage, floor_y=110.0)
    pen = _clock_pen(canvas, stage)
    palette, square = stage.palette, stage.style[0] < 0.4
    pen.box(-15, 12, 15, 64, palette.dark, radius=3)
    pen.box(-12, 14, 12, 61, palette.far((56, 46, 52)), radius=2)
    if square:
        pen.box(-31, -33, 31, 31, palette.main, radius=6)
    else:
        pen.disc(0, 0, 32, palette.main)
    pen.disc(0, 0, 27, palette.dark)
    pen.disc(0, 0, 25, palette.far(WHITE))
    for hour in range(12):
        angle = hour * math.pi / 6.0
        long = 4.5 if hour % 3 == 0 else 2.5
        x, y = math.cos(angle), math.sin(angle)
        pen.line([(x * 23, y * 23), (x * (23 - long), y * (23 - long))], INK, 1.8)


def draw(canvas: Canvas, stage: Stage, seconds: float) -> None:
    """The pendulum, at its turning points when it ticks, and a second hand that jumps."""
    beat, pen = stage.scene.beat(seconds), _clock_pen(canvas, stage)
    side = 1.0 if beat.number % 2 else -1.0
    _pendulum(pen.at(0, 24), stage, 0.62 * side * math.cos(math.pi * beat.fraction))
    hour = 2.0 * math.pi * stage.style[1]
    _hand(pen, hour, 13.0, 3.2)
    _hand(pen, 12.0 * hour, 19.0, 2.4)
    jump = min(beat.since_seconds / 0.07, 1.0)
    angle = 2.0 * math.pi * (stage.style[2] + (beat.number + jump) / 12.0)
    pen.line([(0, 0), (22 * math.sin(angle), -22 * math.cos(angle))], (206, 40, 48), 1.4)
    pen.disc(0, 0, 2.2, INK)
    if beat.since_seconds < 0.12:
        pen.ring(0, 0, 28.5, 28.5, fade(WHITE, 0.7 - 5.0 * beat.since_seconds), 2.0)


def _clock_pen(canvas: Canvas, stage: Stage) -> Pen:
    return canvas.pen(stage.x, stage.y - 16.0, 1.02 * stage.scale)


def _hand(pen: Pen, angle: float, length: float, width: float) -> None:
    pen.line([(0, 0), (length * math.sin(angle), -length * math.cos(angle))], INK, width)


def _pendulum(pen: Pen, stage: Stage, angle: float) -> None:
    """Rod and bob; the bob swings out of the case so that it is well seen."""
    swing = pen.at(0, 0, turn=angle)
    swing.line([(0, 0), (0, 40)], stage.palette.far((226, 190, 92)), 1.8)
    swing.disc(0, 42, 8.0, stage.palette.far((196, 152, 52)))
    swing.disc(0, 42, 6.0, stage.palette.far((250, 214, 110)))
