"""Colours of a picture without their places."""

import numpy as np

from models.types import Float64Array

_HUES = 12
_LEVELS = 3
_GREY_LEVELS = 8
_TINY = 1e-12
HISTOGRAM_SIZE = _HUES * _LEVELS + _GREY_LEVELS


def colour_histogram(colours: Float64Array) -> Float64Array:
    """Return square roots of the colour shares of each picture, shape (T, HISTOGRAM_SIZE).

    First 12 hues x 3 brightness levels, counted by colourfulness; then 8 brightness levels,
    counted by greyness. Neighbouring hues and levels share a pixel that lies between them, so a
    small change of colour is a small change of the row. All entries together are the share of
    one picture: their squares sum to 1.

    Args:
        colours: Output of `opponent_colours`, shape (T, size, size, 3).
    """
    pixels = colours.reshape(len(colours), -1, 3)  # (T, P, 3)
    luma, chroma = pixels[..., 0], np.hypot(pixels[..., 1], pixels[..., 2])
    colourful = np.minimum(1.0, chroma * 2.0)
    hue = np.arctan2(pixels[..., 2], pixels[..., 1]) * (_HUES / (2.0 * np.pi))
    hues = _shares_on_circle(hue, _HUES) * colourful[..., None]  # (T, P, hues)
    levels = _shares_on_line(luma, _LEVELS)  # (T, P, levels)
    coloured = np.stack([(hues * levels[..., k, None]).sum(axis=1) for k in range(_LEVELS)], axis=1)
    grey = (_shares_on_line(luma, _GREY_LEVELS) * (1.0 - colourful)[..., None]).sum(axis=1)
    counts = np.concatenate([coloured.reshape(len(pixels), -1), grey], axis=1)
    return np.sqrt(counts / pixels.shape[1])


def _shares_on_circle(position: Float64Array, n_bins: int) -> Float64Array:
    """Split each position (in bins, any turn) between its two nearest bins, shape (..., n_bins)."""
    distance = np.abs(np.mod(position[..., None] - np.arange(n_bins) + n_bins / 2, n_bins))
    return np.maximum(0.0, 1.0 - np.abs(distance - n_bins / 2))


def _shares_on_line(value: Float64Array, n_bins: int) -> Float64Array:
    """Split each value in [0, 1] between its two nearest bin centres, shape (..., n_bins)."""
    position = np.clip(value, 0.0, 1.0) * (n_bins - 1)
    return np.maximum(0.0, 1.0 - np.abs(position[..., None] - np.arange(n_bins)))
