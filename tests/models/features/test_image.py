"""The image extractor: what its rows keep, and what they ignore."""

import numpy as np
import pytest
from PIL import Image as PillowImage

from models.features.image import GradientColour
from models.types import Image

EXTRACTOR = GradientColour()
PLACES = EXTRACTOR.layout.slices()

GOLDEN = {
    884: 0.504401,
    74: 0.0902727,
    156: 0.0954135,
    236: 0.066066,
    320: 0.0789962,
    402: 0.0675386,
    482: 0.181901,
    563: 0.237255,
    641: 0.138551,
    723: 0.259463,
    800: 0.661036,
    882: 1.14168,
}  # place in the row -> value


def disc(*, rows: int = 96, columns: int = 96, x: float = 0.35, red: int = 220) -> Image:
    """A disc on a darker, shaded ground."""
    down, right = np.mgrid[:rows, :columns]
    inside = (down / rows - 0.5) ** 2 + (right / columns - x) ** 2 < 0.04
    pixels = np.zeros((rows, columns, 3), dtype=np.uint8)
    pixels[..., 2] = 40 + 60 * down // rows
    pixels[inside] = (red, 160, 30)
    return Image(pixels)


def similarity(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.corrcoef(first, second)[0, 1])


def test_row_is_the_golden_one():
    row = EXTRACTOR.pooled(disc())
    np.testing.assert_allclose(row[list(GOLDEN)], list(GOLDEN.values()), rtol=1e-4)


def test_size_of_the_picture_hardly_matters():
    small, large = (
        EXTRACTOR.pooled(disc(rows=64, columns=64)),
        EXTRACTOR.pooled(disc(rows=400, columns=400)),
    )
    assert similarity(small, large) > 0.97


def test_proportions_are_the_last_number():
    assert EXTRACTOR.pooled(disc(rows=50, columns=100))[-1] == pytest.approx(np.log(0.5))


def test_colour_changes_the_histogram_and_not_the_edges():
    orange, green = EXTRACTOR.pooled(disc()), EXTRACTOR.pooled(disc(red=10))
    edges, colours = PLACES["fine gradients"], PLACES["colour histogram"]
    assert similarity(orange[edges], green[edges]) > 0.9
    assert similarity(orange[colours], green[colours]) < 0.9


def test_place_of_the_figure_follows_the_disc():
    place = PLACES["figure and ground"].start + 8  # centre, to the right
    left, right = EXTRACTOR.pooled(disc(x=0.3))[place], EXTRACTOR.pooled(disc(x=0.7))[place]
    assert right - left > 0.25
    assert (left + right) / 2 == pytest.approx(0.5, abs=0.01)


def test_a_mirrored_picture_has_another_row():
    picture = disc(x=0.3)
    mirrored = Image(np.ascontiguousarray(picture.pixels[:, ::-1]))
    assert similarity(EXTRACTOR.pooled(picture), EXTRACTOR.pooled(mirrored)) < 0.9


def test_cells_come_in_reading_order_with_their_mean_colour():
    picture = disc(rows=64, columns=64)
    sequence = EXTRACTOR.sequence(picture)
    luma = np.asarray(PillowImage.fromarray(picture.pixels).convert("L"), dtype=float) / 255
    means = luma.reshape(8, 8, 8, 8).mean(axis=(1, 3))
    assert sequence.shape == (64, 15)
    np.testing.assert_allclose(sequence[:, 9].reshape(8, 8), means, atol=0.01)
