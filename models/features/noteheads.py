"""Finds noteheads, stems and bar lines on one staff of a page, by shape alone.

Every staff is first brought to one size, 8 pixels between its lines, and its lines are taken out.
A head is an ellipse of ink as high as a space, full or hollow, with paper around it; heads of
less than a whole note also have a stem on the side where stems are drawn.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy.fft import irfft2, next_fast_len, rfft2
from scipy.ndimage import maximum_filter1d

from models.features.notehead_shapes import SPACE, head_templates
from models.features.staff_lines import BoolArray, Staff, long_runs
from models.types import Float32Array, Int64Array

MARGIN = 6  # spaces above and below the staff
TOP = MARGIN * SPACE
BOTTOM = TOP + 4 * SPACE
HEIGHT = BOTTOM + TOP + 1
LOWEST, HIGHEST = -10, 18  # positions: half spaces above the lowest line
N_POSITIONS = HIGHEST - LOWEST + 1
FULL, HALF, WHOLE = 0, 1, 2
_CLEF_SPACES = 2.8
_LEAST_FIT = (0.62, 0.48, 0.53)  # of 1, for full, half and whole heads
_STEM_PIXELS = 2 * SPACE
_INK = 0.4
_EXTRA_THICKNESS = 0.6  # pixels
_BLANK = 0.15
_BESIDE_STEM = 0.16


@dataclass(frozen=True, slots=True, eq=False)
class StaffContent:
    """What is on one staff. H head candidates in order of columns; columns are ``SPACE`` a space.

    Attributes:
        strip: Ink without staff lines, shape (HEIGHT, W).
        columns: Centre column of each head, shape (H,).
        positions: Half spaces above the lowest line, ``LOWEST``..``HIGHEST``, shape (H,).
        kinds: ``FULL``, ``HALF`` or ``WHOLE``, shape (H,).
        bar_lines: Columns of bar lines, shape (number,).
        stems: Columns of stems, shape (number,).
        beams: Ink of thick horizontal strokes, shape (HEIGHT, W), bool.
        marks: Columns of short vertical strokes (accidentals, rests, digits), shape (number,).
    """

    strip: Float32Array
    columns: Int64Array
    positions: Int64Array
    kinds: Int64Array
    bar_lines: Int64Array
    stems: Int64Array
    beams: BoolArray
    marks: Int64Array


def read_staff(ink: Float32Array, staff: Staff, *, above: float, below: float) -> StaffContent:
    """Find what is on one staff.

    Args:
        ink: The page, shape (rows, columns).
        staff: Which staff.
        above: First row that belongs to it.
        below: Row after the last that belongs to it.
    """
    raw = _normalised(ink, staff, above, below)
    strip = without_lines(raw)
    vertical = _vertical_runs(_strokes(raw), _STEM_PIXELS)
    beams = _beams(strip)
    rows, columns, kinds = _heads(strip, vertical, beams)
    positions = np.rint((BOTTOM - rows) / (SPACE / 2.0)).astype(np.int64)
    bar_lines = _bar_lines(raw, columns)
    return StaffContent(
        strip=strip,
        columns=columns,
        positions=positions,
        kinds=kinds,
        bar_lines=bar_lines,
        stems=_stems(vertical, bar_lines),
        beams=beams,
        marks=_marks(strip),
    )


def _normalised(ink: Float32Array, staff: Staff, above: float, below: float) -> Float32Array:
    """Cut a staff out and scale it, shape (HEIGHT, W)."""
    scale = SPACE / staff.space
    width = max(1, round((staff.right - staff.left) * scale))
    first = staff.top - (MARGIN + 0.5 / SPACE) * staff.space + 0.5
    last = first + HEIGHT / scale
    low, high = int(np.floor(first)) - 2, int(np.ceil(last)) + 2
    kept = np.zeros((high - low, staff.right - staff.left), dtype=np.float32)
    begin, end = max(round(above), low, 0), min(round(below), high, len(ink))
    kept[begin - low : end - low] = ink[begin:end, staff.left : staff.right]
    box = (0.0, first - low, float(kept.shape[1]), last - low)
    resized = Image.fromarray(kept).resize((width, HEIGHT), Image.Resampling.BICUBIC, box=box)
    return np.asarray(resized, dtype=np.float32).clip(0.0, 1.0)


def without_lines(strip: Float32Array) -> Float32Array:
    """Take the five lines out where there is no more ink than a line, shape (HEIGHT, W).

    A symbol that touches a line makes it thicker there, so that even the thin arc of a hollow
    head on a line is seen.
    """
    cleaned = strip.copy()
    for line in range(5):
        row = TOP + line * SPACE
        thickness = strip[row - 2 : row + 3].sum(axis=0)
        crossed = thickness > float(np.median(thickness)) + _EXTRA_THICKNESS
        cleaned[row - 2 : row + 3, ~maximum_filter1d(crossed, 3)] = 0.0
    return cleaned


def _heads(
    strip: Float32Array, vertical: BoolArray, beams: BoolArray
) -> tuple[Int64Array, Int64Array, Int64Array]:
    """Return rows, columns and kinds of the heads, in order of columns."""
    margin = _fits(strip) - np.array(_LEAST_FIT, dtype=np.float32)[:, None, None]
    best = margin.max(axis=0)
    best[:, : round(_CLEF_SPACES * SPACE)] = -1.0
    best[: BOTTOM - (2 * HIGHEST + 1) * SPACE // 4] = -1.0
    best[BOTTOM - (2 * LOWEST - 1) * SPACE // 4 :] = -1.0
    heads = []
    for row, column in _peaks(best):
        kind = _kind(margin[:, row, column], strip, vertical, row, column)
        around = (slice(max(row - 4, 0), row + 5), slice(column - 4, column + 5))
        if kind == WHOLE and not _alone(strip, row, column):
            continue
        if kind is not None and not beams[around].any():
            heads.append((column, row, kind))
    heads.sort()
    table = np.array(heads, dtype=np.int64).reshape(-1, 3)
    return table[:, 1], table[:, 0], table[:, 2]


def _fits(strip: Float32Array) -> Float32Array:
    """Correlate a strip with the three templates, shape (3, HEIGHT, W)."""
    templates = head_templates()
    rows, columns = templates[0].shape
    shape = (next_fast_len(HEIGHT + rows, True), next_fast_len(strip.shape[1] + columns, True))
    padded = np.zeros(shape, dtype=np.float32)
    padded[rows // 2 : rows // 2 + HEIGHT, columns // 2 : columns // 2 + strip.shape[1]] = strip
    spectrum = rfft2(padded)
    correlated = [irfft2(spectrum * np.conj(rfft2(one, shape)), shape) for one in templates]
    return np.stack(correlated)[:, :HEIGHT, : strip.shape[1]]


def _peaks(best: Float32Array) -> list[tuple[int, int]]:
    """Places of the largest positive values, none within half a head of a larger one."""
    rows, columns = np.nonzero(best > 0.0)
    order = np.argsort(-best[rows, columns], kind="stable")
    free = np.ones(best.shape, dtype=np.bool_)
    peaks = []
    for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
        if free[row, column]:
            peaks.append((row, column))
            free[max(row - 2, 0) : row + 3, max(column - 4, 0) : column + 5] = False
    return peaks


def _kind(
    margin: Float32Array, strip: Float32Array, vertical: BoolArray, row: int, column: int
) -> int | None:
    """Decide what a candidate is, by its best fit and its stem; None when it is no head."""
    stemmed = has_stem(vertical, row, column)
    if stemmed and _beside_stem(strip, row, column) > _BESIDE_STEM:
        return None
    for kind in np.argsort(-margin, kind="stable").tolist():
        if margin[kind] > 0.0 and stemmed == (kind != WHOLE):
            return int(kind)
    return None


def _beside_stem(strip: Float32Array, row: int, column: int) -> float:
    """Share of ink above or below a head, on the emptier side: a stem there, more in a digit."""
    across = slice(column - 6, column + 7)
    sides = strip[max(row - 12, 0) : max(row - 6, 0), across], strip[row + 7 : row + 13, across]
    return min(float(part.mean()) for part in sides if part.size)


def _alone(strip: Float32Array, row: int, column: int) -> bool:
    """Tell a whole note from the bowl of a digit: there is nothing right above and below it."""
    across = slice(column - 5, column + 6)
    sides = strip[max(row - 13, 0) : max(row - 7, 0), across], strip[row + 8 : row + 14, across]
    return all(float(part.mean()) < _BLANK for part in sides if part.size)


def has_stem(vertical: BoolArray, row: int, column: int) -> bool:
    """Tell whether a stem goes up at the right or down at the left, as stems do.

    A flat has its stroke up at the left, a natural and a sharp on both sides.
    """
    up, down = slice(max(row - 12, 0), row - 5), slice(row + 6, row + 13)
    left, right = slice(column - 7, column - 2), slice(column + 3, column + 8)

    def stroke(rows: slice, columns: slice) -> bool:
        return bool(vertical[rows, columns].any(axis=1).all())

    up_stem = stroke(up, right) and not stroke(up, left)
    return up_stem or (stroke(down, left) and not stroke(down, right))


def _vertical_runs(mask: BoolArray, length: int) -> BoolArray:
    """Keep the pixels that lie in thin vertical runs of at least ``length``, bool."""
    return np.ascontiguousarray(long_runs(np.ascontiguousarray(mask.T), length).T)


def _strokes(raw: Float32Array) -> BoolArray:
    """Ink, with a thin stroke between two columns of pixels counted in both, bool."""
    after = np.concatenate([raw[:, 1:], np.zeros_like(raw[:, :1])], axis=1)
    before = np.concatenate([np.zeros_like(raw[:, :1]), raw[:, :-1]], axis=1)
    return np.asarray(np.maximum(raw + after, raw + before) > 1.3 * _INK)


def _runs(mask: BoolArray) -> Int64Array:
    """Centres of the runs of True, shape (number,)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return (edges[::2] + edges[1::2] - 1) // 2


def _bar_lines(raw: Float32Array, heads: Int64Array) -> Int64Array:
    """Columns where ink goes from the highest to the lowest line with no head beside it."""
    centres = _runs(np.asarray(_strokes(raw)[TOP : BOTTOM + 1].all(axis=0)))
    if not len(heads) or not len(centres):
        return centres
    nearest = np.abs(centres[:, None] - heads[None, :]).min(axis=1)
    return centres[nearest > SPACE]


def _stems(vertical: BoolArray, bar_lines: Int64Array) -> Int64Array:
    """Columns of long vertical strokes that are no bar lines."""
    centres = _runs(np.asarray(vertical.any(axis=0)))
    if not len(bar_lines) or not len(centres):
        return centres
    return centres[np.abs(centres[:, None] - bar_lines[None, :]).min(axis=1) > 2]


def _beams(strip: Float32Array) -> BoolArray:
    """Ink of strokes at least two spaces long, thicker than a line and thinner than a head."""
    long = long_runs(strip > _INK, 2 * SPACE)
    return _vertical_runs(long, 3)


def _marks(strip: Float32Array) -> Int64Array:
    """Columns of strokes of more than a head's and less than a stem's height."""
    mask = strip > _INK
    short = _vertical_runs(mask, SPACE + 3) & ~_vertical_runs(mask, 3 * SPACE)
    return _runs(np.asarray(short.any(axis=0)))
