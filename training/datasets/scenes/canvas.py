"""A supersampled sheet of 160 x 120 units and a pen that can move, grow, turn and mirror."""

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from models.types import UInt8Array

Colour = tuple[int, int, int] | tuple[int, int, int, int]  # the fourth number is opacity, 0..255
Points = Sequence[tuple[float, float]]

WIDTH, HEIGHT = 160, 120

_SUPERSAMPLING = 2
_CIRCLE = [(math.cos(a), math.sin(a)) for a in np.linspace(0.0, 2.0 * math.pi, 29)[:-1].tolist()]


class Canvas:
    """The sheet. x runs 0..160 to the right, y 0..120 down, whatever the size in pixels."""

    def __init__(self, image: Image.Image, pixels_per_unit: float) -> None:
        self.image = image
        self.pixels_per_unit = pixels_per_unit
        self.opaque = ImageDraw.Draw(image)
        self.blending = ImageDraw.Draw(image, "RGBA")

    @classmethod
    def blank(cls, rows: int) -> "Canvas":
        """Return a black sheet for pictures of ``rows`` x ``rows`` * 4 / 3 pixels."""
        unit = rows * _SUPERSAMPLING / HEIGHT
        return cls(Image.new("RGB", (round(WIDTH * unit), round(HEIGHT * unit))), unit)

    def copy(self) -> "Canvas":
        """Return an independent sheet with the same picture."""
        return Canvas(self.image.copy(), self.pixels_per_unit)

    def pen(self, x: float = 0.0, y: float = 0.0, scale: float = 1.0) -> "Pen":
        """Return a pen whose origin is at (x, y) and whose unit is ``scale`` units."""
        return Pen(self, (0.0, 0.0), (1.0, 0.0, 0.0, 1.0)).at(x, y, scale)

    def gradient(self, top: Colour, bottom: Colour) -> None:
        """Fill the sheet with a vertical blend of two opaque colours."""
        share = np.linspace(0.0, 1.0, self.image.height)[:, None]
        column = np.asarray(top[:3]) * (1.0 - share) + np.asarray(bottom[:3]) * share
        strip = Image.fromarray(np.rint(column)[:, None, :].astype(np.uint8))
        self.image.paste(strip.resize(self.image.size))

    def pixels(self) -> UInt8Array:
        """Return the picture averaged down to its final size, shape (rows, columns, 3)."""
        return np.asarray(self.image.reduce(_SUPERSAMPLING))


class Pen:
    """Draws on a canvas in its own coordinates."""

    def __init__(
        self,
        canvas: Canvas,
        origin: tuple[float, float],
        matrix: tuple[float, float, float, float],
    ) -> None:
        self._canvas = canvas
        self._origin = origin
        self._matrix = matrix
        self._size = math.hypot(matrix[0], matrix[2]) * canvas.pixels_per_unit
        self._upright = matrix[1] == matrix[2] == 0.0

    def at(
        self, x: float, y: float, scale: float = 1.0, *, turn: float = 0.0, mirror: bool = False
    ) -> "Pen":
        """Return a pen at (x, y), ``scale`` as large, turned clockwise by ``turn`` radians."""
        a, b, c, d = self._matrix
        cosine, sine = scale * math.cos(turn), scale * math.sin(turn)
        p, q, r, s = (-cosine if mirror else cosine), -sine, (-sine if mirror else sine), cosine
        matrix = (a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s)
        origin = (self._origin[0] + a * x + b * y, self._origin[1] + c * x + d * y)
        return Pen(self._canvas, origin, matrix)

    def ellipse(self, x: float, y: float, rx: float, ry: float, fill: Colour) -> None:
        """Fill an ellipse with centre (x, y) and half axes rx, ry."""
        if not self._upright:
            self.polygon([(x + rx * u, y + ry * v) for u, v in _CIRCLE], fill)
            return
        (x0, y0), (x1, y1) = self._pixels([(x - rx, y - ry), (x + rx, y + ry)])
        corners = (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
        self._draw(fill).ellipse(corners, fill=fill)

    def disc(self, x: float, y: float, radius: float, fill: Colour) -> None:
        """Fill a circle."""
        self.ellipse(x, y, radius, radius, fill)

    def polygon(self, points: Points, fill: Colour) -> None:
        """Fill a polygon."""
        self._draw(fill).polygon(self._pixels(points), fill=fill)

    def box(
        self, x0: float, y0: float, x1: float, y1: float, fill: Colour, *, radius: float = 0.0
    ) -> None:
        """Fill a rectangle; its corners are rounded while the pen is upright."""
        if not self._upright:
            self.polygon([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], fill)
            return
        (u0, v0), (u1, v1) = self._pixels([(x0, y0), (x1, y1)])
        corners = (min(u0, u1), min(v0, v1), max(u0, u1), max(v0, v1))
        self._draw(fill).rounded_rectangle(corners, radius * self._size, fill=fill)

    def line(self, points: Points, fill: Colour, width: float) -> None:
        """Draw a line through points with round joints and ends."""
        pixels = self._pixels(points)
        thickness = max(1, round(width * self._size))
        draw = self._draw(fill)
        draw.line(pixels, fill=fill, width=thickness, joint="curve" if len(pixels) > 2 else None)
        if thickness > 2 and len(fill) == 3:  # a see-through end would show twice
            radius = thickness / 2.0
            for x, y in (pixels[0], pixels[-1]):
                draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill)

    def arc(
        self, centre: tuple[float, float], radius: float, degrees: tuple[float, float],
        fill: Colour, width: float,
    ) -> None:  # fmt: skip
        """Draw a part of a circle; degrees run clockwise from the right."""
        steps = max(5, int(abs(degrees[1] - degrees[0]) / 12.0))
        angles = np.linspace(math.radians(degrees[0]), math.radians(degrees[1]), steps).tolist()
        x, y = centre
        self.line(
            [(x + radius * math.cos(a), y + radius * math.sin(a)) for a in angles], fill, width
        )

    def ring(self, x: float, y: float, rx: float, ry: float, fill: Colour, width: float) -> None:
        """Draw the outline of an ellipse."""
        points = [(x + rx * u, y + ry * v) for u, v in _CIRCLE]
        self.line([*points, points[0], points[1]], fill, width)

    def _draw(self, fill: Colour) -> ImageDraw.ImageDraw:
        return self._canvas.blending if len(fill) == 4 else self._canvas.opaque

    def _pixels(self, points: Points) -> list[tuple[float, float]]:
        a, b, c, d = self._matrix
        (left, top), unit = self._origin, self._canvas.pixels_per_unit
        return [((left + a * x + b * y) * unit, (top + c * x + d * y) * unit) for x, y in points]
