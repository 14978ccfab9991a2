"""Which frames of a video pass a network."""

import numpy as np
import pytest

from models.features.sampled_frames import sampled_frames
from models.types import Video


@pytest.mark.parametrize(
    ("count", "rate", "expected"),
    [
        (1, 8.0, [0]),
        (16, 8.0, [4, 12]),  # two seconds: the middle of each
        (5, 30.0, [2]),  # a sixth of a second
        (3, 0.5, [0, 1, 2]),  # six seconds, but only three frames
        (20, 8.0, [3, 10, 16]),  # two and a half seconds: three parts
    ],
)
def test_a_frame_a_second_from_the_middle_of_its_part(count, rate, expected):
    frames = np.arange(count, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 2, 3), np.uint8)
    assert sampled_frames(Video(frames, rate))[:, 0, 0, 0].tolist() == expected


def test_a_long_video_gives_32_frames_over_its_whole_length():
    frames = np.zeros((6400, 1, 1, 3), dtype=np.uint8)
    frames[:, 0, 0, 0], frames[:, 0, 0, 1] = np.arange(6400) // 200, np.arange(6400) % 200
    found = sampled_frames(Video(frames, 1.0))[:, 0, 0]
    assert found[:, 0].tolist() == list(range(32))
    assert set(found[:, 1].tolist()) == {100}
