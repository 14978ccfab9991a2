"""What changes from frame to frame: how much, where, how fast and in which rhythm."""

import numpy as np

from models.features.figure_ground import weighted_place
from models.features.modulation import modulation_power, modulation_rates, periodicity
from models.features.pixels import cell_means
from models.features.segments import segment_means
from models.features.summaries import curve_summary
from models.types import Float64Array

_RATES = modulation_rates(25, min_hz=0.25, max_hz=4.0)
_COARSE_RATES = modulation_rates(13, min_hz=0.25, max_hz=4.0)
_GRID = 8
N_CURVES = 9
_PARTS = 16
_ACTIVE_CHANGE = 0.04
_TINY = 1e-9


def changes(luma: Float64Array) -> Float64Array:
    """Return the absolute change of brightness to the next frame.

    The shape is (max(1, T - 1), size, size); a single frame has one change, which is 0 everywhere.
    """
    return np.abs(np.diff(luma, axis=0)) if len(luma) > 1 else np.zeros_like(luma)


def drift(luma: Float64Array) -> Float64Array:
    """Return the speed of the whole picture down and right, shape (max(1, T - 1), 2).

    The least-squares solution of one brightness-constancy equation per pixel, each axis alone, in
    pixels of the small frame per frame.
    """
    if len(luma) == 1:
        return np.zeros((1, 2))
    step = np.diff(luma, axis=0)
    between = (luma[1:] + luma[:-1]) / 2.0
    slopes = np.gradient(between, axis=(1, 2))
    flow = [-(step * s).sum(axis=(1, 2)) / ((s**2).sum(axis=(1, 2)) + 1e-3) for s in slopes]
    return np.clip(np.stack(flow, axis=1), -4.0, 4.0)


def place_of_change(change: Float64Array) -> Float64Array:
    """Return where the picture changes, shape (64 + 5 + 1,): 8 x 8 shares, place, log amount."""
    mean = change.mean(axis=0)[None]
    cells = cell_means(mean[..., None], _GRID).ravel()
    share = np.sqrt(cells / (cells.sum() + _TINY))
    return np.concatenate([share, weighted_place(mean)[0], np.log([mean.mean() + 1e-4])])


def moving_object(colours: Float64Array) -> Float64Array:
    """Return colour, place and size of what differs from the median frame.

    Args:
        colours: Opponent colours, shape (T, size, size, 3).

    Returns:
        Shape (3 + 6 * 5,): mean colour of the object, then the summary over time of its size,
        centre and spread.
    """
    difference = np.sqrt(((colours - np.median(colours, axis=0)) ** 2).sum(axis=3))
    weight = difference**2
    colour = (colours * weight[..., None]).sum(axis=(0, 1, 2)) / (weight.sum() + _TINY)
    return np.concatenate([colour, curve_summary(weighted_place(weight)).ravel()])


def motion_curves(colours: Float64Array) -> Float64Array:
    """Return nine curves over time, shape (9, T').

    Amount of change, share of changing pixels, centre of change (down, right), drift (down, right)
    and the mean of the three opponent colours; T' = max(1, T - 1).
    """
    luma = colours[..., 0]
    change = changes(luma)
    place = weighted_place(change)
    active = (change > _ACTIVE_CHANGE).mean(axis=(1, 2))
    means = colours.mean(axis=(1, 2))[-len(change) :]
    amount = np.log(change.mean(axis=(1, 2)) + 1e-3)
    curves = [amount, active, place[:, 1], place[:, 2], *drift(luma).T, *means.T]
    return np.stack(curves)


def rhythm(curves: Float64Array, luma: Float64Array, rate_hz: float) -> Float64Array:
    """Return how fast the curves and the brightness of places change.

    Args:
        curves: Output of `motion_curves`, shape (9, T').
        luma: Brightness, shape (T, size, size).
        rate_hz: Frames per second.

    Returns:
        Spectra of the curves (9 x 13 shares), their log powers (9), the mean spectrum of the 8 x 8
        places (25 shares, log power), periodicity of amount, centre and brightness (4 x 25) and
        the amount of change in 16 parts of time.
    """
    spectra = modulation_power(curves, rate_hz, _COARSE_RATES)
    places = cell_means(luma[..., None], _GRID).reshape(len(luma), -1).T  # (64, T)
    local = modulation_power(places, rate_hz, _RATES).mean(axis=0)
    periods = [periodicity(curves[k], rate_hz, _RATES) for k in (0, 2, 3, 6)]
    amount = np.exp(curves[0])
    parts = segment_means(amount[:, None], _PARTS)[:, 0]
    return np.concatenate(
        [
            _shares(spectra).ravel(),
            np.log(spectra.sum(axis=1) + 1e-5),
            _shares(local),
            np.log([local.sum() + 1e-5]),
            *periods,
            np.sqrt(parts / (parts.sum() + _TINY)),
        ]
    )


def _shares(power: Float64Array) -> Float64Array:
    """Return the square roots of the shares in the total along the last axis."""
    return np.sqrt(power / (power.sum(axis=-1, keepdims=True) + 1e-6))
