"""Rain on an umbrella: a steady wash and single heavy drops."""

import math

import numpy as np

from models.types import Float64Array
from training.datasets.scenes.canvas import HEIGHT, WIDTH, Canvas, Pen
from training.datasets.scenes.scene import SceneParameters
from training.datasets.scenes.scenery import hills
from training.datasets.scenes.stage import INK, WHITE, Stage, fade, mix
from training.datasets.scenes.synthesis import clock, decay, noise, per_event, tone

TEMPO_HZ = (1.2, 3.5)
PITCH_HZ = (520.0, 1_900.0)
JITTER = 0.5
STILL_SECONDS = 0.1

_GROUND_Y = 92.0
_FALL_SECONDS = 0.35


def sound(scene: SceneParameters) -> Float64Array:
    """Heavy drops ring like bubbles, rising; the wash is thicker when they are many."""
    generator = scene.generator("drops")
    moments = clock(0.14)
    bubble = tone(scene.pitch_hz * (1.0 + 2.2 * moments), (1.0, 0.3)) * decay(0.14, 0.02)
    splash = noise(generator, 0.14, 1_200.0, 6_000.0) * decay(0.14, 0.012)
    track = per_event(scene, lambda _: bubble + 0.35 * splash)
    wash = noise(generator, scene.duration_seconds, 900.0, 7_000.0)
    return track + _density(scene) * 0.16 * wash


def draw_scenery(canvas: Canvas, stage: Stage) -> None:
    """Heavy clouds, wet ground and puddles."""
    palette, pen = stage.palette, canvas.pen()
    canvas.gradient(mix(palette.sky, (70, 80, 96), 0.25), palette.horizon)
    hills(canvas, stage, ground_y=_GROUND_Y)
    cloud = mix(palette.sky, (86, 92, 108), 0.55)
    for x, y, size in stage.scene.generator("clouds").random((9, 3)).tolist():
        pen.ellipse(x * WIDTH, 3 + 7 * y, 16 + 14 * size, 8 + 6 * size, cloud)
    pen.box(0, _GROUND_Y, WIDTH, HEIGHT, palette.ground)
    for x, y, size in stage.scene.generator("puddles").random((3, 3)).tolist():
        pen.ellipse(x * WIDTH, 98 + 18 * y, 14 + 16 * size, 3, mix(palette.sky, WHITE, 0.2))


def draw(canvas: Canvas, stage: Stage, seconds: float) -> None:
    """Streaks, the umbrella, and heavy drops that fall on it or beside it."""
    _streaks(canvas, stage, seconds)
    pen = canvas.pen(stage.x, stage.y - 4.0, stage.scale)
    pulse = math.exp(-stage.scene.beat(seconds).since_seconds / 0.08)
    _umbrella(pen.at(0, 1.5 * pulse), stage)
    for number, event in enumerate(stage.scene.events):
        age = seconds - event.time_seconds
        if -_FALL_SECONDS < age < 0.5:
            _heavy_drop(canvas, stage, number, age)


def _density(scene: SceneParameters) -> float:
    """How thick the rain is, in [0.3, 1], from the tempo."""
    return scene.tempo_hz / TEMPO_HZ[1]


def _streaks(canvas: Canvas, stage: Stage, seconds: float) -> None:
    """Thin rain, all of one slant, coming round again from the top."""
    count = int(110 * _density(stage.scene))
    slant = 0.35 * (stage.style[0] - 0.5)
    colour, pen = fade(mix(stage.palette.sky, WHITE, 0.6), 0.75), canvas.pen()
    places = stage.scene.generator("streaks").random((count, 3))
    heights = (places[:, 1] * 130 + seconds * (190 + 60 * places[:, 2])) % 130 - 8
    lefts = (places[:, 0] * 180 - 10 + slant * heights).tolist()
    for x, y in zip(lefts, heights.tolist(), strict=True):
        pen.line([(x, y), (x + slant * 8, y + 8)], colour, 0.8)


def _heavy_drop(canvas: Canvas, stage: Stage, number: int, age: float) -> None:
    """A drop that lands on the umbrella (even) or on the ground (odd) at age 0."""
    side = float(stage.scene.generator(f"drop{number}").uniform(-1.0, 1.0))
    if number % 2 == 0:
        x = stage.x + 30 * stage.scale * side
        y = stage.y - 4 - stage.scale * 34 * math.sqrt(1.0 - (0.75 * side) ** 2)
    else:
        x, y = 80.0 + 70.0 * side, 104.0
    pen = canvas.pen(x, y)
    if age < 0.0:
        up = -age / _FALL_SECONDS * (y + 12)
        pen.ellipse(0, -up, 1.6, 3.4, WHITE)
        return
    opacity = 1.0 - 2.0 * age
    wide = 5 + 40 * age
    pen.ring(0, 0, wide, 0.3 * wide, fade(WHITE, opacity), 1.4)
    for lean in (-1.0, -0.4, 0.4, 1.0):
        jump = 60 * age - 150 * age**2
        pen.disc(lean * (3 + 36 * age), -jump, 1.3, fade(WHITE, opacity))


def _umbrella(pen: Pen, stage: Stage) -> None:
    """A round roof in gores, its handle and the person's coat beneath."""
    palette = stage.palette
    coat = palette.far(mix((60, 64, 92), (120, 70, 60), stage.style[1]))
    pen.polygon([(-9, 14), (9, 14), (15, 50), (-15, 50)], coat)
    pen.disc(0, 8, 7.5, palette.far((232, 190, 156)))
    for x in (-6, 6):
        pen.box(x - 3, 50, x + 3, 60, palette.far(INK))
    pen.line([(9, 30), (4, -34)], INK, 1.8)
    rim = [(40 * math.cos(a), -34 * math.sin(a)) for a in np.linspace(0, math.pi, 17).tolist()]
    pen.polygon(rim, palette.main)
    for first in (2, 10):
        pen.polygon([(0, -34), *rim[first : first + 5], (rim[first + 2][0], -3)], palette.dark)
    for number in range(4):
        left = -40 + 20 * number
        pen.ellipse(left + 10, 0.5, 9.4, 3.2, mix(palette.dark, INK, 0.3))
    pen.line([(0, -34), (0, -40)], INK, 2.0)
