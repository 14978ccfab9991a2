"""Sheet music drawn with Pillow: an oracle that knows where it put every note."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageDraw

from models.types import UInt8Array

FULL, HALF, WHOLE = 0, 1, 2
_FINER = 4


@dataclass(frozen=True)
class DrawnStaff:
    """One staff. Places are staff spaces from its left end.

    Attributes:
        heads: (place, position in half spaces above the lowest line, kind).
        bars: Places of bar lines.
        width: In staff spaces.
        top: Row of the upper line, in staff spaces from the top of the page.
        accidentals: (place, position, "flat" or "sharp").
        beams: (first place, last place, position) of thick strokes.
    """

    heads: Sequence[tuple[float, int, int]] = ()
    bars: Sequence[float] = ()
    width: float = 60.0
    top: float = 9.0
    accidentals: Sequence[tuple[float, int, str]] = field(default=())
    beams: Sequence[tuple[float, float, float]] = field(default=())


def tune(positions: Sequence[int], *, kind: int = FULL, room: float = 4.0) -> DrawnStaff:
    """A staff with evenly spaced heads of one kind and a bar line at its end."""
    heads = [(6.0 + room * i, position, kind) for i, position in enumerate(positions)]
    width = 8.0 + room * len(positions)
    return DrawnStaff(heads=heads, bars=[width - 0.1], width=width)


def draw(
    staves: Sequence[DrawnStaff],
    *,
    space: float = 10.0,
    left: float = 3.0,
    joined: bool = False,
    line_share: float = 0.1,
) -> UInt8Array:
    """Draw a page with lines ``space`` pixels apart, ``line_share`` of that thick."""
    scale = space * _FINER
    rows = max(staff.top for staff in staves) + 13.0
    columns = max(staff.width for staff in staves) + 2.0 * left
    page = Image.new("L", (round(columns * scale), round(rows * scale)), 255)
    pen = ImageDraw.Draw(page)
    thick = max(1, round(line_share * scale))
    for staff in staves:
        _lines(pen, staff, left, scale, thick)
        for place, position, kind in staff.heads:
            _head(pen, left + place, staff.top + 4.0 - position / 2.0, kind, scale, thick)
            _ledgers(pen, left + place, staff.top, position, scale, thick)
        for place in staff.bars:
            _stroke(pen, left + place, staff.top, staff.top + 4.0, scale, 1.5 * thick)
        for place, position, name in staff.accidentals:
            _accidental(pen, left + place, staff.top + 4.0 - position / 2.0, name, scale, thick)
        for first, last, height in staff.beams:
            row = (staff.top + 4.0 - height / 2.0) * scale
            box = ((left + first) * scale, row, (left + last) * scale, row + 0.5 * scale)
            pen.rectangle(box, fill=0)
    if joined:
        _stroke(pen, left, staves[0].top, staves[-1].top + 4.0, scale, 1.5 * thick)
    size = (round(columns * space), round(rows * space))
    return np.array(page.resize(size, Image.Resampling.BOX))


def _lines(
    pen: ImageDraw.ImageDraw, staff: DrawnStaff, left: float, scale: float, thick: int
) -> None:
    for line in range(5):
        row = (staff.top + line) * scale
        box = (left * scale, row - thick / 2, (left + staff.width) * scale, row + thick / 2 - 1)
        pen.rectangle(box, fill=0)


def _stroke(
    pen: ImageDraw.ImageDraw, place: float, top: float, bottom: float, scale: float, thick: float
) -> None:
    x = place * scale
    pen.rectangle((x - thick / 2, top * scale, x + thick / 2 - 1, bottom * scale), fill=0)


def _ellipse(
    centre: tuple[float, float], half: tuple[float, float], degrees: float, scale: float
) -> list[tuple[float, float]]:
    turn = math.radians(degrees)
    points: list[tuple[float, float]] = []
    for step in range(48):
        angle = 2.0 * math.pi * step / 48
        along, across = half[0] * math.cos(angle), half[1] * math.sin(angle)
        x = along * math.cos(turn) + across * math.sin(turn)
        y = -along * math.sin(turn) + across * math.cos(turn)
        points.append(((centre[0] + x) * scale, (centre[1] + y) * scale))
    return points


def _head(
    pen: ImageDraw.ImageDraw, x: float, y: float, kind: int, scale: float, thick: int
) -> None:
    if kind == WHOLE:
        pen.polygon(_ellipse((x, y), (0.84, 0.5), 0.0, scale), fill=0)
        pen.polygon(_ellipse((x, y), (0.4, 0.3), -55.0, scale), fill=255)
        return
    pen.polygon(_ellipse((x, y), (0.64, 0.47), 22.0, scale), fill=0)
    if kind == HALF:
        pen.polygon(_ellipse((x, y), (0.52, 0.24), 32.0, scale), fill=255)
    _stroke(pen, x + 0.58, y - 3.2, y - 0.15, scale, thick)


def _ledgers(
    pen: ImageDraw.ImageDraw, x: float, top: float, position: int, scale: float, thick: int
) -> None:
    for at in [*range(-2, position - 1, -2), *range(10, position + 1, 2)]:
        row = (top + 4.0 - at / 2.0) * scale
        box = ((x - 1.0) * scale, row - thick / 2, (x + 1.0) * scale, row + thick / 2 - 1)
        pen.rectangle(box, fill=0)


def _accidental(
    pen: ImageDraw.ImageDraw, x: float, y: float, name: str, scale: float, thick: int
) -> None:
    if name == "flat":
        _stroke(pen, x - 0.4, y - 1.7, y + 0.5, scale, thick)
        pen.polygon(_ellipse((x, y), (0.5, 0.45), 30.0, scale), fill=0)
        pen.polygon(_ellipse((x, y), (0.32, 0.26), 30.0, scale), fill=255)
        return
    for side in (-0.2, 0.2):
        _stroke(pen, x + side, y - 1.35, y + 1.35, scale, thick)
        row = (y + 2.0 * side) * scale
        box = ((x - 0.5) * scale, row - 0.12 * scale, (x + 0.5) * scale, row + 0.12 * scale)
        pen.rectangle(box, fill=0)
