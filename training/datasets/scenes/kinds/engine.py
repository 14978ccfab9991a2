"""A car that revs its engine: every push on the pedal a roar and a puff of smoke."""

import math

import numpy as np

from models.types import Float64Array
from training.datasets.scenes.canvas import WIDTH, Canvas, Pen
from training.datasets.scenes.scene import SceneParameters
from training.datasets.scenes.scenery import outdoors, shadow
from training.datasets.scenes.stage import INK, STEEL, WHITE, Stage, fade, mix
from training.datasets.scenes.synthesis import clock, filtered, tone

TEMPO_HZ = (0.6, 1.9)
PITCH_HZ = (38.0, 105.0)
JITTER = 0.2
STILL_SECONDS = 0.14

_RISE_SECONDS = 0.06
_LEVELS = (1.0, 0.9, 0.8, 0.75, 0.6, 0.55, 0.45, 0.4, 0.35, 0.3, 0.25, 0.22, 0.2, 0.18, 0.15, 0.12)


def sound(scene: SceneParameters) -> Float64Array:
    """Harmonics of the firing rate; rate and level follow the pedal."""
    moments = clock(scene.duration_seconds)
    pedal = _pedal(scene, moments)
    rough = filtered(
        scene.generator("rough").standard_normal(len(moments)),
        lambda f: 1.0 / (1.0 + (f / 30.0) ** 4),
    )
    rate_hz = scene.pitch_hz * (1.0 + 0.55 * pedal) * (1.0 + 0.5 * rough)
    roar = tone(rate_hz, _LEVELS)
    breath = scene.generator("breath").standard_normal(len(moments))
    breath = filtered(breath, lambda f: 1.0 / (1.0 + (f / 900.0) ** 2))
    return (roar + 0.9 * breath) * (0.16 + pedal)


def draw_scenery(canvas: Canvas, stage: Stage) -> None:
    """Land with a road."""
    outdoors(canvas, stage, ground_y=76.0)
    pen, palette = canvas.pen(), stage.palette
    road = mix((84, 84, 92), palette.sky, 0.2)
    pen.box(0, _road_y(stage) - 16, WIDTH, 120, road)
    pen.box(0, _road_y(stage) - 17.5, WIDTH, _road_y(stage) - 16, palette.far(WHITE))


def draw(canvas: Canvas, stage: Stage, seconds: float) -> None:
    """The car shaking with the engine, wheels turning, smoke behind, the road running by."""
    scene, road_y = stage.scene, _road_y(stage)
    pedal = float(_pedal(scene, np.array([seconds]))[0])
    way = 30.0 * seconds + 14.0 * scene.beat(seconds).number + 14.0 * scene.beat(seconds).fraction
    for number in range(-1, 5):
        x = number * 44.0 - way % 44.0 + 10.0
        canvas.pen().box(x, road_y + 7, x + 20, road_y + 9.5, fade(WHITE, 0.75))
    scale = 1.05 * stage.scale
    shadow(canvas, stage.x, road_y + 1, 46 * scale)
    shake = math.sin(2.0 * math.pi * 5.3 * seconds) * (0.5 + 1.6 * pedal)
    _smoke(canvas, stage, seconds, (stage.x - 46 * scale, road_y - 9 * scale))
    pen = canvas.pen(stage.x, road_y, scale)
    _car(pen.at(0, shake - 2.5 * pedal, turn=-0.05 * pedal), stage)
    for x in (-25, 26):
        _wheel(pen.at(x, -9, turn=way / 9.0))


def _road_y(stage: Stage) -> float:
    return 94.0 + 8.0 * stage.scene.place_y


def _pedal(scene: SceneParameters, moments: Float64Array) -> Float64Array:
    """How far the pedal is down at moments (T,), in [0, 1]: quickly down, slowly up."""
    total = np.zeros_like(moments)
    for event in scene.events:
        since = moments - event.time_seconds
        push = np.clip(since / _RISE_SECONDS, 0.0, 1.0) * np.exp(-np.maximum(since, 0.0) / 0.22)
        total = np.maximum(total, event.strength * push)
    return total


def _smoke(canvas: Canvas, stage: Stage, seconds: float, exhaust: tuple[float, float]) -> None:
    """One growing puff per event."""
    pen = canvas.pen(*exhaust)
    grey = mix(stage.palette.horizon, (120, 118, 122), 0.5)
    for event in stage.scene.events:
        age = seconds - event.time_seconds
        if 0.0 <= age < 1.1:
            radius = (3.5 + 9.0 * age) * stage.scale * (0.6 + 0.6 * event.strength)
            puff = fade(grey, 0.95 - 0.85 * age)
            pen.disc(-4 - 30 * age, -14 * age, radius, puff)
            pen.disc(-8 - 36 * age, -3 - 20 * age, 0.7 * radius, puff)


def _car(pen: Pen, stage: Stage) -> None:
    """Body, cabin, windows, lamps; saloon or beetle by style."""
    palette = stage.palette
    glass = palette.far((196, 226, 238))
    roof = [(-28, -28), (-20, -46), (12, -46), (24, -28)]
    if stage.style[0] < 0.5:
        roof = [(-38, -26), (-30, -42), (-12, -49), (8, -47), (22, -28)]
    pen.polygon(roof, palette.dark)
    pen.polygon([(-21, -28), (-16, -41), (-4, -42), (-4, -28)], glass)
    pen.polygon([(-1, -28), (-1, -42), (9, -42), (18, -28)], glass)
    pen.polygon([(-47, -24), (-42, -29), (30, -29), (46, -23), (48, -9), (-48, -9)], palette.main)
    pen.box(-48, -14, 48, -11.5, palette.dark)
    pen.box(-3, -26, -1.8, -11, palette.dark)
    pen.ellipse(45, -19, 3, 3.6, (255, 240, 170))
    pen.box(-48, -22, -45, -17, (214, 40, 44))
    pen.box(-54, -11, -46, -8, STEEL)


def _wheel(pen: Pen) -> None:
    """Tyre, rim and spokes."""
    pen.disc(0, 0, 10, INK)
    pen.disc(0, 0, 6, STEEL)
    pen.box(-5.5, -1, 5.5, 1, INK)
    pen.box(-1, -5.5, 1, 5.5, INK)
