"""The shape of each method's space, and what corrections at search time bring."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from training.evaluation.comparison import Comparison, EmbeddedView, FoldResult, cut_rows
from training.evaluation.comparison_report.summary import METRIC_NAMES, main_protocol, ranking
from training.evaluation.comparison_report.table import Table, make_table
from training.evaluation.comparison_report.threads import one_thread
from training.evaluation.corrections import (
    CORRECTIONS,
    NONE,
    CorrectedFigure,
    measure_corrections,
)
from training.evaluation.protocol import CLASS, INSTANCE
from training.evaluation.space_geometry import SpaceGeometry, space_geometry

MOST_ROWS = 1000  # of a view and fold; beyond, rows are drawn by lot
MOST_TRAIN_ROWS = 4000


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredSpace:
    """One method over all folds.

    Attributes:
        method: Name.
        geometry: One per fold and direction.
        corrected: One per fold, direction, protocol and correction.
    """

    method: str
    geometry: list[SpaceGeometry]
    corrected: list[CorrectedFigure]


def measure_spaces(comparison: Comparison) -> list[MeasuredSpace]:
    """Measure gap, hubness and corrections of every method, best first.

    Views of more than ``MOST_ROWS`` test rows are cut to about so many; both rows of a true pair
    stay or go. Gains are differences on the same rows.
    """
    found = []
    for one in ranking(comparison, main_protocol(comparison)):
        geometry: list[SpaceGeometry] = []
        corrected: list[CorrectedFigure] = []
        for result in comparison.of(one.method):
            test, train = _cut_rows(result, comparison.seed)
            with one_thread():
                geometry += space_geometry(test)
                corrected += measure_corrections(test, train)
        found.append(MeasuredSpace(one.method, geometry, corrected))
    return found


def shape_table(spaces: Sequence[MeasuredSpace]) -> Table:
    """Gap, cosines and hubness of each space, means over directions and folds; chance first."""
    head = ["method", "modality gap", "cosine of class", "cosine of partners", "cosine of any"]
    head += ["hubness", "never found"]
    hubness = [one.hubness for one in spaces[0].geometry]
    chance = ["chance", "", "", "", ""]
    chance.append(f"{_mean(one.chance_skewness for one in hubness):.2f}")
    chance.append(f"{_mean(one.chance_antihub_share for one in hubness):.1%}")
    rows = [chance, *map(_shape_row, spaces)]
    kept = [c for c in range(len(head)) if c == 0 or any(row[c] for row in rows)]
    return make_table([head[c] for c in kept], [[row[c] for c in kept] for row in rows])


def correction_table(spaces: Sequence[MeasuredSpace], protocol: str) -> Table:
    """Main figure of each space without correction, and the gain of each correction.

    The best choice of each row (none or a correction) is stressed.

    Args:
        spaces: Of ``measure_spaces``.
        protocol: ``class`` or ``instance``, one that was measured.
    """
    own = [[one for one in space.corrected if one.protocol == protocol] for space in spaces]
    gains = [name for name in CORRECTIONS if name != NONE]
    rows, bold = [], set()
    for number, (space, figures) in enumerate(zip(spaces, own, strict=True)):
        plain = _mean(one.value for one in figures if one.correction == NONE)
        brought = [_mean(one.gain for one in figures if one.correction == name) for name in gains]
        rows.append([space.method, f"{plain:.3f}", *(f"{gain:+.3f}" for gain in brought)])
        best = int(np.argmax([0.0, *np.round(brought, 3)]))
        bold.add((number, best + 1))
    metric = METRIC_NAMES[own[0][0].metric]
    return make_table(["method", f"{metric} as it is", *gains], rows, bold)


def corrected_protocols(spaces: Sequence[MeasuredSpace]) -> list[str]:
    """Protocols under which corrections were measured."""
    found = {one.protocol for one in spaces[0].corrected}
    return [protocol for protocol in (CLASS, INSTANCE) if protocol in found]


def _shape_row(space: MeasuredSpace) -> list[str]:
    return [
        space.method,
        _figure(one.modality_gap for one in space.geometry),
        _figure(one.class_cosine for one in space.geometry),
        _figure(one.partner_cosine for one in space.geometry),
        _figure(one.random_cosine for one in space.geometry),
        f"{_mean(one.hubness.skewness for one in space.geometry):.2f}",
        f"{_mean(one.hubness.antihub_share for one in space.geometry):.1%}",
    ]


def _cut_rows(
    result: FoldResult, seed: int
) -> tuple[dict[str, EmbeddedView], dict[str, EmbeddedView]]:
    rng = np.random.default_rng(seed)
    return (
        cut_rows(result.embedded, MOST_ROWS, rng=rng),
        cut_rows(result.train_embedded, MOST_TRAIN_ROWS, rng=rng),
    )


def _figure(values: Iterable[float | None]) -> str:
    """Mean with three digits; nothing where a value is not known."""
    known = [value for value in values if value is not None]
    return f"{np.mean(known):.3f}" if known else ""


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))
