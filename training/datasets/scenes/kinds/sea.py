"""Waves that run up a beach: every wave swells, breaks and draws back."""

import math

import numpy as np

from models.types import Float64Array
from training.datasets.scenes.canvas import HEIGHT, WIDTH, Canvas, Pen
from training.datasets.scenes.scene import SceneParameters
from training.datasets.scenes.scenery import clouds, stars
from training.datasets.scenes.stage import INK, WHITE, WOOD, Stage, fade, mix
from training.datasets.scenes.synthesis import clock, noise

TEMPO_HZ = (0.5, 1.2)
PITCH_HZ = (240.0, 1_100.0)
JITTER = 0.15
STILL_SECONDS = 0.06

_HORIZON_Y = 46.0
_RISE_SECONDS = 0.22


def sound(scene: SceneParameters) -> Float64Array:
    """Noise that swells shortly before a wave breaks, brightest when it breaks."""
    generator, seconds = scene.generator("surf"), scene.duration_seconds
    swell = _swell(scene, clock(seconds))
    deep = noise(generator, seconds, 0.5 * scene.pitch_hz, 1.3 * scene.pitch_hz)
    foam = noise(generator, seconds, 2.0 * scene.pitch_hz, 5.0 * scene.pitch_hz)
    return deep * (0.12 + swell) + 0.55 * foam * swell**2


def draw_scenery(canvas: Canvas, stage: Stage) -> None:
    """Sky, sun or moon, and the open water."""
    palette, pen = stage.palette, canvas.pen()
    canvas.gradient(palette.sky, palette.horizon)
    night = stage.scene.background < 0.42
    (stars if night else clouds)(canvas, stage)
    disc = (250, 244, 214) if night else (255, 214, 120)
    pen.disc(20 + 120 * stage.style[0], 14 + 20 * stage.style[1], 8, mix(palette.sky, disc, 0.85))
    pen.box(0, _HORIZON_Y, WIDTH, HEIGHT, mix(palette.sky, (28, 96, 134), 0.6))


def draw(canvas: Canvas, stage: Stage, seconds: float) -> None:
    """Rows of waves, a sailing boat on them, and the surf on the sand."""
    swell = float(_swell(stage.scene, np.array([seconds]))[0])
    phase = 2.0 * math.pi * stage.scene.tempo_hz * seconds
    boat_y = stage.y - 6.0
    drawn = False
    for row in range(6):
        y = _HORIZON_Y + 4.0 + 8.0 * row
        if y > boat_y + 2 and not drawn:
            lift = 3.0 * math.sin(phase)
            boat_pen = canvas.pen(stage.x, boat_y - lift).at(
                0, 0, 0.8 * stage.scale, turn=0.06 * lift
            )
            _boat(boat_pen, stage)
            drawn = True
        _wave(canvas, stage, row, (y, phase, swell))
    _beach(canvas, stage, swell)


def _swell(scene: SceneParameters, moments: Float64Array) -> Float64Array:
    """Height of the surf at moments (T,), in [0, 1]; it peaks at the events."""
    total = np.zeros_like(moments)
    fall_seconds = 0.3 / scene.tempo_hz
    for event in scene.events:
        since = moments - event.time_seconds
        before = np.exp(-((np.minimum(since, 0.0) / _RISE_SECONDS) ** 2))
        wave = before * np.exp(-np.maximum(since, 0.0) / fall_seconds)
        total = np.maximum(total, event.strength * wave)
    return total


def _wave(canvas: Canvas, stage: Stage, row: int, motion: tuple[float, float, float]) -> None:
    """One row of water, higher and whiter near the beach."""
    y, phase, swell = motion
    high = 0.8 + 0.55 * row
    length = 0.10 - 0.008 * row
    drift = phase + 1.3 * row
    crest = [
        (x, y - high * math.sin(length * x + drift) - 0.7 * row * swell)
        for x in range(-4, WIDTH + 9, 6)
    ]
    water = mix(stage.palette.sky, (26 + 6 * row, 104 + 9 * row, 140 + 8 * row), 0.62)
    canvas.pen().polygon([(-4, HEIGHT), *crest, (WIDTH + 8, HEIGHT)], water)
    canvas.pen().line(crest, fade(WHITE, 0.12 + 0.1 * row * swell), 1.2)


def _beach(canvas: Canvas, stage: Stage, swell: float) -> None:
    """Sand, wet where the last wave was, and the edge of foam."""
    pen, palette = canvas.pen(), stage.palette
    sand = mix((226, 198, 148), palette.sky, 0.35)
    pen.box(0, 88, WIDTH, HEIGHT, sand)
    reach = 88.0 + 24.0 * swell
    edge = [
        (x, reach + 2.5 * math.sin(0.09 * x + 6.3 * stage.style[2]))
        for x in range(-4, WIDTH + 9, 6)
    ]
    pen.polygon([(-4, 86), *edge, (WIDTH + 8, 86)], mix(palette.sky, (70, 160, 186), 0.6))
    pen.line(edge, WHITE, 2.0 + 4.0 * swell)
    pen.line([(x, y - 6) for x, y in edge], fade(WHITE, 0.5 * swell), 1.6)


def _boat(pen: Pen, stage: Stage) -> None:
    """Hull, mast and two sails."""
    palette = stage.palette
    pen.line([(0, -4), (0, -52)], palette.far(WOOD), 2.2)
    pen.polygon([(2, -50), (2, -9), (30, -9)], palette.main)
    pen.polygon([(-2, -44), (-2, -9), (-22, -9)], palette.light)
    if stage.style[3] < 0.5:
        pen.polygon([(4, -24), (4, -17), (25, -17), (20, -24)], palette.far(WHITE))
    pen.polygon([(-30, -6), (34, -6), (24, 6), (-22, 6)], palette.far(mix(WOOD, INK, 0.3)))
    pen.polygon([(-30, -6), (34, -6), (31, -2), (-28, -2)], palette.dark)
