"""Which frames of a video pass a network."""

import math

import numpy as np

from models.types import UInt8Array, Video

FRAMES_PER_SECOND = 1.0
MAX_FRAMES = 32


def sampled_frames(video: Video) -> UInt8Array:
    """Return one frame a second, at most ``MAX_FRAMES``, shape (P, rows, columns, 3), P >= 1.

    Each is the frame in the middle of one of P equal parts.
    """
    wanted = math.ceil(video.duration_seconds * FRAMES_PER_SECOND)
    count = min(max(1, wanted), MAX_FRAMES, len(video.frames))
    places = (2 * np.arange(count) + 1) * len(video.frames) // (2 * count)
    return video.frames[places]
