"""``report.md``: what was compared, how, who is best, how sure that is, and what to look at."""

from collections.abc import Sequence

from training.evaluation.comparison import Comparison
from training.evaluation.comparison_report.certainty import certainty_table, not_told_apart
from training.evaluation.comparison_report.classes import class_table
from training.evaluation.comparison_report.plots import Plot
from training.evaluation.comparison_report.results_file import PROTOCOL_WORDS
from training.evaluation.comparison_report.spaces import (
    MeasuredSpace,
    corrected_protocols,
    correction_table,
    shape_table,
)
from training.evaluation.comparison_report.summary import (
    METRIC_NAMES,
    best_method,
    main_metric,
    main_protocol,
    measured_protocols,
    ranking,
)
from training.evaluation.comparison_report.table import (
    escape_markdown,
    make_table,
    markdown_table,
)
from training.evaluation.comparison_report.tables import main_table, spread
from training.evaluation.protocol import CLASS, CLASS_AVERAGED

_HOW_SURE = """The interval (95 %, percentile bootstrap over the queries of all folds) covers the \
choice of queries with the spaces as they are. p asks whether the folds tell the best method from \
the other: corrected resampled t-test (Nadeau and Bengio 2003), then Holm's correction for the \
number of methods, and the exact sign-flip test, which with F folds cannot go below 2 / 2^F. The \
best method was picked by the same figures, so a p near 0.05 is weak."""
_SHAPES = """Means over directions and folds. Modality gap: distance between the centroids of two \
views, 0 to 2. Cosines: mean over pairs of one class, over true pairs and over any pairs. Hubness: \
skewness of how often each item is among the first 10 answers; far above chance, a few items are \
answers to everything. Never found: items among the first 10 of no query. Of each view and fold at \
most about 1,000 rows are measured."""
_CORRECTIONS = """What the same spaces reach when rows or similarities are corrected at search \
time by what the training rows say, without new training: centring each view, whitening each view, \
CSLS. Gains are means over directions and folds on the same rows; the best of each row is bold."""


def report_markdown(
    comparison: Comparison, plots: Sequence[Plot], spaces: Sequence[MeasuredSpace]
) -> str:
    """Write the report.

    Args:
        comparison: Complete, see ``settled``.
        plots: Of the same folder.
        spaces: ``measure_spaces`` of the same comparison.
    """
    parts = [
        f"# {len(comparison.methods)} methods on {escape_markdown(comparison.data)}",
        _head(comparison),
        _notes(comparison),
        "## In short",
        in_short(comparison),
        *_figures(comparison),
        *_certainty(comparison),
        *_classes(comparison),
        *_space_sections(spaces),
        *_choices(comparison),
        "## Plots",
        *_plot_parts(plots),
        "Retrieval examples: [examples.md](examples.md). All values: `results.json`, "
        "`results.csv`. Main tables for a paper: `table.tex`.",
    ]
    return "\n\n".join(parts) + "\n"


def in_short(comparison: Comparison) -> str:
    """Best method of each protocol beside chance, and which others the folds do not tell from it.

    Class-averaged figures are left out: they rank the same answers as the protocol ``class``.
    """
    main = main_protocol(comparison)
    sentences = [_best(comparison, p) for p in (main, *_other_protocols(comparison, main))]
    return " ".join([*sentences, f"Plots of one method show the best of the protocol {main}."])


def _other_protocols(comparison: Comparison, main: str) -> list[str]:
    """Other protocols that have a ranking of their own."""
    return [p for p in measured_protocols(comparison) if p not in (main, CLASS_AVERAGED)]


def _best(comparison: Comparison, protocol: str) -> str:
    metric = METRIC_NAMES[main_metric(protocol)]
    best = ranking(comparison, protocol)[0]
    text = (
        f"Protocol {protocol}: **{best.method}** is best with {metric} {spread(best.figure)}, the "
        f"mean of all directions and folds (chance {best.figure.mean_chance:.3f})."
    )
    alike = not_told_apart(comparison, protocol)
    if not alike:
        return text
    return f"{text} Not told from it at p (Holm) < 0.05 by these folds: {', '.join(alike)}."


def _head(comparison: Comparison) -> str:
    facts = {
        "command": f"`{comparison.command}`",
        "data": escape_markdown(comparison.data),
        "classes": str(len(comparison.classes)),
        "folds": str(comparison.n_folds),
        "seed": str(comparison.seed),
        "machine": escape_markdown(comparison.machine),
    }
    words = [f"- protocol **{p}**: {PROTOCOL_WORDS[p]}" for p in measured_protocols(comparison)]
    words.append(
        "- query and gallery are of different views, so a query is never its own answer; the "
        "gallery holds every test row of the other view, true partners included"
    )
    return "\n".join([*(f"- {name}: {value}" for name, value in facts.items()), *words])


def _notes(comparison: Comparison) -> str:
    notes = [f"- {escape_markdown(note)}" for note in comparison.notes]
    notes += [
        f"- not compared: {escape_markdown(method)}: {escape_markdown(why)}"
        for method, why in comparison.failures.items()
    ]
    return "\n".join(["**Read first**", "", *(notes or ["- nothing special"])])


def _figures(comparison: Comparison) -> list[str]:
    parts = ["## Figures", "Mean ± standard deviation over folds, best of each column bold."]
    for protocol in measured_protocols(comparison):
        table = main_table(comparison, protocol)
        parts += [f"### Protocol {protocol}", markdown_table(table)]
    return parts


def _certainty(comparison: Comparison) -> list[str]:
    parts = ["## How sure is the order", _HOW_SURE]
    for protocol in measured_protocols(comparison):
        if protocol != CLASS_AVERAGED:
            table = certainty_table(comparison, protocol)
            parts += [f"### Protocol {protocol}", markdown_table(table)]
    return parts


def _classes(comparison: Comparison) -> list[str]:
    if CLASS not in measured_protocols(comparison):
        return []
    best = best_method(comparison)
    return [f"## Classes of {best}", markdown_table(class_table(comparison, best))]


def _space_sections(spaces: Sequence[MeasuredSpace]) -> list[str]:
    parts = ["## Shape of the spaces", _SHAPES, markdown_table(shape_table(spaces))]
    parts += ["## Corrections at search time", _CORRECTIONS]
    for protocol in corrected_protocols(spaces):
        table = correction_table(spaces, protocol)
        parts += [f"### Protocol {protocol}", markdown_table(table)]
    return parts


def _choices(comparison: Comparison) -> list[str]:
    """What each method chose on validation; where folds differ, one value per fold."""
    rows = []
    for method in comparison.methods:
        results = comparison.of(method)
        words = []
        for name in results[0].parameters:
            values = [_short(result.parameters.get(name, "")) for result in results]
            kept = values if len(set(values)) > 1 else values[:1]
            words.append(f"{name} {' / '.join(kept)}")
        rows.append([method, ", ".join(words)])
    table = make_table(["method", "choices"], rows, n_left=2)
    return [
        "## Choices",
        "Made on validation rows, per fold where they differ.",
        markdown_table(table),
    ]


def _plot_parts(plots: Sequence[Plot]) -> list[str]:
    parts = []
    for plot in plots:
        parts += [f"### {plot.title}", plot.reading, f"![{plot.title}]({plot.name})"]
    return parts


def _short(value: float | int | str) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
