"""Where the thing in a picture is: what differs from the colour of the border."""

import numpy as np

from models.types import Float64Array

_TINY = 1e-9
FIGURE_NUMBERS = 13


def weighted_place(weight: Float64Array) -> Float64Array:
    """Return size, centre and spread of a weight over the picture, shape (T, 5).

    Size is the mean weight; centre (down, right) and spread (down, right) run from 0 to 1 over the
    picture. Without any weight the centre is the middle and the spread 0.

    Args:
        weight: Shape (T, size, size), >= 0.
    """
    n_frames, size = weight.shape[:2]
    position = (np.arange(size) + 0.5) / size
    total = weight.sum(axis=(1, 2))
    share = weight / (total + _TINY)[:, None, None]
    down, right = share.sum(axis=2), share.sum(axis=1)  # (T, size)
    missing = 1.0 - total / (total + _TINY)
    centre_down = (down * position).sum(axis=1) + 0.5 * missing
    centre_right = (right * position).sum(axis=1) + 0.5 * missing
    spread_down = np.sqrt((down * (position - centre_down[:, None]) ** 2).sum(axis=1))
    spread_right = np.sqrt((right * (position - centre_right[:, None]) ** 2).sum(axis=1))
    mean = total / (size * weight.shape[2])
    return np.stack([mean, centre_down, centre_right, spread_down, spread_right], axis=1).reshape(
        n_frames, 5
    )


def figure_and_ground(colours: Float64Array) -> Float64Array:
    """Return border colour, figure colour, place of the figure and its contrast, shape (T, 13).

    The ground is the median colour of the outermost pixels on every side; a pixel belongs to the
    figure by its distance from that colour.

    Args:
        colours: Output of `opponent_colours`, shape (T, size, size, 3), size >= 3.
    """
    edge = np.concatenate(
        [colours[:, 0], colours[:, -1], colours[:, 1:-1, 0], colours[:, 1:-1, -1]], axis=1
    )
    ground = np.median(edge, axis=1)  # (T, 3)
    distance = np.sqrt(((colours - ground[:, None, None]) ** 2).sum(axis=3))
    weight = distance**2
    share = weight / (weight.sum(axis=(1, 2), keepdims=True) + _TINY)
    figure = (colours * share[..., None]).sum(axis=(1, 2))
    contrast = np.stack([edge.std(axis=(1, 2)), distance.max(axis=(1, 2))], axis=1)
    return np.concatenate([ground, figure, weighted_place(distance), contrast], axis=1)
