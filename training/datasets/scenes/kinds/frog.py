"""A frog in a pond: rattling croaks while the throat swells."""

import math

import numpy as np

from models.types import Float64Array
from training.datasets.scenes.canvas import WIDTH, Canvas, Pen
from training.datasets.scenes.scene import SceneParameters
from training.datasets.scenes.scenery import outdoors
from training.datasets.scenes.stage import INK, WHITE, Stage, fade, mix
from training.datasets.scenes.synthesis import bump, clock, per_event

TEMPO_HZ = (0.6, 1.9)
PITCH_HZ = (260.0, 900.0)
JITTER = 0.2
STILL_SECONDS = 0.16

_CROAK_SECONDS = 0.36
_RATTLE_HZ = 34.0
_WATER_Y = 68.0


def sound(scene: SceneParameters) -> Float64Array:
    """A rattle of short damped tones: the pitch is the throat's, not the rattle's."""
    moments = clock(_CROAK_SECONDS)
    since = moments % (1.0 / _RATTLE_HZ)
    carrier = np.sin(2 * np.pi * scene.pitch_hz * since)
    carrier += 0.5 * np.sin(2 * np.pi * 2.1 * scene.pitch_hz * since)
    croak = carrier * np.exp(-since / 0.006) * bump(_CROAK_SECONDS, 0.03)
    return per_event(scene, lambda _: croak)


def draw_scenery(canvas: Canvas, stage: Stage) -> None:
    """A pond with reeds and water lilies."""
    outdoors(canvas, stage, ground_y=_WATER_Y)
    pen, palette = canvas.pen(), stage.palette
    water = mix(palette.sky, (46, 122, 140), 0.5)
    pen.box(0, _WATER_Y, WIDTH, 120, water)
    for x, y, size in stage.scene.generator("glints").random((12, 3)).tolist():
        left, top = x * WIDTH, _WATER_Y + 3 + 46 * y
        pen.box(left, top, left + 5 + 10 * size, top + 0.9, mix(water, WHITE, 0.25))
    reed = palette.far((74, 112, 66))
    for x, y, lean in stage.scene.generator("reeds").random((7, 3)).tolist():
        left = (x * 30.0) if x < 0.5 else WIDTH - 30.0 * (1.0 - x)
        top = 22.0 + 26.0 * y
        pen.line([(left, 80), (left + 6 * (lean - 0.5), top)], reed, 1.6)
        pen.line([(left + 5 * (lean - 0.5), top + 10), (left + 6 * (lean - 0.5), top)],
                 palette.far((112, 72, 48)), 3.4)  # fmt: skip


def draw(canvas: Canvas, stage: Stage, seconds: float) -> None:
    """The frog on its leaf; throat sac, ripples."""
    beat = stage.scene.beat(seconds)
    swell = 0.0
    if beat.since_seconds < _CROAK_SECONDS + 0.12:
        swell = math.sin(math.pi * min(1.0, (beat.since_seconds + 0.06) / 0.54)) ** 0.5
        swell *= 0.6 + 0.4 * beat.previous.strength
    pen = canvas.pen(stage.x, stage.y + 26.0, 1.05 * stage.scale)
    if beat.since_seconds < 0.7:
        for lag in (0.0, 0.18):
            age = beat.since_seconds - lag
            if age > 0:
                wide = 44 + 46 * age
                pen.ring(0, 8, wide, 0.26 * wide, fade(WHITE, 0.7 - 1.2 * age), 1.5)
    pen.ellipse(0, 9, 43, 11, stage.palette.far((52, 104, 60)))
    pen.ellipse(0, 7, 42, 10, stage.palette.far((92, 150, 80)))
    _frog(pen.at(0, 1.5 * swell), stage, swell)


def _frog(pen: Pen, stage: Stage, swell: float) -> None:
    """Seen from the front."""
    palette = stage.palette
    belly = palette.far(mix(WHITE, (240, 226, 160), 0.6))
    for side in (-1, 1):
        pen.at(side * 25, -2, turn=-0.5 * side).ellipse(0, 0, 9, 15, palette.dark)
        pen.ellipse(side * 26, 8, 10, 3.4, palette.dark)
        pen.ellipse(side * 9, 9, 7, 3, palette.dark)
    pen.ellipse(0, -8, 23, 19, palette.main)
    pen.ellipse(0, -3, 15, 13, belly)
    pen.ellipse(0, -22, 21, 13, palette.main)
    for side in (-1, 1):
        pen.disc(side * 13, -33, 7.6, palette.main)
        pen.disc(side * 13, -33.5, 5.2, WHITE)
        pen.ellipse(side * 13, -33, 3.4, 2.2, INK)
        if stage.style[0] < 0.5:
            pen.disc(side * 17, -12, 2.4, palette.dark)
            pen.disc(side * 14, -20, 1.8, palette.dark)
    pen.arc((0, -28), 15, (25, 155), INK, 1.4)
    if swell > 0.02:
        pen.ellipse(0, -8, 5 + 15 * swell, 2 + 12 * swell, palette.light)
        pen.ellipse(-4 * swell, -12, 4 * swell + 1, 2.4 * swell + 1, fade(WHITE, 0.6))
