"""A typewriter: a key goes down, a letter appears, the carriage steps."""

from models.types import Float64Array
from training.datasets.scenes.canvas import Canvas, Pen
from training.datasets.scenes.scene import SceneParameters
from training.datasets.scenes.scenery import indoors, shadow
from training.datasets.scenes.stage import INK, STEEL, WHITE, Stage, mix
from training.datasets.scenes.synthesis import decay, lay, noise, per_event, struck

TEMPO_HZ = (1.6, 3.6)
PITCH_HZ = (1_100.0, 2_600.0)
JITTER = 0.45
STILL_SECONDS = 0.06

_PARTIALS = ((0.37, 0.5), (1.0, 1.0), (1.47, 0.6), (2.09, 0.4), (3.1, 0.2))
_KEYS = 8
_LINE = 10  # letters before the carriage returns
_DOWN_SECONDS = 0.14


def sound(scene: SceneParameters) -> Float64Array:
    """A clack with two parts: the type bar strikes, the key comes back."""
    generator = scene.generator("clack")

    def clack(number: int) -> Float64Array:
        pitch_hz = scene.pitch_hz * (0.94 + 0.016 * scene.events[number].note)
        strike = noise(generator, 0.16, 600.0, 5_500.0) * decay(0.16, 0.014)
        lay(strike, 0.0, struck(pitch_hz, _PARTIALS, 0.012), 0.9)
        back = noise(generator, 0.03, 1_500.0, 6_000.0) * decay(0.03, 0.004)
        lay(strike, 0.09, back, 0.5)
        return strike

    return per_event(scene, clack)


def draw_scenery(canvas: Canvas, stage: Stage) -> None:
    """A desk before a wall, and the body of the machine."""
    indoors(canvas, stage, floor_y=84.0)
    shadow(canvas, stage.x, stage.y + 44 * stage.scale, 52 * stage.scale)


def draw(canvas: Canvas, stage: Stage, seconds: float) -> None:
    """Carriage with paper, body, type bar, keys."""
    beat, pen = stage.scene.beat(seconds), stage.pen(canvas)
    down = beat.since_seconds < _DOWN_SECONDS
    step = min(beat.since_seconds / 0.06, 1.0)
    column = beat.number % _LINE
    shift = 18.0 - 36.0 * (column + step) / _LINE
    _carriage(pen.at(shift, -12), stage, beat.number)
    _body(pen, stage)
    if down:
        pen.line([(0, 4), (0, -13)], stage.palette.far(STEEL), 2.4)
        pen.disc(0, -14, 3.0, INK)
    _keys(pen, stage, beat.previous.note if down else None)


def _carriage(pen: Pen, stage: Stage, letters: int) -> None:
    """Roller and a sheet with the letters typed so far."""
    palette = stage.palette
    sheet = palette.far(WHITE)
    lines, column = divmod(letters + 1, _LINE)
    top = -44.0
    pen.box(-25, top, 25, 0, sheet)
    words = stage.scene.generator("words").random((8, _LINE)) < 0.8
    for row in range(min(lines + 4, 7)):
        y = -6.0 - 5.5 * row
        count = column if row == 0 else _LINE
        for place in range(count):
            if words[row, place]:
                x = -20.0 + 4.0 * place
                pen.box(x, y, x + 2.9, y + 2.2, INK)
    pen.box(-42, -4, 42, 5, palette.far(mix(INK, STEEL, 0.25)), radius=3)
    for x in (-45, 45):
        pen.box(x - 4, -3, x + 4, 4, palette.far(INK), radius=1.5)


def _body(pen: Pen, stage: Stage) -> None:
    """Housing: angular or round by style."""
    palette = stage.palette
    if stage.style[0] < 0.5:
        pen.polygon([(-34, -8), (34, -8), (42, 14), (50, 42), (-50, 42), (-42, 14)], palette.main)
    else:
        pen.box(-40, -8, 40, 20, palette.main, radius=8)
        pen.polygon([(-42, 12), (42, 12), (50, 42), (-50, 42)], palette.main)
    pen.polygon([(-44, 16), (44, 16), (50, 42), (-50, 42)], palette.dark)
    pen.ellipse(0, 3, 20, 7, palette.far(INK))
    pen.box(-32, 4, -22, 9, palette.light, radius=1)
    pen.box(-50, 41, 50, 45, palette.far(INK), radius=2)


def _keys(pen: Pen, stage: Stage, pressed: int | None) -> None:
    """Three rows of round keys; the pressed one is lower and bright."""
    cap, bright = stage.palette.far(WHITE), (255, 214, 84)
    for row in range(3):
        y, wide = 21.0 + 7.5 * row, 9.6 + 0.8 * row
        for place in range(_KEYS + 1):
            x = (place - _KEYS / 2) * wide
            hit = pressed is not None and place == pressed and row == pressed % 3
            low = 2.0 if hit else 0.0
            pen.disc(x, y + 1.4, 3.5, INK)
            pen.disc(x, y + low, 3.6 if hit else 3.2, bright if hit else cap)
