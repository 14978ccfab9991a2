"""Every frame of a video as one compact row."""

import numpy as np

from models.features.colour import HISTOGRAM_SIZE, colour_histogram
from models.features.figure_ground import FIGURE_NUMBERS, figure_and_ground
from models.features.gradients import block_normalised, orientation_histograms
from models.features.pixels import cell_means, opponent_colours, squared
from models.types import Float64Array, UInt8Array

FRAME_SIZE = 32
_CELLS, _ORIENTATIONS = 4, 8
_GRADIENT_FLOOR = 0.25
FRAME_NUMBERS = _CELLS**2 * (_ORIENTATIONS + 3) + HISTOGRAM_SIZE + FIGURE_NUMBERS


def small_frames(frames: UInt8Array) -> Float64Array:
    """Return the opponent colours of frames stretched to 32 x 32, shape (T, 32, 32, 3).

    Args:
        frames: sRGB values 0..255, shape (T, rows, columns, 3).
    """
    return opponent_colours(np.stack([squared(frame, FRAME_SIZE) for frame in frames]))


def frame_rows(colours: Float64Array) -> Float64Array:
    """Return gradients, colour layout, colour histogram and figure of frames, shape (T, 233).

    Args:
        colours: Output of `small_frames`, shape (T, 32, 32, 3).
    """
    histograms = orientation_histograms(colours[..., 0], cells=_CELLS, orientations=_ORIENTATIONS)
    parts = [
        block_normalised(histograms, floor=_GRADIENT_FLOOR),
        cell_means(colours, _CELLS),
        colour_histogram(colours),
        figure_and_ground(colours),
    ]
    return np.concatenate([part.reshape(len(colours), -1) for part in parts], axis=1)
