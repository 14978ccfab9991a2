"""An ambulance or police car at work: two tones and a flashing light."""

import numpy as np

from models.types import Float64Array
from training.datasets.scenes.canvas import WIDTH, Canvas, Pen
from training.datasets.scenes.scene import SceneParameters
from training.datasets.scenes.scenery import outdoors, shadow
from training.datasets.scenes.stage import INK, STEEL, WHITE, Rgb, Stage, fade, mix
from training.datasets.scenes.synthesis import clock, sample_count, tone

TEMPO_HZ = (0.8, 2.2)
PITCH_HZ = (380.0, 1_050.0)
JITTER = 0.0
STILL_SECONDS = 0.06

_INTERVAL = 4.0 / 3.0
_GLIDE_SECONDS = 0.02
_LEVELS = (1.0, 0.4, 0.8, 0.35, 0.65, 0.3, 0.5, 0.25, 0.4)


def sound(scene: SceneParameters) -> Float64Array:
    """Low and high in turn, both around the pitch, each tone pressed out anew at the event."""
    moments = clock(scene.duration_seconds)
    steps = np.zeros_like(moments)
    press = np.zeros(sample_count(scene.duration_seconds))
    for number, event in enumerate(scene.events):
        since = moments - event.time_seconds
        started = since >= 0.0
        steps[started] = 0.5 if number % 2 else -0.5
        press[started] = 0.45 + 0.55 * np.exp2(-since[started] * scene.tempo_hz / 0.5)
    width = sample_count(_GLIDE_SECONDS)
    steps = np.convolve(np.pad(steps, width, mode="edge"), np.ones(width) / width, mode="same")
    frequency_hz = scene.pitch_hz * _INTERVAL ** steps[width:-width]
    return tone(frequency_hz, _LEVELS) * press


def draw_scenery(canvas: Canvas, stage: Stage) -> None:
    """A street with houses."""
    outdoors(canvas, stage, ground_y=78.0)
    palette, pen = stage.palette, canvas.pen()
    left = -6.0
    for wide, tall, tint in stage.scene.generator("houses").random((7, 3)).tolist():
        right, top = left + 20 + 14 * wide, 48 - 26 * tall
        wall = mix(palette.horizon, mix((132, 96, 92), (104, 112, 132), tint), 0.5)
        pen.box(left, top, right, 80, wall)
        for x in range(int(left) + 4, int(right) - 4, 8):
            for y in range(int(top) + 5, 72, 11):
                pen.box(x, y, x + 4, y + 6, mix(wall, (255, 236, 180), 0.55))
        left = right + 1
    pen.box(0, 80, WIDTH, 120, mix((78, 78, 88), palette.sky, 0.2))
    for x in range(4, WIDTH, 30):
        pen.box(x, 114, x + 14, 116, palette.far(WHITE))


def draw(canvas: Canvas, stage: Stage, seconds: float) -> None:
    """The car, rocking a little, one lamp lit per tone, and its glow on the street."""
    scene, scale = stage.scene, 1.05 * stage.scale
    beat = scene.beat(seconds)
    side = 1 if beat.number % 2 else -1
    glow = 0.35 + 0.65 * 2.0 ** (-beat.since_seconds * scene.tempo_hz / 0.35)
    road_y = 98.0 + 8.0 * scene.place_y
    mirror = stage.style[0] < 0.5
    pen = canvas.pen(stage.x, road_y).at(0, 0, scale, mirror=mirror)
    lamp = pen.at(-6 + 10 * side, -56)
    for radius in (44, 30, 18):
        lamp.disc(0, 0, radius * (0.6 + 0.5 * glow), fade(stage.palette.light, 0.3 * glow))
    shadow(canvas, stage.x, road_y + 1, 46 * scale)
    _lamps(pen, stage, side, glow)
    _van(pen.at(0, 1.2 * side * (1.0 - beat.fraction)), stage)
    for x in (-26, 25):
        pen.disc(x, -8, 9, INK)
        pen.disc(x, -8, 4.5, STEEL)


def _lamps(pen: Pen, stage: Stage, side: int, glow: float) -> None:
    """Two beacons on the roof."""
    for lamp in (-1, 1):
        x = -6 + 10 * lamp
        lit = lamp == side
        colour: Rgb = mix(stage.palette.main, WHITE, 0.6 * glow) if lit else stage.palette.dark
        pen.box(x - 7, -60, x + 7, -48, colour, radius=4)
    pen.box(-26, -51, 14, -48, INK)


def _van(pen: Pen, stage: Stage) -> None:
    """White body, windows, a stripe in the scene's colour and a cross or a star."""
    palette = stage.palette
    white, glass = palette.far(WHITE), palette.far((160, 200, 222))
    pen.polygon([(-46, -48), (20, -48), (34, -30), (46, -26), (47, -8), (-46, -8)], white)
    pen.polygon([(14, -44), (19, -44), (30, -30), (14, -30)], glass)
    if stage.style[1] < 0.5:
        pen.box(-40, -43, -26, -30, glass)
    pen.polygon([(-46, -25), (46, -25), (47, -16), (-46, -16)], palette.main)
    pen.box(-12, -45, -6, -27, palette.main)
    pen.box(-18, -39, 0, -33, palette.main)
    pen.box(43, -24, 47, -19, (255, 240, 170))
    pen.box(-46, -11, 47, -8, STEEL)
