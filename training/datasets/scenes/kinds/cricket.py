"""A cricket in the grass at night: trains of quick high pulses."""

import math

import numpy as np

from models.types import Float64Array
from training.datasets.scenes.canvas import Canvas, Pen
from training.datasets.scenes.scene import SceneParameters
from training.datasets.scenes.scenery import outdoors
from training.datasets.scenes.stage import INK, WHITE, Stage, fade, mix
from training.datasets.scenes.synthesis import bump, clock, per_event, tone

TEMPO_HZ = (0.9, 2.6)
PITCH_HZ = (3_300.0, 5_400.0)
JITTER = 0.15
STILL_SECONDS = 0.08

_PULSES = 4
_PULSE_SECONDS = 0.045
_CHIRP_SECONDS = _PULSES * _PULSE_SECONDS


def sound(scene: SceneParameters) -> Float64Array:
    """Four pulses of an almost pure tone."""
    moments = clock(_CHIRP_SECONDS)
    gate = np.maximum(np.sin(np.pi * moments / _PULSE_SECONDS), 0.0) ** 2
    gate += np.maximum(-np.sin(np.pi * moments / _PULSE_SECONDS), 0.0) ** 2
    chirp = tone(np.full_like(moments, scene.pitch_hz), (1.0, 0.05)) * gate
    return per_event(scene, lambda _: chirp * bump(_CHIRP_SECONDS, 0.01))


def draw_scenery(canvas: Canvas, stage: Stage) -> None:
    """A meadow under the moon."""
    outdoors(canvas, stage, ground_y=92.0)
    pen = canvas.pen()
    moon_x = 20.0 + 120.0 * stage.style[0]
    pen.disc(moon_x, 18, 9, mix(stage.palette.horizon, (255, 244, 200), 0.8))
    pen.disc(moon_x + 3.5, 16, 7.5, stage.palette.sky)
    _blades(canvas, stage, "back", 0.25)


def draw(canvas: Canvas, stage: Stage, seconds: float) -> None:
    """The cricket on its stalk, wings raised and shaking during a chirp."""
    beat, mirror = stage.scene.beat(seconds), stage.style[1] < 0.5
    chirping = beat.since_seconds < _CHIRP_SECONDS + 0.05
    shake = math.sin(2.0 * math.pi * seconds * 6.7) if chirping else 0.0
    pen = stage.pen(canvas, mirror=mirror)
    ground = stage.palette.far((84, 128, 70))
    pen.at(0, 23, turn=-0.05).polygon([(-46, -3), (0, -6), (44, 2), (60, 8), (0, 5)], ground)
    pen.line([(-46, 0), (-58, 40)], ground, 3.0)
    _insect(pen, stage, (0.75 + 0.2 * shake) if chirping else 0.05)
    if beat.since_seconds < 0.4:
        for lag in (0.0, 0.1):
            age = beat.since_seconds - lag
            if age > 0:
                pen.arc((-6, -8), 22 + 70 * age, (-140, -60), fade(WHITE, 0.75 - 2 * age), 2.0)
    _blades(canvas, stage, "front", 0.45)


def _insect(pen: Pen, stage: Stage, lift: float) -> None:
    """Body, jumping leg, head with long feelers, and the wings."""
    palette = stage.palette
    for x, foot in ((10, 14), (0, 2), (-8, -12)):
        pen.line([(x, 8), (foot + 4, 14), (foot, 21)], palette.dark, 1.8)
    pen.line([(-6, 4), (-26, -14), (-34, 20)], palette.dark, 3.2)
    pen.ellipse(-8, 4, 25, 9, palette.main)
    for x in (-22, -15, -8):
        pen.line([(x, -2), (x - 2, 10)], palette.dark, 1.2)
    pen.at(8, -1, turn=0.65 * lift).polygon(
        [(0, -2), (-12, -9), (-38, -5), (-40, 0), (-10, 4)], fade(palette.light, 0.9)
    )
    pen.disc(18, 1, 9.5, palette.main)
    pen.disc(21, -2, 2.6, INK)
    pen.disc(21.6, -2.8, 0.9, WHITE)
    pen.line([(22, -7), (36, -22), (52, -24)], palette.dark, 1.2)
    pen.line([(20, -8), (26, -28), (40, -38)], palette.dark, 1.2)


def _blades(canvas: Canvas, stage: Stage, purpose: str, share: float) -> None:
    """A row of grass blades."""
    pen, colour = canvas.pen(), mix(stage.palette.ground, (40, 92, 58), 0.4 + share)
    base = 124.0
    height = 46.0 if purpose == "back" else 22.0
    for x, tall, lean in stage.scene.generator(purpose).random((16, 3)).tolist():
        left, top = 170.0 * x - 5.0, base - height * (0.5 + 0.5 * tall)
        pen.polygon([(left - 2, base), (left + 14 * (lean - 0.5), top), (left + 2, base)], colour)
