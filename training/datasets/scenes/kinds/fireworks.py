"""Fireworks over a town: a rising whistle, a bang and crackling sparks."""

import math

import numpy as np

from models.types import Float64Array
from training.datasets.scenes.canvas import HEIGHT, WIDTH, Canvas
from training.datasets.scenes.scene import SceneParameters
from training.datasets.scenes.scenery import stars
from training.datasets.scenes.stage import WHITE, Rgb, Stage, fade, mix
from training.datasets.scenes.synthesis import clock, decay, lay, noise, per_event, tone

TEMPO_HZ = (0.6, 1.5)
PITCH_HZ = (70.0, 240.0)
JITTER = 0.35
STILL_SECONDS = 0.3

_RISE_SECONDS = 0.5
_GLOW_SECONDS = 1.3


def sound(scene: SceneParameters) -> Float64Array:
    """Bangs with crackle, each announced by a soft whistle."""
    generator = scene.generator("bangs")
    low, high = 0.5 * scene.pitch_hz, 3.0 * scene.pitch_hz
    thump = tone(scene.pitch_hz * (1.0 + 0.8 * np.exp(-clock(0.5) / 0.03)), (1.0, 0.4))
    thump *= decay(0.5, 0.07)
    rise = clock(_RISE_SECONDS) / _RISE_SECONDS
    whistle = tone(scene.pitch_hz * (7.0 + 5.0 * rise), (1.0, 0.1)) * rise**2 * (1.0 - rise) * 0.12

    def bang(number: int) -> Float64Array:
        del number
        burst = noise(generator, 1.2, low, high) * decay(1.2, 0.12)
        crackle = noise(generator, 1.2, 2_000.0, 7_000.0) * decay(1.2, 0.35)
        crackle *= generator.random(len(crackle)) < 0.02
        total = np.zeros(len(whistle) + len(burst))
        lay(total, 0.0, whistle)
        lay(total, _RISE_SECONDS, burst + 1.6 * crackle)
        lay(total, _RISE_SECONDS, 1.5 * thump)
        return total

    return per_event(scene, bang, advance_seconds=_RISE_SECONDS)


def draw_scenery(canvas: Canvas, stage: Stage) -> None:
    """A darker sky than elsewhere and the roofs of a town with lit windows."""
    canvas.gradient(_night(stage.palette.sky), mix(_night(stage.palette.sky), (120, 90, 130), 0.25))
    stars(canvas, stage)
    pen, dark = canvas.pen(), mix(_night(stage.palette.sky), (8, 8, 16), 0.7)
    left = -2.0
    for wide, tall, lit in stage.scene.generator("houses").random((12, 3)).tolist():
        right, top = left + 10.0 + 12.0 * wide, HEIGHT - 10.0 - 20.0 * tall
        pen.box(left, top, right, HEIGHT, dark)
        if lit < 0.35:
            pen.polygon([(left, top), ((left + right) / 2, top - 6), (right, top)], dark)
        for number in range(3):
            x, y = left + 3 + 4.5 * number, top + 4 + 5 * ((number + int(9 * lit)) % 2)
            if x + 2 < right:
                pen.box(x, y, x + 1.8, y + 2.4, (250, 214, 120))
        left = right
        if left > WIDTH:
            break


def draw(canvas: Canvas, stage: Stage, seconds: float) -> None:
    """Rockets on their way up, bursts on their way down."""
    for number, event in enumerate(stage.scene.events):
        age = seconds - event.time_seconds
        shift = stage.scene.generator(f"burst{number}").uniform(-1.0, 1.0, 2).tolist()
        x, y = stage.x + 20.0 * shift[0], stage.y - 16.0 + 8.0 * shift[1]
        if -_RISE_SECONDS < age < 0.0:
            rise = 1.0 + age / _RISE_SECONDS
            top = 112.0 + (y - 112.0) * rise
            canvas.pen().line([(x, top + 14 * (1.2 - rise)), (x, top)], (255, 222, 150), 1.6)
        elif 0.0 <= age < _GLOW_SECONDS:
            reach = 46.0 * stage.scale * (0.7 + 0.3 * event.strength)
            _burst(canvas, stage, (x, y, reach), age)


def _burst(canvas: Canvas, stage: Stage, place: tuple[float, float, float], age: float) -> None:
    """Two rings of sparks on trails, and the flash of the bang."""
    x, y, reach = place
    pen, palette = canvas.pen(x, y), stage.palette
    if age < 0.14:
        pen.disc(0, 0, 0.55 * reach, fade(palette.light, 0.8 - 5.0 * age))
        pen.disc(0, 0, 0.25 * reach, WHITE)
    spread = 1.0 - math.exp(-age / 0.2)
    trail = 1.0 - math.exp(-max(age - 0.13, 0.0) / 0.2)
    fall, opacity = 9.0 * age**2, 1.0 - (age / _GLOW_SECONDS) ** 2
    count = 10 + 2 * int(4 * stage.style[0])
    for ring, colour in ((1.0, palette.main), (0.6, palette.light)):
        spark = fade(mix(colour, WHITE, max(0.0, 0.5 - age)), opacity)
        for number in range(count):
            angle = 2.0 * math.pi * (number + 0.5 * ring) / count
            dx, dy = ring * reach * math.cos(angle), ring * reach * math.sin(angle)
            head = (dx * spread, dy * spread + fall)
            pen.line([(dx * trail, dy * trail + 0.7 * fall), head], spark, 1.9)
            pen.disc(*head, 1.9, spark)


def _night(sky: Rgb) -> Rgb:
    """The same sky hours later."""
    return mix(sky, (10, 12, 34), 0.62)
