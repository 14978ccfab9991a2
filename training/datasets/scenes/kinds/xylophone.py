"""A xylophone: a mallet plays a tune on coloured bars."""

import math

from models.types import Float64Array
from training.datasets.scenes.canvas import Canvas, Pen
from training.datasets.scenes.scene import SceneParameters
from training.datasets.scenes.scenery import indoors, shadow
from training.datasets.scenes.stage import INK, WHITE, WOOD, Stage, fade, mix
from training.datasets.scenes.synthesis import per_event, struck

TEMPO_HZ = (1.3, 3.5)
PITCH_HZ = (380.0, 1_000.0)
JITTER = 0.0
STILL_SECONDS = 0.06

_SCALE = (0, 2, 4, 7, 9, 12, 14, 16)  # pentatonic, in semitones: no tune sounds wrong
_PARTIALS = ((1.0, 1.0), (3.0, 0.35), (6.2, 0.15))  # bars are cut so that the second is a twelfth


def sound(scene: SceneParameters) -> Float64Array:
    """A wooden tone per event, its step given by the event."""
    bars = [struck(scene.pitch_hz * 2.0 ** (step / 12.0), _PARTIALS, 0.13) for step in _SCALE]
    return per_event(scene, lambda number: bars[scene.events[number].note])


def draw_scenery(canvas: Canvas, stage: Stage) -> None:
    """A room and the frame of the instrument."""
    indoors(canvas, stage, floor_y=78.0)
    shadow(canvas, stage.x, stage.y + 32 * stage.scale, 52 * stage.scale)
    pen, wood = stage.pen(canvas), stage.palette.far(WOOD)
    pen.polygon([(-54, -22), (54, -12), (54, -7), (-54, -16)], wood)
    pen.polygon([(-54, 22), (54, 12), (54, 18), (-54, 29)], wood)


def draw(canvas: Canvas, stage: Stage, seconds: float) -> None:
    """Bars, the sounding one bright, and the mallet on its way to the next."""
    beat, pen = stage.scene.beat(seconds), stage.pen(canvas)
    ring = math.exp(-beat.since_seconds / 0.12) * (0.6 + 0.4 * beat.previous.strength)
    for note in range(len(_SCALE)):
        _bar(pen, stage, note, ring if note == beat.previous.note else 0.0)
    share = _eased(beat.fraction)
    x = _bar_x(beat.previous.note) * (1.0 - share) + _bar_x(beat.following.note) * share
    lift = 30.0 * math.sin(math.pi * beat.fraction)
    _mallet(pen.at(x, -lift), stage)
    if beat.since_seconds < 0.22:
        wide = 6 + 60 * beat.since_seconds
        glow = fade(WHITE, 0.9 - 4 * beat.since_seconds)
        pen.ring(_bar_x(beat.previous.note), 0, wide, 0.7 * wide, glow, 1.5)


def _eased(share: float) -> float:
    return share * share * (3.0 - 2.0 * share)


def _bar_x(note: int) -> float:
    return -45.5 + 13.0 * note


def _bar(pen: Pen, stage: Stage, note: int, ring: float) -> None:
    """A long bar for a low note, a short one for a high note, light and dark in turn."""
    palette, x = stage.palette, _bar_x(note)
    half = 32.0 - 2.3 * note
    tint = (palette.main, palette.light, palette.dark)[
        note % 3 if stage.style[0] < 0.5 else note % 2
    ]
    pen.box(x - 5.2, -half + 2, x + 5.2, half + 2, palette.far(INK), radius=2)
    pen.box(x - 5.2, -half, x + 5.2, half, mix(tint, WHITE, 0.85 * ring), radius=2)
    for y in (-half + 6, half - 6):
        pen.disc(x, y, 1.4, palette.far(INK))


def _mallet(pen: Pen, stage: Stage) -> None:
    """Head on the bar and the stick towards the player."""
    pen.line([(0, 0), (20, 44)], mix(WOOD, WHITE, 0.25), 2.6)
    pen.disc(0, 0, 5.4, INK)
    pen.disc(-1.6, -1.8, 1.6, stage.palette.light)
