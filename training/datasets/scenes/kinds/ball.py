"""A ball that bounces on the floor: a dull boing at every touch."""

import math

import numpy as np

from models.types import Float64Array
from training.datasets.scenes.canvas import Canvas, Pen
from training.datasets.scenes.scene import SceneParameters
from training.datasets.scenes.scenery import indoors, outdoors, shadow
from training.datasets.scenes.stage import WHITE, Stage, fade
from training.datasets.scenes.synthesis import clock, decay, noise, per_event, tone

TEMPO_HZ = (0.9, 2.4)
PITCH_HZ = (95.0, 380.0)
JITTER = 0.0
STILL_SECONDS = 0.02

_FLOOR_Y = 84.0
_RADIUS = 17.0


def sound(scene: SceneParameters) -> Float64Array:
    """A rubbery tone whose pitch falls as the ball leaves the floor, and the slap of the skin."""
    moments = clock(0.32)
    falling = scene.pitch_hz * (1.0 + 0.35 * np.exp(-moments / 0.02))
    boing = tone(falling, (1.0, 0.5, 0.25, 0.12)) * decay(0.32, 0.05)
    slap = noise(scene.generator("slap"), 0.05, 400.0, 3_000.0) * decay(0.05, 0.007)
    boing[: len(slap)] += 0.5 * slap
    return per_event(scene, lambda _: boing)


def draw_scenery(canvas: Canvas, stage: Stage) -> None:
    """A room or a field."""
    if stage.style[0] < 0.5:
        indoors(canvas, stage, floor_y=_FLOOR_Y)
    else:
        outdoors(canvas, stage, ground_y=_FLOOR_Y)


def draw(canvas: Canvas, stage: Stage, seconds: float) -> None:
    """The ball between two touches, squashed near the floor, with a ring of dust at the touch."""
    beat, radius = stage.scene.beat(seconds), _RADIUS * stage.scale
    floor_y = _FLOOR_Y + 8.0 + 14.0 * stage.scene.place_y
    reach = (floor_y - 2.0 * radius - 6.0) * (0.65 + 0.35 * beat.following.strength)
    height = reach * 4.0 * beat.fraction * (1.0 - beat.fraction)
    squash = 0.28 * max(0.0, 1.0 - height / (0.5 * radius))
    shadow(canvas, stage.x, floor_y, radius * (1.15 - 0.6 * height / 120.0))
    if beat.since_seconds < 0.25:
        spread = radius * (1.0 + 4.0 * beat.since_seconds)
        colour = fade(WHITE, 0.8 - 3.2 * beat.since_seconds)
        canvas.pen().ring(stage.x, floor_y, spread, 0.22 * spread, colour, 1.4)
    pen = canvas.pen(stage.x, floor_y - height - radius * (1.0 - squash), stage.scale)
    _ball(pen, stage, squash, turn=3.0 * seconds)


def _ball(pen: Pen, stage: Stage, squash: float, *, turn: float) -> None:
    """Four to six coloured gores, a white cap and a gleam; they turn with the ball."""
    palette = stage.palette
    wide, high = _RADIUS * (1.0 + squash), _RADIUS * (1.0 - squash)
    gores = 4 + 2 * int(2 * stage.style[1])
    white = palette.far(WHITE)
    pen.ellipse(0, 0, wide, high, palette.main)
    for number in range(gores):
        first, step = turn + number * 2.0 * math.pi / gores, 2.0 * math.pi / gores
        rim = [
            (wide * math.cos(first + share * step), high * math.sin(first + share * step))
            for share in (0.0, 0.25, 0.5, 0.75, 1.0)
        ]
        pen.polygon([(0.0, 0.0), *rim], (palette.main, white, palette.dark, white)[number % 4])
    pen.ellipse(0, 0, 0.26 * wide, 0.26 * high, palette.main)
    pen.ellipse(-0.38 * wide, -0.45 * high, 0.2 * wide, 0.13 * high, fade(WHITE, 0.65))
