"""Where the thing stands and which colours the scene has, worked out once per scene."""

import colorsys
from dataclasses import dataclass

import numpy as np

from training.datasets.scenes.canvas import Canvas, Colour, Pen
from training.datasets.scenes.scene import SceneParameters

Rgb = tuple[int, int, int]

WHITE: Rgb = (250, 248, 242)
INK: Rgb = (38, 36, 48)
STEEL: Rgb = (150, 156, 168)
WOOD: Rgb = (146, 98, 62)

_SKIES: tuple[tuple[float, Rgb], ...] = (  # ever lighter, so that light tells where on the scale
    (0.00, (20, 28, 58)),
    (0.25, (38, 74, 104)),
    (0.50, (108, 110, 150)),
    (0.75, (218, 176, 156)),
    (1.00, (214, 236, 246)),
)
_HUE_SPAN = 0.84  # red to magenta without closing the circle: both ends stay apart


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours of a scene.

    Attributes:
        main: The thing itself, from the hue.
        dark: Its shaded side.
        light: Its lit side.
        sky: Sky or wall, from the background.
        horizon: The sky lower down.
        ground: Ground, floor or table.
        ground_dark: Shadows and lines on it.
        haze: Share of the sky in far things, in [0, 1].
    """

    main: Rgb
    dark: Rgb
    light: Rgb
    sky: Rgb
    horizon: Rgb
    ground: Rgb
    ground_dark: Rgb
    haze: float

    def far(self, colour: Rgb) -> Rgb:
        """Wash a colour out as distance does."""
        return mix(colour, self.sky, self.haze)


@dataclass(frozen=True, slots=True)
class Stage:
    """A scene with what its picture needs in every frame.

    Attributes:
        scene: The numbers.
        palette: The colours.
        x: Centre of the thing, in canvas units from the left.
        y: Centre of the thing, in canvas units from the top.
        scale: Size of the thing, 1 = drawn about 60 units high.
        style: Eight numbers in [0, 1) that vary the look and are not heard.
    """

    scene: SceneParameters
    palette: Palette
    x: float
    y: float
    scale: float
    style: tuple[float, ...]

    def pen(self, canvas: Canvas, *, mirror: bool = False) -> Pen:
        """Return a pen at the thing's place and size."""
        return canvas.pen(self.x, self.y).at(0.0, 0.0, self.scale, mirror=mirror)


def mix(first: Rgb, second: Rgb, share: float) -> Rgb:
    """Blend two colours; ``share`` of the second, in [0, 1]."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def fade(colour: Rgb, opacity: float) -> Colour:
    """Make a colour see-through; opacity in [0, 1]."""
    return (*colour, round(255 * min(max(opacity, 0.0), 1.0)))


def hsv(hue: float, saturation: float, value: float) -> Rgb:
    """Colour from hue (one turn = 1), saturation and value."""
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, saturation, value)
    return round(255 * red), round(255 * green), round(255 * blue)


def sky_colour(background: float) -> Rgb:
    """Colour of sky or wall for a background in [0, 1]."""
    places = [place for place, _ in _SKIES]
    red, green, blue = (
        round(float(np.interp(background, places, channel)))
        for channel in zip(*(colour for _, colour in _SKIES), strict=True)
    )
    return red, green, blue


def set_stage(scene: SceneParameters) -> Stage:
    """Work out colours, place and size of a scene."""
    style = tuple(scene.generator("style").random(8).tolist())
    nearness = 1.0 - 0.32 * scene.distance
    return Stage(
        scene=scene,
        palette=_palette(scene, style[7]),
        x=52.0 + 56.0 * scene.place_x,
        y=58.0 + 10.0 * scene.place_y,
        scale=nearness * (0.66 + 0.54 * scene.size),
        style=style,
    )


def _palette(scene: SceneParameters, ground_style: float) -> Palette:
    """Derive all colours from hue, background and distance."""
    turn = _HUE_SPAN * scene.hue
    sky = sky_colour(scene.background)
    haze = 0.42 * scene.distance
    soil = hsv(0.09 + 0.3 * ground_style, 0.32, 0.30 + 0.5 * scene.background)
    return Palette(
        main=mix(hsv(turn, 0.74, 0.92), sky, haze),
        dark=mix(hsv(turn, 0.78, 0.60), sky, haze),
        light=mix(hsv(turn, 0.42, 1.00), sky, haze),
        sky=sky,
        horizon=mix(sky, WHITE, 0.22),
        ground=mix(soil, sky, 0.35),
        ground_dark=mix(mix(soil, sky, 0.35), INK, 0.3),
        haze=haze,
    )
