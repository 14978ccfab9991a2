"""Reads the pages of a score: systems, staves and noteheads in the order they are played."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from models.features.notehead_shapes import SPACE
from models.features.noteheads import StaffContent, read_staff
from models.features.staff_lines import Staff, find_staves, ink_of, straightened
from models.types import Float32Array, Float64Array, UInt8Array


@dataclass(frozen=True, slots=True, eq=False)
class Music:
    """What was found on the pages of a score. H heads in reading order.

    Attributes:
        systems: Staves that sound together, top to bottom.
        places: Where each head is, in staff spaces from the start of the music, shape (H,).
        rooms: Staff spaces to the next head of another column, at most 16, shape (H,).
        positions: Half spaces above the lowest line of its staff, shape (H,).
        kinds: ``FULL``, ``HALF`` or ``WHOLE``, shape (H,).
        width: Length of all systems, in staff spaces.
        density: Share of ink on the pages, 0..1.
    """

    systems: tuple[tuple[StaffContent, ...], ...]
    places: Float64Array
    rooms: Float64Array
    positions: Float64Array
    kinds: Float64Array
    width: float
    density: float

    @property
    def staves(self) -> tuple[StaffContent, ...]:
        """All staves, system by system."""
        return tuple(staff for system in self.systems for staff in system)


def read_pages(pages: Sequence[UInt8Array]) -> Music:
    """Find staves and heads on the pages and put them in reading order."""
    systems: list[tuple[StaffContent, ...]] = []
    densities = []
    for page in pages:
        ink = ink_of(page)
        densities.append(float(ink.mean()))
        systems += _read_systems(straightened(ink))
    heads = []
    begin = 0.0
    for system in systems:
        for staff in system:
            for column, position, kind in zip(
                staff.columns, staff.positions, staff.kinds, strict=True
            ):
                heads.append((begin + column / SPACE, -float(position), float(kind)))
        begin += max(staff.strip.shape[1] for staff in system) / SPACE
    table = np.array(sorted(heads), dtype=np.float64).reshape(-1, 3)
    return Music(
        systems=tuple(systems),
        places=table[:, 0],
        rooms=_rooms(table[:, 0]),
        positions=-table[:, 1],
        kinds=table[:, 2],
        width=begin,
        density=float(np.mean(densities)) if densities else 0.0,
    )


def _read_systems(ink: Float32Array) -> Iterator[tuple[StaffContent, ...]]:
    """Read the staves of a page; those that a line at the left joins are one system."""
    staves = find_staves(ink)
    system: list[StaffContent] = []
    for index, staff in enumerate(staves):
        above = (staves[index - 1].bottom + staff.top) / 2.0 if index else 0.0
        last = index + 1 == len(staves)
        below = float(len(ink)) if last else (staff.bottom + staves[index + 1].top) / 2.0
        system.append(read_staff(ink, staff, above=above, below=below))
        if last or not joined(ink, staff, staves[index + 1]):
            yield tuple(system)
            system = []


def joined(ink: Float32Array, upper: Staff, lower: Staff) -> bool:
    """Tell whether a line goes from one staff to the next at their left end."""
    left = min(upper.left, lower.left)
    reach = max(2, round(upper.space / 2.0))
    between = ink[round(upper.bottom) : round(lower.top), max(left - reach, 0) : left + reach]
    strokes = between[:, 1:] + between[:, :-1] > 0.5
    return bool(strokes.size) and float(strokes.mean(axis=0).max()) > 0.95


def _rooms(places: Float64Array) -> Float64Array:
    """Staff spaces from each head to the next one that is not above or below it."""
    rooms = np.full(len(places), 4.0)
    for index in range(len(places)):
        later = places[index + 1 :] - places[index]
        later = later[later > 0.7]
        if len(later):
            rooms[index] = min(float(later[0]), 16.0)
    return rooms
