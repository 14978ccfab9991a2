"""Pictures of any size on one small square grid."""

import numpy as np
from PIL import Image as PillowImage

from models.types import Float64Array, UInt8Array

LUMA = (0.299, 0.587, 0.114)


def squared(pixels: UInt8Array, size: int) -> Float64Array:
    """Return a picture stretched to a square, values in [0, 1], shape (size, size, 3).

    The filter is Pillow's bilinear one, which averages all pixels under its triangle when it makes
    a picture smaller.

    Args:
        pixels: sRGB values 0..255, shape (rows, columns, 3).
        size: Rows and columns of the result.
    """
    picture = PillowImage.fromarray(pixels)
    small = picture.resize((size, size), PillowImage.Resampling.BILINEAR)
    return np.asarray(small, dtype=np.float64) / 255.0


def opponent_colours(rgb: Float64Array) -> Float64Array:
    """Return luma [0, 1], blue minus yellow and red minus green in [-1, 1], shape (..., 3).

    Args:
        rgb: sRGB values in [0, 1], shape (..., 3).
    """
    red, green, blue = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    luma = LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue
    return np.stack([luma, blue - (red + green) / 2.0, red - green], axis=-1)


def cell_means(planes: Float64Array, cells: int) -> Float64Array:
    """Return the mean over a grid of equal cells, shape (T, cells, cells, C).

    Args:
        planes: T pictures, shape (T, size, size, C), size a multiple of ``cells``.
        cells: Cells along each side.
    """
    n_frames, size, _, channels = planes.shape
    step = size // cells
    return planes.reshape(n_frames, cells, step, cells, step, channels).mean(axis=(2, 4))
