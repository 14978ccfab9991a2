"""A steam train: a puff from the chimney with every chuff, and the whistle."""

import math

import numpy as np

from models.types import Float64Array
from training.datasets.scenes.canvas import WIDTH, Canvas, Pen
from training.datasets.scenes.scene import SceneParameters
from training.datasets.scenes.scenery import outdoors
from training.datasets.scenes.stage import INK, STEEL, WHITE, Stage, fade, mix
from training.datasets.scenes.synthesis import bump, clock, decay, lay, noise, per_event, tone

TEMPO_HZ = (1.2, 3.4)
PITCH_HZ = (290.0, 800.0)
JITTER = 0.0
STILL_SECONDS = 0.2

_WHISTLE_SECONDS = 1.1
_CHORD = (1.0, 1.26, 1.5)


def sound(scene: SceneParameters) -> Float64Array:
    """Chuffs of steam; the whistle, a chord, blows while the white jet is seen."""
    generator = scene.generator("steam")
    length = 0.26

    def chuff(number: int) -> Float64Array:
        accent = 1.0 if number % 4 == 0 else 0.75
        steam = noise(generator, length, 0.7 * scene.pitch_hz, 6.0 * scene.pitch_hz)
        thud = noise(generator, length, 60.0, 220.0) * decay(length, 0.03)
        return accent * (steam * decay(length, 0.045) + 0.6 * thud)

    track = per_event(scene, chuff)
    shape = bump(_WHISTLE_SECONDS, 0.12)
    breath = 1.0 + 0.01 * np.sin(2 * np.pi * 6.0 * clock(_WHISTLE_SECONDS))
    for ratio in _CHORD:
        voice = tone(scene.pitch_hz * ratio * breath, (1.0, 0.4, 0.2)) * shape
        lay(track, _whistle_seconds(scene), voice, 0.3)
    return track


def draw_scenery(canvas: Canvas, stage: Stage) -> None:
    """Land and the rails."""
    outdoors(canvas, stage, ground_y=80.0)
    pen, rail_y = canvas.pen(), _rail_y(stage)
    pen.box(0, rail_y - 1, WIDTH, rail_y + 9, mix(stage.palette.ground_dark, (92, 84, 82), 0.6))


def draw(canvas: Canvas, stage: Stage, seconds: float) -> None:
    """Engine and tender, sleepers running by, puffs that drift back."""
    scene, rail_y = stage.scene, _rail_y(stage)
    beat, scale = scene.beat(seconds), 1.0 * stage.scale
    way = 18.0 * (beat.number + beat.fraction)
    for number in range(-1, 12):
        x = number * 16.0 - way % 16.0
        canvas.pen().box(x, rail_y + 2, x + 8, rail_y + 6, stage.palette.far((86, 60, 44)))
    canvas.pen().box(0, rail_y, WIDTH, rail_y + 1.6, STEEL)
    pen = canvas.pen(stage.x, rail_y, scale)
    _puffs(canvas, stage, seconds, (stage.x + 32 * scale, rail_y - 64 * scale))
    since_whistle = seconds - _whistle_seconds(scene)
    if 0.0 <= since_whistle < _WHISTLE_SECONDS:
        jet = min(1.0, 6.0 * since_whistle)
        pen.polygon([(2, -50), (-8 - 8 * jet, -50 - 34 * jet), (8, -50 - 36 * jet)],
                    fade(WHITE, 0.85))  # fmt: skip
    pulse = math.exp(-beat.since_seconds / 0.07)
    _engine(pen.at(0, -1.2 * pulse), stage)
    _wheels(pen, stage, 0.5 * math.pi * (beat.number + beat.fraction))


def _rail_y(stage: Stage) -> float:
    return 98.0 + 8.0 * stage.scene.place_y


def _whistle_seconds(scene: SceneParameters) -> float:
    """The whistle blows at the loudest chuff of the first three seconds or less."""
    latest = max(scene.duration_seconds - _WHISTLE_SECONDS, 0.5)
    early = [event for event in scene.onsets if event.time_seconds < latest]
    return max(early, key=lambda event: event.strength).time_seconds if early else 0.0


def _puffs(canvas: Canvas, stage: Stage, seconds: float, chimney: tuple[float, float]) -> None:
    """A ball of smoke per chuff, which grows and drifts back."""
    pen = canvas.pen(*chimney)
    grey = mix(stage.palette.horizon, (222, 220, 224), 0.7)
    for number, event in enumerate(stage.scene.events):
        age = seconds - event.time_seconds
        if 0.0 <= age < 1.5:
            radius = (5.0 + 9.0 * age) * stage.scale * (0.7 + 0.4 * event.strength)
            rise = 22.0 * (1.0 - math.exp(-2.5 * age))
            wobble = 3.0 if number % 2 else -3.0
            pen.disc(wobble * age - 42 * age, -rise, radius, fade(grey, 0.95 - 0.6 * age))


def _engine(pen: Pen, stage: Stage) -> None:
    """Boiler, cab, chimney, dome, lamp and the tender behind."""
    palette = stage.palette
    brass = palette.far((226, 182, 80))
    pen.box(-84, -34, -46, -12, palette.dark)
    pen.polygon([(-82, -34), (-76, -40), (-54, -39), (-48, -34)], palette.far(INK))
    pen.box(-38, -58, -12, -14, palette.main)
    pen.box(-33, -52, -18, -38, palette.far((196, 226, 238)))
    pen.box(-42, -62, -8, -57, palette.dark)
    pen.box(-14, -42, 40, -16, palette.main, radius=4)
    for x in (-2, 12, 26):
        pen.box(x, -42, x + 2, -16, brass)
    pen.ellipse(2, -43, 6, 6, brass)
    if stage.style[0] < 0.5:
        pen.polygon([(28, -42), (26, -62), (38, -62), (36, -42)], palette.dark)
    else:
        pen.polygon(
            [(30, -42), (30, -54), (25, -63), (39, -63), (34, -54), (34, -42)], palette.dark
        )
    pen.box(38, -40, 43, -18, palette.far(INK))
    pen.disc(44, -34, 3.4, (255, 236, 160))
    pen.polygon([(40, -14), (54, -2), (38, -2)], palette.far((170, 50, 46)))
    pen.box(-84, -16, 42, -11, palette.far(INK))


def _wheels(pen: Pen, stage: Stage, turn: float) -> None:
    """Driving wheels with their rod, small wheels before and behind."""
    rim = stage.palette.far((184, 58, 52))
    for x, radius in ((-75, 6), (-56, 6), (34, 6), (-26, 11), (-2, 11), (18, 9)):
        wheel = pen.at(x, -radius, turn=turn)
        wheel.disc(0, 0, radius, INK)
        wheel.disc(0, 0, 0.75 * radius, rim)
        wheel.box(-0.75 * radius, -1, 0.75 * radius, 1, INK)
        wheel.box(-1, -0.75 * radius, 1, 0.75 * radius, INK)
    dx, dy = 5.5 * math.cos(turn), 5.5 * math.sin(turn)
    pen.line([(-26 + dx, -11 + dy), (18 + dx, -10 + dy)], STEEL, 2.6)
