"""Finds staves on a page of sheet music: five even lines, whatever the scale, skew and paper."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d, zoom

from models.types import Float32Array, Float64Array, Int64Array, UInt8Array

BoolArray = NDArray[np.bool_]

MIN_SPACE_PIXELS, MAX_SPACE_PIXELS = 4.0, 40.0
_BLOCK_PIXELS = 32
_LEAST_CONTRAST = 48.0  # grey values; flatter paper is blank
_LINE_INK = 0.15  # a thin line between two rows of pixels is no darker
_MIN_SHARE = 0.02  # of the page width that each of the five lines covers
_RELATIVE_SHARE = 0.08  # of the best staff's score
_WIDE_SPACE = 8.0  # pixels; in narrower ones the middle is too near the lines to look around it
_SAME_SIZE = (0.75, 1.3)  # a page may have small staves beside the usual ones
_N_STRIPS = 16
MOST_SKEW = 0.03  # rows per column: 1.7 degrees
_SKEWS_EACH_WAY = 20
_MIN_SKEWED_WIDTH = 200
_SHORT_RUN_PIXELS = 24  # a line of the greatest skew still has runs of about this length


@dataclass(frozen=True, slots=True)
class Staff:
    """Five lines.

    Attributes:
        top: Row of the uppermost line, in pixels.
        space: Distance between lines, in pixels.
        left: First column.
        right: Column after the last.
    """

    top: float
    space: float
    left: int
    right: int

    @property
    def bottom(self) -> float:
        """Row of the lowest line, in pixels."""
        return self.top + 4.0 * self.space


def ink_of(page: UInt8Array) -> Float32Array:
    """Tell ink from paper, also on grey or unevenly lit paper.

    Args:
        page: Grey values, shape (rows, columns), at least one pixel.

    Returns:
        0 (paper) .. 1 (ink), shape (rows, columns).
    """
    paper = _paper(page)
    grey = page.astype(np.float32)
    contrast = max(float(np.percentile(paper - grey, 99.0)), _LEAST_CONTRAST)
    if float((paper - grey).max()) >= _LEAST_CONTRAST:
        contrast = max(contrast, 0.7 * float((paper - grey).max()))
    return np.clip((paper - grey) / np.float32(contrast), 0.0, 1.0).astype(np.float32)


def straightened(ink: Float32Array, *, most_skew: float = MOST_SKEW) -> Float32Array:
    """Shear a page so that its staves are level, shape (rows, columns).

    Args:
        ink: As ``ink_of`` gives it.
        most_skew: Greatest slope that is looked for, in rows per column.
    """
    rows, columns = ink.shape
    if columns < _MIN_SKEWED_WIDTH or rows < _N_STRIPS:
        return ink
    strips = np.array_split(np.arange(columns), _N_STRIPS)
    lines = long_runs(ink > _LINE_INK, _SHORT_RUN_PIXELS)
    profiles = np.stack([lines[:, strip].mean(axis=1) for strip in strips])  # (strips, rows)
    centres = np.array([strip.mean() - columns / 2.0 for strip in strips])
    n_each_way = round(_SKEWS_EACH_WAY * most_skew / MOST_SKEW)
    skews = np.linspace(-most_skew, most_skew, 2 * n_each_way + 1)
    sharpness = [_sharpness(profiles, np.rint(skew * centres).astype(np.int64)) for skew in skews]
    level = n_each_way
    best = int(np.argmax(sharpness))
    if best == level or sharpness[best] < 1.02 * sharpness[level]:
        return ink
    shift = np.rint(skews[best] * (np.arange(columns) - columns / 2.0)).astype(np.int64)
    source = np.arange(rows)[:, None] + shift[None, :]
    inside = (source >= 0) & (source < rows)
    return np.where(inside, ink[source.clip(0, rows - 1), np.arange(columns)[None, :]], 0.0).astype(
        np.float32
    )


def find_staves(ink: Float32Array) -> tuple[Staff, ...]:
    """Find the staves of a level page.

    Args:
        ink: As ``ink_of`` gives it, shape (rows, columns).

    Returns:
        From top to bottom; empty for a page without staves.
    """
    rows, columns = ink.shape
    lines = long_runs(ink > _LINE_INK, max(24, columns // 24))
    profile = lines.mean(axis=1)
    spaces = np.arange(MIN_SPACE_PIXELS, min(MAX_SPACE_PIXELS, (rows - 1) / 4.0), 0.25)
    if not len(spaces):
        return ()
    scores = np.stack([_five_line_score(profile, space) for space in spaces])  # (spaces, rows)
    best = float(scores.max())
    if best < _MIN_SHARE:
        return ()
    usual = spaces[int(scores.max(axis=1).argmax())]
    scores[(spaces < _SAME_SIZE[0] * usual) | (spaces > _SAME_SIZE[1] * usual)] = 0.0
    least = max(_RELATIVE_SHARE * best, _MIN_SHARE)
    found = [
        _placed(lines, profile, top, float(spaces[index]))
        for index, top in _peaks(scores, spaces, least)
    ]
    return tuple(sorted((staff for staff in found if staff), key=lambda staff: staff.top))


def long_runs(mask: BoolArray, length: int) -> BoolArray:
    """Keep the pixels that lie in horizontal runs of at least ``length``, same shape."""
    rows, columns = mask.shape
    if columns < length:
        return np.zeros_like(mask)
    starts = _window_sums(mask, length) == length  # (rows, columns - length + 1)
    around = np.zeros((rows, columns + length - 1), dtype=np.bool_)
    around[:, length - 1 : columns] = starts
    return np.asarray(_window_sums(around, length) > 0)


def _window_sums(mask: BoolArray, length: int) -> NDArray[np.int32]:
    """Number of True in each window of ``length`` columns, shape (rows, columns - length + 1)."""
    sums = np.zeros((mask.shape[0], mask.shape[1] + 1), dtype=np.int32)
    np.cumsum(mask, axis=1, out=sums[:, 1:])
    return sums[:, length:] - sums[:, :-length]


def _paper(page: UInt8Array) -> Float32Array:
    """Brightness of the paper around each pixel: bright values of blocks, interpolated."""
    rows, columns = page.shape
    n_rows, n_columns = -(-rows // _BLOCK_PIXELS), -(-columns // _BLOCK_PIXELS)
    padding = ((0, n_rows * _BLOCK_PIXELS - rows), (0, n_columns * _BLOCK_PIXELS - columns))
    padded = np.pad(page, padding, mode="edge")
    if int(page.max()) == 255 and float((page >= 250).mean()) > 0.5:
        return np.full(page.shape, 255.0, dtype=np.float32)  # clean paper: nothing to estimate
    blocks = padded.reshape(n_rows, _BLOCK_PIXELS, n_columns, _BLOCK_PIXELS)
    bright = np.percentile(blocks, 90.0, axis=(1, 3))
    bright = maximum_filter1d(maximum_filter1d(bright, 3, axis=0), 3, axis=1)
    smooth = zoom(bright, _BLOCK_PIXELS, order=1, mode="nearest", grid_mode=True)
    return smooth[:rows, :columns].astype(np.float32)


def _sharpness(profiles: Float32Array, shifts: Int64Array) -> float:
    """Sum of squares of the strips' profiles (strips, rows) added up after their shifts."""
    moved = [np.roll(profile, -shift) for profile, shift in zip(profiles, shifts, strict=True)]
    return float((np.sum(moved, axis=0) ** 2).sum())


def _five_line_score(profile: Float64Array, space: float) -> Float64Array:
    """Score each row as the top of five lines ``space`` apart, shape (rows,).

    The weakest line counts; ink between the lines, or a sixth line, counts against.
    """
    reach = round(5.0 * space) + 1
    padded = np.pad(profile, reach)
    near = np.pad(maximum_filter1d(profile, 3), reach)

    def at(values: Float64Array, spaces: float) -> Float64Array:
        first = reach + round(spaces * space)
        return values[first : first + len(profile)]

    weakest = np.min([at(near, line) for line in range(5)], axis=0)
    centred = np.mean([at(padded, line) for line in range(5)], axis=0)
    gaps = near if space >= _WIDE_SPACE else padded
    between = np.mean([at(gaps, line + 0.5) for line in range(4)], axis=0)
    sixth = np.maximum(at(near, -1.0), at(near, 5.0))
    score = weakest + 0.1 * centred - between - sixth
    return np.where((weakest > 0.0) & (score > 0.5 * weakest), score, 0.0)


def _peaks(scores: Float64Array, spaces: Float64Array, least: float) -> list[tuple[int, int]]:
    """Pick (space index, top row) from the best down, none inside a staff that was picked."""
    best = scores.max(axis=0)  # (rows,)
    picked: list[tuple[int, int]] = []
    for row in np.argsort(-best, kind="stable"):
        if best[row] < least:
            break
        index = int(scores[:, row].argmax())
        apart = (abs(row - top) >= 4.5 * max(spaces[index], spaces[other]) for other, top in picked)
        if all(apart):
            picked.append((index, int(row)))
    return picked


def _placed(lines: BoolArray, profile: Float64Array, top: int, space: float) -> Staff | None:
    """Measure where a staff lies to a fraction of a pixel, and from which column to which."""
    fitted_top, fitted_space = float(top), space
    centres: list[float] = []
    for _ in range(2):  # the second time around rows that are nearer to the lines
        centres = [
            _centre(profile, fitted_top + line * fitted_space, reach=max(1, round(space / 6.0)))
            for line in range(5)
        ]
        fitted_space, fitted_top = np.polyfit(np.arange(5), centres, 1)
    rows = np.rint(centres).astype(np.int64).clip(1, len(lines) - 2)
    present = sum((lines[row - 1 : row + 2].any(axis=0)).astype(np.int64) for row in rows)
    columns = np.flatnonzero(np.asarray(present) >= 3)
    if not len(columns) or columns[-1] - columns[0] < 3 * space:
        return None
    return Staff(float(fitted_top), float(fitted_space), int(columns[0]), int(columns[-1]) + 1)


def _centre(profile: Float64Array, row: float, *, reach: int) -> float:
    """Row of a line near ``row``, to a fraction of a pixel."""
    around = np.arange(max(round(row) - reach, 0), min(round(row) + reach + 1, len(profile)))
    weights = profile[around]
    total = float(weights.sum())
    return float((around * weights).sum()) / total if total > 0.0 else row
