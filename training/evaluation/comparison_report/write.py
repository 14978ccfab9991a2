"""Writing the report folder, file by file, each whole or not at all; ``report.md`` comes last."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models.checkpoint import write_bytes_atomically, write_json
from training.evaluation.comparison import Comparison
from training.evaluation.comparison_report.curves import class_curves
from training.evaluation.comparison_report.examples import examples_markdown
from training.evaluation.comparison_report.markdown import in_short, report_markdown
from training.evaluation.comparison_report.plots import write_plots
from training.evaluation.comparison_report.results_file import results_file
from training.evaluation.comparison_report.spaces import (
    MeasuredSpace,
    corrected_protocols,
    correction_table,
    measure_spaces,
    shape_table,
)
from training.evaluation.comparison_report.summary import measured_protocols, settled
from training.evaluation.comparison_report.table import text_table
from training.evaluation.comparison_report.tables import latex_tables, main_table, results_csv


def write_report(
    comparison: Comparison, folder: Path, spaces: Sequence[MeasuredSpace] | None = None
) -> dict[str, Any]:
    """Write the report of a comparison; what each file says is in ``docs/compare.md``.

    Values come first and ``report.md`` last, so a folder with a report is a whole one. Files of an
    earlier report are replaced; others are left alone.

    Args:
        comparison: What was measured; incomplete methods are listed among the failures.
        folder: Made where it is missing.
        spaces: ``measure_spaces`` of the same comparison where it is known already.

    Returns:
        What ``results.json`` holds, as from ``results_file``.

    Raises:
        DataError: If no method has every fold and direction.
    """
    complete = settled(comparison)
    curves = class_curves(complete)
    results = results_file(complete, curves)
    write_json(folder / "results.json", results)
    _write_text(folder / "results.csv", results_csv(complete))
    _write_text(folder / "table.tex", latex_tables(complete, measured_protocols(complete)))
    _write_text(folder / "examples.md", examples_markdown(complete))
    plots = write_plots(complete, curves, folder)
    measured = measure_spaces(complete) if spaces is None else spaces
    _write_text(folder / "report.md", report_markdown(complete, plots, measured))
    return results


def comparison_text(comparison: Comparison, spaces: Sequence[MeasuredSpace] | None = None) -> str:
    """What ``kyomei compare`` prints: figures, shape of the spaces, corrections, failures.

    Args:
        comparison: What was measured.
        spaces: ``measure_spaces`` of the same comparison where it is known already.

    Raises:
        DataError: If no method has every fold and direction.
    """
    complete = settled(comparison)
    measured = measure_spaces(complete) if spaces is None else spaces
    parts = []
    for protocol in measured_protocols(complete):
        parts += [f"protocol {protocol}", text_table(main_table(complete, protocol, narrow=True))]
    parts += ["shape of the spaces", text_table(shape_table(measured))]
    for protocol in corrected_protocols(measured):
        parts.append(f"gain of corrections at search time, protocol {protocol}")
        parts.append(text_table(correction_table(measured, protocol)))
    parts += [f"not compared: {method}: {why}" for method, why in complete.failures.items()]
    parts += [f"note: {note}" for note in complete.notes]
    return "\n\n".join([*parts, in_short(complete).replace("**", "")])


def _write_text(path: Path, text: str) -> None:
    write_bytes_atomically(path, text.encode())
