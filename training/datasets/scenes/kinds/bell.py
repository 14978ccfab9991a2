"""A church bell that swings in its arch: long, inharmonic strokes."""

import math

from models.types import Float64Array
from training.datasets.scenes.canvas import Canvas, Pen
from training.datasets.scenes.scene import SceneParameters
from training.datasets.scenes.scenery import outdoors
from training.datasets.scenes.stage import INK, WHITE, WOOD, Stage, fade, mix
from training.datasets.scenes.synthesis import per_event, struck

TEMPO_HZ = (0.6, 1.6)
PITCH_HZ = (190.0, 700.0)
JITTER = 0.0
STILL_SECONDS = 0.04

_PARTIALS = (  # hum, prime, minor third, fifth, nominal and above, as founders tune them
    (0.5, 0.5), (1.0, 1.0), (1.2, 0.7), (1.5, 0.4), (2.0, 0.9), (2.5, 0.3), (2.67, 0.3),
    (3.0, 0.4), (4.0, 0.3), (5.3, 0.2),
)  # fmt: skip
_PROFILE = (  # right half of the outline, top to rim
    (0, -26), (6, -25.5), (10, -22), (11.5, -14), (12.5, -4), (15, 5), (19.5, 12), (20.5, 16),
)  # fmt: skip


def sound(scene: SceneParameters) -> Float64Array:
    """A stroke at every turn of the swing."""
    stroke = struck(scene.pitch_hz, _PARTIALS, 0.32)
    return per_event(scene, lambda _: stroke)


def draw_scenery(canvas: Canvas, stage: Stage) -> None:
    """A stone arch before the sky."""
    outdoors(canvas, stage, ground_y=108.0)
    palette, pen = stage.palette, canvas.pen()
    stone = palette.far(mix((176, 164, 150), (120, 112, 118), stage.style[0]))
    shade = mix(stone, INK, 0.25)
    half = 40.0 * stage.scale + 6.0
    left, right = stage.x - half, stage.x + half
    for x in (left, right):
        pen.box(x - 8, 20, x + 8, 112, stone)
        for y in range(28, 112, 12):
            pen.box(x - 8, y, x + 8, y + 1.2, shade)
    pen.box(left - 8, 6, right + 8, 20, stone)
    pen.box(left - 11, 3, right + 11, 8, shade)


def draw(canvas: Canvas, stage: Stage, seconds: float) -> None:
    """The bell at its angle, the clapper against the wall, and rings of sound."""
    beat = stage.scene.beat(seconds)
    side = 1.0 if beat.number % 2 else -1.0
    hit = beat.previous.strength * math.exp(-beat.since_seconds / 0.1)
    angle = 0.5 * side * math.cos(math.pi * beat.fraction)
    yoke_y = 22.0 + 12.0 * (1.0 - stage.scale * 0.6)
    pen = canvas.pen(stage.x, yoke_y, stage.scale)
    if beat.since_seconds < 0.45:
        _rings(pen.at(-side * 10, 50), beat.since_seconds)
    pen.box(-34, -3, 34, 3, stage.palette.far(WOOD))
    _bell(pen.at(0, 0, turn=angle), stage, (side * math.cos(math.pi * beat.fraction), hit))


def _rings(pen: Pen, since_seconds: float) -> None:
    """Two arcs that leave the rim."""
    for lag in (0.0, 0.12):
        age = since_seconds - lag
        if age > 0.0:
            radius = 20.0 + 70.0 * age
            for degrees in ((-40.0, 40.0), (140.0, 220.0)):
                pen.arc((0, 0), radius, degrees, fade(WHITE, 0.8 - 1.7 * age), 2.0)


def _bell(pen: Pen, stage: Stage, motion: tuple[float, float]) -> None:
    """Clapper, body, bands and gleam; the body flashes when it is hit."""
    palette, low = stage.palette, 30.0
    swing, hit = motion
    pen.line([(0, 10), (-13.0 * swing, low + 20)], INK, 2.5)
    pen.disc(-13.5 * swing, low + 21, 4.5, INK)
    right = [(x, y + low) for x, y in _PROFILE]
    left = [(-x, y) for x, y in reversed(right)]
    pen.polygon([*right, *left], mix(palette.main, WHITE, 0.7 * hit))
    pen.polygon([(x * 0.98, y) for x, y in right] + [(x * 0.35, y) for x, y in reversed(right)],
                palette.dark)  # fmt: skip
    pen.box(-11.5, low - 15, 11.5, low - 12.5, palette.light)
    pen.box(-19.5, low + 11, 19.5, low + 14.5, palette.light)
    pen.box(-9, low - 20, -6, low + 6, fade(WHITE, 0.45))
    pen.box(-3, 0, 3, 6, INK)
