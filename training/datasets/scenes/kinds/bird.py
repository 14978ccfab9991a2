"""A bird that sings on a branch: short calls that glide."""

import math

import numpy as np

from models.types import Float64Array
from training.datasets.scenes.canvas import Canvas, Pen
from training.datasets.scenes.scene import SceneParameters
from training.datasets.scenes.scenery import outdoors
from training.datasets.scenes.stage import INK, WHITE, WOOD, Stage, fade, mix
from training.datasets.scenes.synthesis import bump, clock, per_event, tone

TEMPO_HZ = (0.8, 2.2)
PITCH_HZ = (1_200.0, 2_900.0)
JITTER = 0.25
STILL_SECONDS = 0.04

_CALL_SECONDS = 0.24
_LEAF = (96, 140, 84)


def sound(scene: SceneParameters) -> Float64Array:
    """Calls of two syllables; every bird has its own glide and trill."""
    glide, trill = scene.generator("call").uniform((-0.3, 14.0), (0.3, 34.0)).tolist()
    moments = clock(_CALL_SECONDS)
    half = len(moments) // 2
    course = glide * (moments / _CALL_SECONDS - 0.5) + 0.06 * np.sin(2 * np.pi * trill * moments)
    envelope = np.concatenate(
        [bump(_CALL_SECONDS / 2, 0.015)[:half], 0.8 * bump(_CALL_SECONDS / 2, 0.03)]
    )[: len(moments)]

    def call(number: int) -> Float64Array:
        pitch_hz = scene.pitch_hz * 2.0 ** ((scene.events[number].note - 3.5) / 40.0)
        return tone(pitch_hz * np.exp2(course), (1.0, 0.16, 0.05)) * envelope

    return per_event(scene, call)


def draw_scenery(canvas: Canvas, stage: Stage) -> None:
    """Sky, hills and a branch with leaves."""
    outdoors(canvas, stage, ground_y=104.0)
    pen = canvas.pen(0, _branch_y(stage))
    bark = stage.palette.far(WOOD)
    pen.line([(-4, 8), (50, 1), (110, 2), (164, -8)], bark, 5.0)
    pen.line([(24, 4), (8, -16)], bark, 2.5)
    pen.line([(128, 0), (150, 14)], bark, 2.5)
    leaf = stage.palette.far(mix(_LEAF, (190, 150, 70), stage.style[1]))
    for x, y, turn in stage.scene.generator("leaves").random((12, 3)).tolist():
        side = 12.0 if x < 0.5 else 146.0
        leaf_pen = pen.at(side + 26.0 * (x % 0.5 - 0.25), -10.0 + 26.0 * y, turn=6.3 * turn)
        leaf_pen.ellipse(0, 0, 6.5, 2.8, leaf)


def draw(canvas: Canvas, stage: Stage, seconds: float) -> None:
    """The bird, its beak open and tail up during a call, and notes that fly off."""
    beat = stage.scene.beat(seconds)
    calling = max(0.0, 1.0 - beat.since_seconds / _CALL_SECONDS) * (
        0.6 + 0.4 * beat.previous.strength
    )
    mirror = stage.style[0] < 0.5
    pen = canvas.pen(stage.x, _branch_y(stage)).at(0, 0, 1.15 * stage.scale, mirror=mirror)
    _body(pen, stage, calling)
    _head(pen.at(13, -34 - 2.5 * calling, turn=-0.3 * calling), stage, calling)
    if beat.since_seconds < 0.55:
        age = beat.since_seconds / 0.55
        _note(pen.at(30 + 22 * age, -44 - 18 * age - 1.5 * beat.previous.note, mirror=mirror), age)


def _branch_y(stage: Stage) -> float:
    return stage.y + 22.0


def _body(pen: Pen, stage: Stage, calling: float) -> None:
    """Tail, legs, body, belly and a wing that lifts with the call."""
    palette = stage.palette
    for x in (-1.0, 5.0):
        pen.line([(x, -12), (x + 1, 0)], INK, 1.6)
    pen.at(-14, -16, turn=0.35 * calling).polygon(
        [(0, -4), (-24, 4), (-22, 10), (2, 5)], palette.dark
    )
    pen.at(0, -21, turn=-0.55).ellipse(0, 0, 20, 13.5, palette.main)
    pen.at(6, -17, turn=-0.6).ellipse(0, 0, 12, 8.5, palette.far(WHITE))
    pen.at(-5, -24, turn=0.1 - 0.9 * calling).polygon(
        [(4, -6), (-6, -6), (-20, 5), (-4, 7), (5, 3)], palette.dark
    )


def _head(pen: Pen, stage: Stage, calling: float) -> None:
    """Head, crest for some birds, eye and beak."""
    palette, gape = stage.palette, 0.08 + 0.5 * calling
    beak = palette.far((244, 170, 52))
    if stage.style[2] < 0.5:
        pen.polygon([(-4, -8), (-13, -16), (2, -10)], palette.dark)
    for sign in (-1.0, 1.0):
        tip = (8 + 13 * math.cos(gape), sign * 13 * math.sin(gape))
        pen.polygon([(8, -3.0 * sign * 0), (7, 4.0 * sign), tip], beak)
    pen.disc(0, 0, 11, palette.main)
    pen.disc(4, -2.5, 2.6, WHITE)
    pen.disc(4.6, -2.5, 1.6, INK)


def _note(pen: Pen, age: float) -> None:
    """An eighth note."""
    colour = fade(WHITE, 1.0 - age)
    pen.ellipse(0, 0, 3.4, 2.6, colour)
    pen.line([(3, 0), (3, -12), (8, -8)], colour, 1.5)
