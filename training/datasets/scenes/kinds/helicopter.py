"""A helicopter in the air: the blades beat, the turbine whines."""

import math

import numpy as np

from models.types import Float64Array
from training.datasets.scenes.canvas import Canvas, Pen
from training.datasets.scenes.scene import SceneParameters
from training.datasets.scenes.scenery import outdoors
from training.datasets.scenes.stage import INK, STEEL, WHITE, Stage, fade
from training.datasets.scenes.synthesis import clock, decay, lay, noise, sample_count, tone

TEMPO_HZ = (1.5, 3.6)
PITCH_HZ = (170.0, 620.0)
JITTER = 0.0
STILL_SECONDS = 0.06

_CHOPS = 4  # blade beats from one strong beat to the next: blades are never quite alike


def sound(scene: SceneParameters) -> Float64Array:
    """Chops of low noise, every fourth one strong, over the whine of the turbine."""
    generator = scene.generator("chops")
    track = np.zeros(sample_count(scene.duration_seconds))
    period = 1.0 / scene.tempo_hz
    for event in scene.events:
        for part in range(_CHOPS):
            chop = noise(generator, 0.16, 60.0, 420.0) * decay(0.16, 0.025)
            level = 1.3 * event.strength if part == 0 else 0.32
            lay(track, event.time_seconds + part * period / _CHOPS, chop, level)
    whine = tone(np.full_like(track, scene.pitch_hz), (1.0, 0.5, 0.3, 0.25, 0.15))
    flutter = 1.0 + 0.25 * np.sin(2.0 * np.pi * 9.0 * clock(scene.duration_seconds))
    wash = noise(generator, scene.duration_seconds, 200.0, 2_000.0)
    return track + 0.16 * whine * flutter + 0.07 * wash


def draw_scenery(canvas: Canvas, stage: Stage) -> None:
    """Open sky over land."""
    outdoors(canvas, stage, ground_y=104.0)


def draw(canvas: Canvas, stage: Stage, seconds: float) -> None:
    """The machine bobbing on its beat; blades widest at the strong beat."""
    beat, mirror = stage.scene.beat(seconds), stage.style[0] < 0.5
    pulse = math.exp(-beat.since_seconds / 0.08) * beat.previous.strength
    sway = math.sin(1.7 * seconds + 6.0 * stage.style[1])
    pen = canvas.pen(stage.x + 3.0 * sway, stage.y - 3.0 * pulse - 2.0)
    pen = pen.at(0, 0, stage.scale, turn=0.05 * sway, mirror=mirror)
    _fuselage(pen, stage)
    spread = abs(math.cos(math.pi * beat.fraction))
    _rotor(pen, stage, 14.0 + 46.0 * spread, pulse)
    _tail_rotor(pen.at(-56, -12, turn=4.0 * math.pi * beat.fraction))
    lamp = (255, 70, 60) if pulse > 0.25 else (120, 30, 34)
    pen.disc(-2, 23, 2.6, lamp)


def _rotor(pen: Pen, stage: Stage, reach: float, pulse: float) -> None:
    """Mast, blades and the blurred disc they leave."""
    pen.box(-1.6, -30, 1.6, -18, INK)
    pen.ellipse(0, -30, 60, 4.5, fade(WHITE, 0.25 + 0.5 * pulse))
    pen.line([(-reach, -30), (reach, -30)], stage.palette.far(INK), 2.8)
    pen.disc(0, -30, 3, INK)


def _tail_rotor(pen: Pen) -> None:
    pen.disc(0, 0, 11, fade(WHITE, 0.3))
    pen.line([(-10, 0), (10, 0)], INK, 2.0)
    pen.line([(0, -10), (0, 10)], INK, 2.0)


def _fuselage(pen: Pen, stage: Stage) -> None:
    """Tail boom, cabin, window, stripe and skids."""
    palette = stage.palette
    pen.polygon([(-10, -10), (-58, -15), (-58, -11), (-10, 6)], palette.dark)
    pen.polygon([(-60, -26), (-52, -26), (-50, -12), (-60, -12)], palette.main)
    pen.ellipse(4, 0, 30, 19, palette.main)
    pen.polygon([(8, -15), (22, -12), (31, 0), (10, 0)], palette.far((188, 226, 244)))
    if stage.style[2] < 0.5:
        pen.polygon([(-24, 4), (33, 4), (31, 8), (-22, 8)], palette.far(WHITE))
    else:
        pen.box(-12, -10, 2, 4, palette.far((188, 226, 244)))
    for x in (-8, 14):
        pen.line([(x, 16), (x - 3, 26)], palette.far(STEEL), 2.2)
    pen.line([(-26, 26), (26, 26), (32, 22)], palette.far(STEEL), 2.6)
