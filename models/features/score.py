"""Zero-weight description of sheet music, read from the picture of the page and nothing else."""

from collections.abc import Iterator, Sequence

import numpy as np

from models.features.extractor import ExtractorSpec
from models.features.notehead_shapes import SPACE
from models.features.noteheads import (
    FULL,
    HALF,
    HEIGHT,
    HIGHEST,
    LOWEST,
    N_POSITIONS,
    WHOLE,
    StaffContent,
)
from models.features.sheet_reading import Music, read_pages
from models.types import Float32Array, Float64Array, Int64Array, Modality, Score

_WINDOW = 4 * SPACE  # columns of one step of the sequence
_LARGEST_INTERVAL = 8  # half spaces: an octave is 7
_N_PARTS = 8
_SPACINGS = np.geomspace(1.2, 12.0, 9)  # staff spaces between two heads; 8 classes between
_CLEF_COLUMNS = 3 * SPACE
_N_CLEF_ROWS = HEIGHT // (SPACE // 2)
_KINDS = (FULL, HALF, WHOLE)
_N_STEPS = 7  # steps of the scale in an octave
_N_TOTALS = 20
_SEQUENCE_SIZE = N_POSITIONS + len(_KINDS) + 5
_POOLED_SIZE = (
    2 * N_POSITIONS
    + _N_STEPS
    + (2 * _LARGEST_INTERVAL + 1)
    + (len(_SPACINGS) - 1)
    + 3 * _N_PARTS
    + _N_CLEF_ROWS
    + _N_TOTALS
)


class StaffImage:
    """Extractor ``staff-image``: where the noteheads are on the staves of the pages.

    Blocks of the pooled row, in order: heads by position (per head, and weighted by the room to
    the next head, which tells its length), by step of the scale, intervals between heads, rooms
    between heads, position, room and heads in 8 parts of the music, ink of the clef by height,
    and totals. A page without staves gives zeros and its density of ink.
    """

    @property
    def spec(self) -> ExtractorSpec:
        """Name, dimensions and parameters."""
        return ExtractorSpec(
            name="staff-image",
            modality=Modality.SCORE,
            dimension=_POOLED_SIZE,
            sequence_dimension=_SEQUENCE_SIZE,
            parameters={
                "version": 1,
                "staff_space_pixels": SPACE,
                "window_spaces": _WINDOW // SPACE,
                "lowest_position": LOWEST,
                "highest_position": HIGHEST,
            },
        )

    def sequence(self, media: Score) -> Float32Array:
        """Return a row for every four staff spaces of music in reading order, shape (T, D)."""
        music = read_pages(media.pages)
        rows = [row for system in music.systems for row in _windows(system)]
        if not rows:
            blank = np.zeros(_SEQUENCE_SIZE)
            blank[-1] = music.density
            rows = [blank]
        return np.stack(rows).astype(np.float32)

    def pooled(self, media: Score) -> Float32Array:
        """Return one row for all pages, shape (D,)."""
        music = read_pages(media.pages)
        return np.concatenate(
            [
                *_histograms(music),
                *_course(music),
                _clef(music),
                _totals(music),
            ]
        ).astype(np.float32)


def _windows(system: Sequence[StaffContent]) -> Iterator[Float64Array]:
    """Yield the steps of one system, shape (D_seq,): heads by position, kinds, strokes, ink."""
    width = max(staff.strip.shape[1] for staff in system)
    starts = range(0, max(width - _WINDOW // 2, 1), _WINDOW)
    for start in starts:
        end = width if start == starts[-1] else start + _WINDOW  # the last one takes the rest
        row = np.zeros(_SEQUENCE_SIZE)
        for staff in system:
            inside = (staff.columns >= start) & (staff.columns < end)
            row[:N_POSITIONS] += np.bincount(
                staff.positions[inside] - LOWEST, minlength=N_POSITIONS
            )
            row[N_POSITIONS : N_POSITIONS + 3] += np.bincount(staff.kinds[inside], minlength=3)
            strokes = (staff.stems, staff.bar_lines, staff.marks)
            row[-5:-2] += [((one >= start) & (one < end)).sum() for one in strokes]
            part = slice(start, end)
            row[-2] += 10.0 * staff.beams[:, part].sum() / (HEIGHT * _WINDOW)
            row[-1] += staff.strip[:, part].sum() / (HEIGHT * _WINDOW)
        yield row


def _histograms(music: Music) -> list[Float64Array]:
    """Shares of the heads by position, step, interval and room; each adds up to 1 or is 0."""
    places = (music.positions - LOWEST).astype(np.int64)
    intervals = np.diff(music.positions).clip(-_LARGEST_INTERVAL, _LARGEST_INTERVAL)
    classes = np.digitize(music.rooms, _SPACINGS[1:-1])
    return [
        _shares(places, N_POSITIONS),
        _shares(places, N_POSITIONS, weights=music.rooms),
        _shares(places % _N_STEPS, _N_STEPS, weights=music.rooms),
        _shares(intervals.astype(np.int64) + _LARGEST_INTERVAL, 2 * _LARGEST_INTERVAL + 1),
        _shares(classes, len(_SPACINGS) - 1),
    ]


def _shares(
    classes: Int64Array, n_classes: int, *, weights: Float64Array | None = None
) -> Float64Array:
    counts = np.bincount(classes, weights=weights, minlength=n_classes).astype(np.float64)
    return counts / max(float(counts.sum()), 1.0)


def _course(music: Music) -> list[Float64Array]:
    """Position, room and number of heads in ``_N_PARTS`` parts of the music."""
    count = len(music.positions)
    if not count:
        return [np.zeros(_N_PARTS)] * 3
    first, last = music.places[0], music.places[-1] + music.rooms[-1]
    along = (music.places - first) / max(last - first, 1e-9)
    middles = (np.arange(_N_PARTS) + 0.5) / _N_PARTS
    part = np.minimum((along * _N_PARTS).astype(np.int64), _N_PARTS - 1)
    return [
        np.interp(middles, along, music.positions) / 4.0,
        np.interp(middles, along, np.log(music.rooms)),
        np.bincount(part, minlength=_N_PARTS) / count * _N_PARTS / 2.0,
    ]


def _clef(music: Music) -> Float64Array:
    """Ink of the clefs by height in half spaces, lowest last: tells treble from bass."""
    profiles = [staff.strip[:, :_CLEF_COLUMNS].mean(axis=1) for staff in music.staves]
    if not profiles:
        return np.zeros(_N_CLEF_ROWS)
    height = SPACE // 2
    mean = np.mean(profiles, axis=0)[: _N_CLEF_ROWS * height]
    return mean.reshape(_N_CLEF_ROWS, height).mean(axis=1) * 4.0


def _totals(music: Music) -> Float64Array:
    """Numbers about the whole, each about 0 to 3, shape (20,)."""
    count = len(music.positions)
    staves = music.staves
    bars, stems, marks = (
        sum(len(getattr(staff, name)) for staff in staves)
        for name in ("bar_lines", "stems", "marks")
    )
    beams = sum(float(staff.beams.sum()) for staff in staves) / SPACE**2
    width = max(music.width, 1.0)
    heads = max(count, 1)
    intervals = np.abs(np.diff(music.positions))
    kinds = [float((music.kinds == kind).sum()) for kind in _KINDS]
    return np.array(
        [
            np.log1p(count) / 2.0,
            count / 16.0,
            np.log1p(music.width) / 3.0,
            count / width * 5.0,
            *(kind / heads for kind in kinds),
            np.log1p(bars),
            count / (bars + 1.0) / 4.0,
            stems / heads,
            beams / heads,
            marks / heads,
            np.log1p(len(music.systems)),
            len(staves) / max(len(music.systems), 1),
            *_range(music.positions),
            float(intervals.mean()) / 2.0 if len(intervals) else 0.0,
            music.density * 5.0,
        ]
    )


def _range(positions: Float64Array) -> tuple[float, float, float, float]:
    """Mean, lowest, highest and standard deviation of the positions."""
    if not len(positions):
        return 0.0, 0.0, 0.0, 0.0
    low, high = float(positions.min()), float(positions.max())
    return float(positions.mean()) / 4.0, low / 4.0, high / 4.0, float(positions.std()) / 2.0
