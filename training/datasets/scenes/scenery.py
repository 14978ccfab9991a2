"""Backdrops that the kinds share: sky, hills, clouds, stars, walls, floors."""

import math

from training.datasets.scenes.canvas import HEIGHT, WIDTH, Canvas
from training.datasets.scenes.stage import WHITE, Stage, fade, mix


def outdoors(canvas: Canvas, stage: Stage, *, ground_y: float) -> None:
    """Sky with stars or clouds, far hills, and ground from ``ground_y`` down."""
    palette, scene = stage.palette, stage.scene
    canvas.gradient(palette.sky, palette.horizon)
    if scene.background < 0.42:
        stars(canvas, stage)
    else:
        clouds(canvas, stage)
    hills(canvas, stage, ground_y=ground_y)
    canvas.pen().box(0, ground_y, WIDTH, HEIGHT, palette.ground)
    tufts(canvas, stage, ground_y=ground_y)


def indoors(canvas: Canvas, stage: Stage, *, floor_y: float) -> None:
    """A papered wall and a floor or table from ``floor_y`` down."""
    palette, pen = stage.palette, canvas.pen()
    canvas.gradient(palette.sky, palette.horizon)
    figure = mix(palette.sky, WHITE, 0.13)
    step = 7.0 + 9.0 * stage.style[6]
    if stage.style[5] < 0.5:
        for number in range(int(WIDTH / step) + 1):
            pen.box(number * step, 0, number * step + step * 0.45, floor_y, figure)
    else:
        for row in range(int(floor_y / step) + 1):
            for column in range(int(WIDTH / step) + 2):
                pen.disc((column - 0.5 * (row % 2)) * step, row * step, 1.4, figure)
    pen.box(0, floor_y, WIDTH, HEIGHT, palette.ground)
    pen.box(0, floor_y, WIDTH, floor_y + 2.0, palette.ground_dark)


def stars(canvas: Canvas, stage: Stage) -> None:
    """Small lights over the upper two thirds of the sky."""
    pen = canvas.pen()
    places = stage.scene.generator("stars").random((26, 3)).tolist()
    for x, y, size in places:
        pen.disc(x * WIDTH, y * 80.0, 0.35 + 0.5 * size, mix(stage.palette.sky, WHITE, 0.75))


def clouds(canvas: Canvas, stage: Stage) -> None:
    """Two to four flat clouds."""
    places = stage.scene.generator("clouds").random((4, 3)).tolist()
    colour = mix(stage.palette.sky, WHITE, 0.55)
    for x, y, size in places[: 2 + int(3 * stage.style[4])]:
        cloud_pen = canvas.pen(x * WIDTH, 8.0 + 34.0 * y, 0.6 + 0.6 * size)
        for left, up, radius in ((-9, 1, 5), (0, -2, 7), (9, 1, 5)):
            cloud_pen.ellipse(left, up, radius * 1.3, radius * 0.8, colour)


def hills(canvas: Canvas, stage: Stage, *, ground_y: float) -> None:
    """Two rows of far hills whose outline belongs to the scene."""
    palette, pen = stage.palette, canvas.pen()
    for row, share in enumerate((0.35, 0.65)):
        phase = 6.3 * stage.style[row + 2]
        outline = [
            (x, ground_y - (12.0 - 6.0 * row) - 5.0 * math.sin(x * (0.035 + 0.02 * row) + phase))
            for x in range(0, WIDTH + 1, 8)
        ]
        colour = mix(palette.horizon, palette.ground, share)
        pen.polygon([(0, ground_y), *outline, (WIDTH, ground_y)], colour)


def tufts(canvas: Canvas, stage: Stage, *, ground_y: float) -> None:
    """Short marks that give the ground a texture."""
    pen = canvas.pen()
    depth = HEIGHT - ground_y
    for x, y, size in stage.scene.generator("tufts").random((14, 3)).tolist():
        left, top = x * WIDTH, ground_y + 2.0 + y * (depth - 3.0)
        pen.box(left, top, left + 3.0 + 6.0 * size, top + 1.0, stage.palette.ground_dark)


def shadow(canvas: Canvas, x: float, y: float, radius: float) -> None:
    """A flat shadow on the ground."""
    canvas.pen().ellipse(x, y, radius, radius * 0.22, fade((10, 10, 20), 0.28))
