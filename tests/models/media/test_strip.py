import numpy as np
import pytest
from PIL import Image as PillowImage

from models.errors import MediaError
from models.media.engraving import (
    MARGIN_PIXELS,
    STAFF_SPACE_PIXELS,
    STRIP_WIDTH_PIXELS,
    engrave_strip,
)
from models.media.limits import MediaLimits
from tests.models.media.media_files import NOTATION_NAMES, SCALE, made, musicxml

LIMITS = MediaLimits()
DARK = 230


def _strip(n_bars: int, **options: int) -> np.ndarray:
    return engrave_strip(musicxml((SCALE * n_bars)[: 4 * n_bars]), LIMITS, **options)


def _staff_rows(strip: np.ndarray) -> np.ndarray:
    """Rows that are dark over most of the width: the staff lines."""
    return np.flatnonzero((strip < DARK).mean(axis=1) > 0.8)


@pytest.mark.parametrize("name", NOTATION_NAMES)
def test_every_format_gives_one_line_of_the_full_width(name):
    strip = engrave_strip(made(name), LIMITS)
    ink = np.flatnonzero((strip <= 250).any(axis=0))
    assert strip.shape[1] == STRIP_WIDTH_PIXELS
    assert (ink[0], ink[-1]) == (MARGIN_PIXELS, STRIP_WIDTH_PIXELS - MARGIN_PIXELS - 1)


@pytest.mark.parametrize("n_bars", [1, 4, 20, 40])
def test_few_bars_and_many_are_one_staff_from_margin_to_margin(n_bars):
    strip = _strip(n_bars)
    lines = _staff_rows(strip)
    starts = lines[np.diff(lines, prepend=-9) > 2]
    assert np.array_equal(np.diff(starts), [STAFF_SPACE_PIXELS] * 4)  # five lines, so one staff
    assert (strip[lines[0], MARGIN_PIXELS:-MARGIN_PIXELS] < 250).all()
    assert (strip[:, :MARGIN_PIXELS] == 255).all()
    assert (strip[:, -MARGIN_PIXELS:] == 255).all()


def test_height_is_the_same_whatever_the_number_of_bars():
    assert _strip(2).shape == _strip(20).shape  # squeezed in width only


def test_rows_are_cropped_to_the_ink():
    rows = np.flatnonzero((_strip(4) <= 250).any(axis=1))
    assert rows[0] == MARGIN_PIXELS
    assert rows[-1] == len(_strip(4)) - MARGIN_PIXELS - 1


def test_bars_too_many_for_the_room_are_squeezed_as_a_picture():
    """The same as a roomy strip that Pillow scales down: nothing is laid over anything."""
    inner = slice(MARGIN_PIXELS, -MARGIN_PIXELS)
    strip = _strip(20)[inner, inner]
    roomy = _strip(20, width_pixels=2_450)[inner, inner]
    scaled = PillowImage.fromarray(roomy).resize(strip.shape[::-1], PillowImage.Resampling.BOX)
    columns, expected = strip.mean(axis=0), np.asarray(scaled).mean(axis=0)
    assert np.corrcoef(columns, expected)[0, 1] > 0.9


def test_another_width():
    assert _strip(4, width_pixels=512).shape[1] == 512


def test_words_leave_no_trace():
    assert np.array_equal(
        engrave_strip(musicxml(words=True), LIMITS), engrave_strip(musicxml(words=False), LIMITS)
    )


def test_what_no_line_can_show_is_too_large():
    with pytest.raises(MediaError, match="few bars") as failure:
        _strip(120)
    assert failure.value.reason == "too_large"
