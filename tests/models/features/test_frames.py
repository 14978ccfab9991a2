"""Rows of frames."""

import numpy as np

from models.features.colour import HISTOGRAM_SIZE, colour_histogram
from models.features.figure_ground import figure_and_ground
from models.features.frames import FRAME_NUMBERS, FRAME_SIZE, frame_rows, small_frames
from models.features.pixels import opponent_colours, squared


def frames(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 30, 40, 3), dtype=np.uint8)


def test_small_frames_are_the_squared_frames():
    video = frames(3)
    small = small_frames(video)
    assert small.shape == (3, FRAME_SIZE, FRAME_SIZE, 3)
    np.testing.assert_array_equal(small[1], opponent_colours(squared(video[1], FRAME_SIZE)))


def test_row_ends_with_colours_and_figure():
    small = small_frames(frames(2))
    rows = frame_rows(small)
    assert rows.shape == (2, FRAME_NUMBERS)
    np.testing.assert_array_equal(rows[:, -13:], figure_and_ground(small))
    np.testing.assert_array_equal(rows[:, -13 - HISTOGRAM_SIZE : -13], colour_histogram(small))


def test_a_frame_alone_has_the_row_it_has_in_the_video():
    small = small_frames(frames(4))
    np.testing.assert_array_equal(frame_rows(small)[2:3], frame_rows(small[2:3]))
