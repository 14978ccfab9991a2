"""The whole folder: which files there are, what the report says and embeds."""

import json
import re
from dataclasses import replace

import pytest

from models.errors import DataError
from tests.training.evaluation.comparison_report.small_comparison import small_comparison
from training.evaluation.comparison_report import write
from training.evaluation.comparison_report.markdown import in_short
from training.evaluation.comparison_report.plots import file_name, sweep_plots
from training.evaluation.comparison_report.results_file import results_file
from training.evaluation.comparison_report.spaces import measure_spaces
from training.evaluation.comparison_report.sweep import write_sweep
from training.evaluation.comparison_report.write import comparison_text, write_report

TEXTS = {"report.md", "results.json", "results.csv", "table.tex", "examples.md"}


@pytest.fixture(scope="module")
def comparison():
    return small_comparison(paired=True, n_folds=2, failures={"kcca": "needs | memory"})


@pytest.fixture(scope="module")
def folder(comparison, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "new"
    write_report(comparison, path)
    return path


@pytest.fixture(scope="module")
def report(folder):
    return (folder / "report.md").read_text()


def test_every_file_is_written_and_nothing_else(folder):
    assert {path.name for path in folder.iterdir()} == TEXTS | {
        "map_bars.png",
        "mrr_bars.png",
        "fit_seconds.png",
        "precision_recall.png",
        "precision_scope.png",
        "recall_at_k.png",
        "confusion_tnn-c-cca_published.png",
        "embedding_map_tnn-c-cca_published.png",
        "embedding_map_cca.png",
    }


def test_every_plot_is_embedded_once_with_a_line_on_how_to_read_it(folder, report):
    embedded = re.findall(r"\n\n([^\n]+)\n\n!\[[^\]]+\]\(([^)]+)\)", report)
    assert sorted(name for _, name in embedded) == sorted(p.name for p in folder.glob("*.png"))
    assert all(len(reading) > 30 for reading, _ in embedded)


def test_the_report_starts_with_how_it_was_made_and_its_caveats(report):
    head = report[: report.index("## In short")]
    for words in ("kyomei compare --data", "seed: 0", "folds: 2", "2 cores", "made for a test"):
        assert words in head
    assert "not compared: kcca: needs \\| memory" in head
    assert all(f"protocol **{name}**" in head for name in ("class", "class-averaged", "instance"))


def test_the_report_has_its_sections_in_order(report):
    sections = re.findall(r"^## (.+)$", report, flags=re.MULTILINE)
    assert sections == [
        "In short",
        "Figures",
        "How sure is the order",
        "Classes of tnn-c-cca@published",
        "Shape of the spaces",
        "Corrections at search time",
        "Choices",
        "Plots",
    ]


def test_the_json_file_is_the_results_file(folder, comparison):
    assert json.loads((folder / "results.json").read_text()) == results_file(comparison)


def test_a_report_of_partners_only_has_no_class_parts(tmp_path):
    partners = small_comparison(paired=True, labelled=False, n_folds=1, methods={"sm": 0.5})
    results = write_report(replace(partners, notes=()), tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == TEXTS | {
        "mrr_bars.png", "fit_seconds.png", "recall_at_k.png", "embedding_map_sm.png"
    }  # fmt: skip
    text = (tmp_path / "report.md").read_text()
    assert "## Classes" not in text
    assert "nothing special" in text
    assert results["ranking"]["instance"][0]["method"] == "sm"


def test_sweeps_that_lie_in_the_folder_are_embedded(tmp_path):
    write_sweep([(2.0, "cca", "audio → visual", 0.5)], tmp_path / "sweep_margin.png", setting="m")
    assert [(plot.name, plot.title) for plot in sweep_plots(tmp_path)] == [
        ("sweep_margin.png", "MAP against margin")
    ]


def test_a_report_of_classes_only_has_no_partner_parts(tmp_path):
    write_report(small_comparison(n_folds=1, methods={"cca": 0.5}), tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == TEXTS | {
        "map_bars.png", "fit_seconds.png", "precision_recall.png", "precision_scope.png",
        "confusion_cca.png", "embedding_map_cca.png",
    }  # fmt: skip
    assert "protocol **instance**" not in (tmp_path / "report.md").read_text()


def test_known_spaces_are_not_measured_again(comparison, monkeypatch, tmp_path):
    spaces = measure_spaces(comparison)
    monkeypatch.setattr(write, "measure_spaces", None)
    monkeypatch.setattr(write, "write_plots", lambda *_: [])
    write_report(comparison, tmp_path, spaces)
    assert "modality gap" in comparison_text(comparison, spaces)


def test_in_short_names_the_best_of_each_protocol_and_what_is_alike():
    alike = small_comparison(paired=True, methods={"cca": 0.5, "sm": 0.5})
    text = in_short(alike)
    assert text.startswith("Protocol class: **")
    assert text.endswith("show the best of the protocol class.")
    assert "Protocol instance: **" in text
    assert "class-averaged" not in text
    assert text.count("Not told from it") >= 1
    apart = small_comparison(methods={"cca": 3.0, "sm": 0.05}, n_folds=5)
    assert "Not told from it" not in in_short(apart)


def test_choices_that_differ_between_folds_are_listed_by_fold(comparison, tmp_path, monkeypatch):
    monkeypatch.setattr(write, "write_plots", lambda *_: [])
    first, second = comparison.of("cca")
    folds = [replace(first, parameters={"ridge": 0.1, "kernel": "rbf"}),
             replace(second, parameters={"ridge": 0.30000001, "kernel": "rbf"})]  # fmt: skip
    write_report(replace(comparison, folds=folds), tmp_path)
    text = (tmp_path / "report.md").read_text()
    assert "| cca | ridge 0.1 / 0.3, kernel rbf |" in text


def test_the_printed_text_has_figures_shapes_corrections_and_failures(comparison):
    text = comparison_text(comparison)
    for words in ("protocol class\n", "MRR mean", "modality gap", "hubness", "csls",
                  "not compared: kcca: needs | memory", "note: made for a test"):  # fmt: skip
        assert words in text
    assert "**" not in text


def test_a_comparison_without_results_writes_nothing(comparison, tmp_path):
    with pytest.raises(DataError, match="got none"):
        write_report(replace(comparison, folds=[]), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_second_report_replaces_the_first(comparison, folder, monkeypatch):
    monkeypatch.setattr(write, "write_plots", lambda *_: [])
    before = (folder / "results.csv").read_bytes()
    write_report(comparison, folder)
    assert (folder / "results.csv").read_bytes() == before
    assert not list(folder.glob(".*"))


@pytest.mark.parametrize(
    ("method", "name"), [("c-cca", "map_c-cca.png"), ("a/b@c d", "map_a_b_c_d.png")]
)
def test_file_names_are_safe(method, name):
    assert file_name("map", method) == name
