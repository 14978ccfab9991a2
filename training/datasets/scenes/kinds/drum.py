"""A drum on its stand and two sticks that take turns."""

import math

from models.types import Float64Array
from training.datasets.scenes.canvas import Canvas, Pen
from training.datasets.scenes.scene import SceneParameters
from training.datasets.scenes.scenery import indoors, shadow
from training.datasets.scenes.stage import INK, STEEL, WHITE, WOOD, Stage, fade, mix
from training.datasets.scenes.synthesis import decay, lay, noise, per_event, struck

TEMPO_HZ = (1.3, 3.4)
PITCH_HZ = (70.0, 200.0)
JITTER = 0.0
STILL_SECONDS = 0.06

_PARTIALS = (  # zeros of Bessel functions over the first: the modes of a round membrane
    (1.0, 1.0), (1.594, 0.6), (2.136, 0.4), (2.296, 0.3), (2.653, 0.25), (2.918, 0.2), (3.6, 0.1),
)  # fmt: skip


def sound(scene: SceneParameters) -> Float64Array:
    """Skin, the knock of the stick, and the wires that rattle under the drum."""
    stroke = struck(scene.pitch_hz, _PARTIALS, 0.08)
    wires = noise(scene.generator("wires"), 0.4, 1_800.0, 5_000.0) * decay(0.4, 0.06)
    knock = noise(scene.generator("knock"), 0.04, 900.0, 5_000.0) * decay(0.04, 0.005)
    lay(stroke, 0.0, knock, 0.45)
    lay(stroke, 0.0, wires, 0.16)
    return per_event(scene, lambda _: stroke)


def draw_scenery(canvas: Canvas, stage: Stage) -> None:
    """A room, the legs of the stand and the drum's body."""
    indoors(canvas, stage, floor_y=88.0)
    pen, palette = stage.pen(canvas), stage.palette
    shadow(canvas, stage.x, stage.y + 48 * stage.scale, 40 * stage.scale)
    for x in (-26, 0, 26):
        pen.line([(0.6 * x, 20), (x, 48)], palette.far(STEEL), 2.6)
    pen.polygon([(-34, -8), (34, -8), (34, 22), (-34, 22)], palette.main)
    pen.ellipse(0, 22, 34, 9, palette.main)
    _lacing(pen, stage)
    pen.polygon([(-35, -10), (35, -10), (35, -4), (-35, -4)], palette.dark)
    pen.ellipse(0, -4, 35, 11, palette.dark)


def draw(canvas: Canvas, stage: Stage, seconds: float) -> None:
    """The head, brighter and dented by a stroke, and the sticks."""
    beat, pen, palette = stage.scene.beat(seconds), stage.pen(canvas), stage.palette
    hit = math.exp(-beat.since_seconds / 0.07) * beat.previous.strength
    side = -1.0 if beat.number % 2 else 1.0
    pen.ellipse(0, -10, 35, 11, palette.far(mix((226, 214, 190), WHITE, hit)))
    for grow in (0.3, 0.6):
        if hit > 0.15:
            wide = 33 * min(1.0, grow + 2.2 * beat.since_seconds)
            pen.ring(6 * side, -10, 0.8 * wide, 0.25 * wide, fade(palette.dark, hit), 1.2)
    raised = math.sin(math.pi * beat.fraction)
    other = max(0.0, math.cos(0.5 * math.pi * beat.fraction)) if beat.fraction < 1 else 0.0
    _stick(pen, side, 0.85 * raised**0.6 * 0.6)
    _stick(pen, -side, 0.9 * other)


def _stick(pen: Pen, side: float, lift: float) -> None:
    """A stick whose tip touches the skin at lift 0."""
    reach = pen.at(46 * side, -34, mirror=side < 0).at(0, 0, turn=0.9 * lift)
    reach.line([(8, -6), (-37, 22)], WOOD, 3.2)
    reach.disc(-38, 22.5, 3.4, mix(WOOD, WHITE, 0.35))
    reach.disc(8, -6, 4.6, (232, 186, 150))


def _lacing(pen: Pen, stage: Stage) -> None:
    """Zigzag cords or lugs, and the lower hoop."""
    palette, white = stage.palette, stage.palette.far(WHITE)
    if stage.style[0] < 0.5:
        points = [(-34 + 8.5 * i, -2.0 + (26.0 if i % 2 else 4.0)) for i in range(9)]
        pen.line(points, white, 1.8)
    else:
        for x in (-26, -9, 9, 26):
            pen.box(x - 1.6, 2, x + 1.6, 26, palette.far(STEEL))
            pen.disc(x, 14, 2.6, INK)
    pen.arc((0, -64), 95, (70, 110), palette.dark, 4.0)
