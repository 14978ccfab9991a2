"""A page of sheet music as strips: the top staff of every system, brought to one size."""

from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image

from models.features.sheet_reading import joined
from models.features.staff_lines import Staff, find_staves, ink_of, straightened
from models.types import Float32Array, UInt8Array

ROWS, COLUMNS = 64, 512
SPACE = 4  # rows of a strip between two staff lines
ABOVE = 6  # staff spaces above the top line
MOST_STRIPS = 32
_PAPER = 0.12  # ink below is the grain of paper
MOST_SKEW = 0.045  # rows per column: 2.6 degrees


def staff_strips(pages: Sequence[UInt8Array]) -> UInt8Array:
    """Return the top staff of every system in reading order.

    A staff is scaled so that its spaces have ``SPACE`` rows and its length ``COLUMNS`` columns:
    how large and how wide it was printed leaves no trace.

    Args:
        pages: Grey values 0 (ink) .. 255 (paper), each (rows, columns).

    Returns:
        Ink 0..255, shape (S, ROWS, COLUMNS), 1 <= S <= ``MOST_STRIPS``; an empty strip where no
        staff was found.
    """
    strips: list[UInt8Array] = []
    for page in pages:
        ink = straightened(ink_of(page), most_skew=MOST_SKEW)
        for staff in _top_staves(ink):
            strips.append(_strip(ink, staff))
            if len(strips) == MOST_STRIPS:
                return np.stack(strips)
    return np.stack(strips) if strips else np.zeros((1, ROWS, COLUMNS), np.uint8)


def _top_staves(ink: Float32Array) -> Iterator[Staff]:
    """Yield the first staff of each group of staves that a line at the left joins."""
    before: Staff | None = None
    for staff in find_staves(ink):
        if before is None or not joined(ink, before, staff):
            yield staff
        before = staff


def _strip(ink: Float32Array, staff: Staff) -> UInt8Array:
    """Cut out a staff with what is above and below it, and bring it to size."""
    height = ROWS / SPACE * staff.space
    top = staff.top - ABOVE * staff.space
    pad = int(np.ceil(height))
    padded = np.pad(np.where(ink > _PAPER, ink, np.float32(0.0)), ((pad, pad), (0, 0)))
    first = max(int(np.floor(top)) + pad - 1, 0)
    last = int(np.ceil(top + height)) + pad + 1
    part = np.ascontiguousarray(padded[first:last, staff.left : staff.right])
    box = (0.0, top + pad - first, float(part.shape[1]), top + pad - first + height)
    picture = Image.fromarray(part).resize((COLUMNS, ROWS), Image.Resampling.BILINEAR, box=box)
    return np.rint(np.asarray(picture).clip(0.0, 1.0) * 255.0).astype(np.uint8)
