import cmath

import numpy as np
import pytest

from training.datasets.scenes.canvas import Canvas

RED, BLUE = (255, 0, 0), (0, 0, 255)


def drawn(paint, rows=120):
    canvas = Canvas.blank(rows)
    paint(canvas.pen())
    return canvas.pixels()


def centre(pixels):
    """Mean (x, y) of the red pixels, in units."""
    ys, xs = np.nonzero(pixels[..., 0] > 127)
    unit = pixels.shape[0] / 120
    return (xs.mean() + 0.5) / unit, (ys.mean() + 0.5) / unit


@pytest.mark.parametrize("rows", [60, 120, 240])
def test_a_sheet_has_the_asked_size_and_the_shape_of_a_screen(rows):
    assert Canvas.blank(rows).pixels().shape == (rows, rows * 4 // 3, 3)


@pytest.mark.parametrize("rows", [60, 120, 240])
def test_units_do_not_depend_on_the_size(rows):
    pixels = drawn(lambda pen: pen.disc(100, 30, 12, RED), rows)
    assert centre(pixels) == pytest.approx((100, 30), abs=1.0)
    area = (pixels[..., 0] > 127).sum() / (rows / 120) ** 2
    assert area == pytest.approx(np.pi * 144, rel=0.15)


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("turn", [0.0, 0.7, -2.0])
def test_pens_move_turn_and_mirror_like_complex_numbers(turn, mirror):
    pixels = drawn(
        lambda pen: pen.at(70, 60, 2.0, turn=turn, mirror=mirror).at(6, 3, 0.5).disc(10, -4, 5, RED)
    )
    place = complex(6 + 0.5 * 10, 3 - 0.5 * 4)
    if mirror:
        place = complex(-place.real, place.imag)
    expected = complex(70, 60) + 2.0 * place * cmath.exp(1j * turn)
    assert centre(pixels) == pytest.approx((expected.real, expected.imag), abs=0.8)


@pytest.mark.parametrize("turn", [0.0, 0.5])
def test_shapes_keep_their_area_when_turned(turn):
    def area(paint):
        return (drawn(lambda pen: paint(pen.at(80, 60, turn=turn)))[..., 0] > 127).sum()

    assert area(lambda pen: pen.box(-20, -10, 20, 10, RED)) == pytest.approx(800, rel=0.08)
    assert area(lambda pen: pen.ellipse(0, 0, 20, 10, RED)) == pytest.approx(200 * np.pi, rel=0.08)
    assert area(lambda pen: pen.line([(-20, 0), (20, 0)], RED, 6)) == pytest.approx(268, rel=0.2)


def test_a_ring_is_empty_inside():
    pixels = drawn(lambda pen: pen.ring(80, 60, 30, 20, RED, 2))
    assert pixels[60, 80, 0] == 0
    assert pixels[60, 110, 0] > 127
    assert pixels[40, 80, 0] > 127


def test_an_arc_covers_its_angles_only():
    pixels = drawn(lambda pen: pen.arc((80, 60), 30, (0, 90), RED, 3))
    assert pixels[60 + 21, 80 + 21, 0] > 127
    assert pixels[60 - 21, 80 - 21, 0] == 0


def test_a_see_through_colour_blends():
    pixels = drawn(
        lambda pen: (pen.box(0, 0, 160, 120, BLUE), pen.disc(80, 60, 20, (255, 0, 0, 64)))
    )
    assert pixels[60, 80] == pytest.approx([64, 0, 191], abs=2)
    assert pixels[5, 5].tolist() == list(BLUE)


def test_rounded_corners_are_cut():
    pixels = drawn(lambda pen: pen.box(40, 30, 120, 90, RED, radius=15))
    assert pixels[31, 41, 0] == 0
    assert pixels[31, 80, 0] == 255


def test_a_gradient_runs_from_top_to_bottom():
    canvas = Canvas.blank(120)
    canvas.gradient((0, 0, 0), (200, 100, 50))
    pixels = canvas.pixels().astype(int)
    assert pixels[0, 7] == pytest.approx([0, 0, 0], abs=2)
    assert pixels[-1, 150] == pytest.approx([200, 100, 50], abs=2)
    assert np.all(np.diff(pixels[:, 0, 0]) >= 0)


def test_a_copy_is_independent():
    canvas = Canvas.blank(120)
    canvas.copy().pen().disc(80, 60, 30, RED)
    assert canvas.pixels().max() == 0
