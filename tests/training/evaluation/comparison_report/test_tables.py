"""Tables of a comparison: the figures in them are those of the folds."""

import csv
import io

import numpy as np
import pytest

from tests.training.evaluation.comparison_report.small_comparison import small_comparison
from training.evaluation.comparison_report.tables import (
    latex_tables,
    main_table,
    results_csv,
    seconds,
)


@pytest.fixture(scope="module")
def comparison():
    return small_comparison(paired=True)


def test_the_main_table_has_chance_first_and_then_the_best(comparison):
    table = main_table(comparison, "class")
    assert [row[0] for row in table.rows] == ["chance", "tnn-c-cca@published", "c-cca", "cca"]
    assert table.head[1:4] == ("MAP audio → visual", "MAP visual → audio", "MAP mean")


def test_a_cell_is_mean_and_spread_over_folds(comparison):
    table = main_table(comparison, "class")
    values = [
        d.scores.map
        for result in comparison.of("c-cca")
        for d in result.directions
        if (d.protocol, d.query) == ("class", "audio")
    ]
    assert table.rows[2][1] == f"{np.mean(values):.3f} ± {np.std(values, ddof=1):.3f}"


def test_partners_are_told_by_mrr_and_recall(comparison):
    head = main_table(comparison, "instance").head
    assert head[1] == "MRR audio → visual"
    assert head[-4:] == ("R@1", "R@5", "R@10", "fit s")


def test_the_best_of_each_column_is_stressed_and_chance_never(comparison):
    table = main_table(comparison, "class")
    for column in range(1, len(table.head) - 1):
        means = [float(row[column].split()[0]) for row in table.rows[1:]]
        stressed = {row - 1 for row, c in table.bold if c == column}
        assert stressed == {number for number, mean in enumerate(means) if mean == max(means)}


def test_one_fold_is_shown_without_a_spread():
    table = main_table(small_comparison(n_folds=1), "class")
    assert not any("±" in cell for row in table.rows for cell in row)


def test_the_csv_holds_every_value_of_every_fold(comparison):
    rows = list(csv.DictReader(io.StringIO(results_csv(comparison))))
    expected = {
        (r.method, d.protocol, d.query, d.target, metric, str(r.fold)): (
            value,
            d.chance.as_dict()[metric],
        )
        for r in comparison.folds
        for d in r.directions
        for metric, value in d.scores.as_dict().items()
    }
    keys = ("method", "protocol", "query", "target", "metric", "fold")
    found = {
        tuple(row[key] for key in keys): (float(row["value"]), float(row["chance"])) for row in rows
    }
    assert len(rows) == len(expected)
    assert found == expected


def test_the_latex_file_has_a_table_per_protocol(comparison):
    text = latex_tables(comparison, ["class", "instance"])
    assert text.count(r"\begin{table}") == text.count(r"\end{table}") == 2
    assert r"\label{tab:instance}" in text
    rows = [line for line in text.splitlines() if line.startswith("c-cca")]
    assert [row.count("&") for row in rows] == [6, 7]


@pytest.mark.parametrize(("value", "text"), [(0.034, "0.03"), (9.994, "9.99"), (44.4, "44")])
def test_seconds_have_the_digits_that_matter(value, text):
    assert seconds(value) == text


def test_many_directions_are_left_out_where_room_is_scarce():
    wide = small_comparison(views=("audio", "visual", "lyrics"), n_rows=(9, 9, 9), n_folds=1)
    assert len(main_table(wide, "class").head) == 1 + 6 + 4
    assert main_table(wide, "class", narrow=True).head[1] == "MAP mean"
