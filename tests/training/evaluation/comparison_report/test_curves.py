"""Curves over folds against brute force, and the panels and lines that show them."""

import matplotlib.image
import numpy as np
import pytest

from tests.training.evaluation.comparison_report.small_comparison import small_comparison
from training.evaluation.comparison_report import curves, curves_plots
from training.evaluation.comparison_report.curves import class_curves, partner_curves, scopes
from training.evaluation.comparison_report.curves_plots import (
    plot_partner_recall,
    plot_precision_recall,
    plot_precision_scope,
)


@pytest.fixture(scope="module")
def comparison():
    return small_comparison(paired=True)


@pytest.fixture(scope="module")
def found(comparison):
    return class_curves(comparison)


def _ranked_labels(result, query, target):
    """Is each gallery item, nearest first, of the class of the query?  (Q, G)."""
    a, b = result.embedded[query], result.embedded[target]
    order = np.argsort(-(a.embedding @ b.embedding.T), axis=1)
    return b.labels[order] == a.labels[:, None]


def test_precision_at_k_is_the_share_of_right_answers(comparison, found):
    curve = next(c for c in found.scope if (c.method, c.pair) == ("cca", ("visual", "audio")))
    right = [_ranked_labels(r, "visual", "audio") for r in comparison.of("cca")]
    for number, k in enumerate(curve.x.astype(int)):
        expected = [fold[:, :k].mean() for fold in right]
        np.testing.assert_allclose(curve.values[:, number], expected)


def test_precision_at_a_recall_is_the_best_from_there_on(comparison, found):
    curve = next(c for c in found.recall if (c.method, c.pair) == ("cca", ("audio", "visual")))
    right = _ranked_labels(comparison.of("cca")[0], "audio", "visual")
    hits = right.cumsum(axis=1)
    precision = hits / np.arange(1, right.shape[1] + 1)
    recall = hits / right.sum(axis=1, keepdims=True)
    for number, level in enumerate(curve.x):
        best = [p[r >= level - 1e-9].max() for p, r in zip(precision, recall, strict=True)]
        assert curve.values[0, number] == pytest.approx(np.mean(best))


def test_chance_is_the_share_of_relevant_items(found):
    np.testing.assert_allclose(found.recall[0].chance, 1 / 3)
    np.testing.assert_allclose(found.scope[0].chance, 1 / 3)


def test_the_best_method_comes_first(found):
    assert [c.method for c in found.recall[:2]] == ["tnn-c-cca@published"] * 2
    assert [c.pair for c in found.recall[:2]] == [("audio", "visual"), ("visual", "audio")]


def test_partners_among_the_first_k_are_counted(comparison):
    curve = next(c for c in partner_curves(comparison) if c.method == "c-cca")
    for fold, result in enumerate(comparison.of("c-cca")):
        (ranks,) = [d.scores.ranks for d in result.directions
                    if (d.protocol, d.query) == ("instance", "audio")]  # fmt: skip
        expected = [np.mean(ranks <= k) for k in curve.x]
        np.testing.assert_allclose(curve.values[fold], expected)
    np.testing.assert_allclose(curve.chance[0], curve.x / 24)


def test_many_queries_are_drawn_by_lot_from_all_of_them(comparison, monkeypatch):
    monkeypatch.setattr(curves, "MOST_QUERIES", 5)
    few, again = class_curves(comparison), class_curves(comparison)
    for one, other in zip(few.scope, again.scope, strict=True):
        np.testing.assert_array_equal(one.values, other.values)
        assert set(np.round(one.values[:, 0] * 5, 9)) <= {0, 1, 2, 3, 4, 5}


def test_without_a_protocol_there_are_no_curves():
    assert class_curves(small_comparison(labelled=False, paired=True)).recall == []
    assert partner_curves(small_comparison()) == []


@pytest.mark.parametrize(
    ("n_gallery", "expected"), [(1, [1]), (10, [1, 2, 3, 5, 7, 10]), (25, [1, 2, 3, 5, 7, 10, 20])]
)
def test_scopes_end_within_the_gallery(n_gallery, expected):
    assert scopes(n_gallery).tolist() == expected


def test_a_plot_has_a_panel_per_direction_with_the_best_on_top(found, monkeypatch, tmp_path):
    figures = []
    monkeypatch.setattr(curves_plots, "save_figure", lambda figure, _: figures.append(figure))
    plot_precision_recall(found.recall, tmp_path / "unused.png")
    panels = [panel for panel in figures[0].axes if panel.get_title()]
    assert [panel.get_title() for panel in panels] == ["audio → visual", "visual → audio"]
    lines = {line.get_label(): line for line in panels[0].lines}
    assert set(lines) == {"cca", "c-cca", "tnn-c-cca@published", "chance"}
    for curve in found.recall:
        if curve.pair == ("audio", "visual"):
            drawn = lines[curve.method].get_ydata()
            np.testing.assert_allclose(drawn, curve.values.mean(axis=0))
    assert panels[0].lines[-2].get_label() == "tnn-c-cca@published"
    names = [text.get_text() for text in figures[0].legends[0].get_texts()]
    assert names == ["tnn-c-cca@published", "c-cca", "cca", "chance"]


def test_six_directions_fill_two_rows(monkeypatch, tmp_path):
    figures = []
    monkeypatch.setattr(curves_plots, "save_figure", lambda figure, _: figures.append(figure))
    three = small_comparison(
        views=("audio", "visual", "lyrics"), n_rows=(9, 9, 9), n_folds=1, methods={"cca": 1.0}
    )
    plot_precision_scope(class_curves(three).scope, tmp_path / "unused.png")
    assert len({round(panel.get_position().y0, 2) for panel in figures[0].axes}) == 2


def test_twenty_methods_all_get_a_style_of_their_own(monkeypatch, tmp_path):
    figures = []
    monkeypatch.setattr(curves_plots, "save_figure", lambda figure, _: figures.append(figure))
    many = small_comparison(
        methods={f"method {i}": 0.5 + i / 20 for i in range(20)}, n_folds=1, n_rows=(6, 6)
    )
    plot_precision_scope(class_curves(many).scope, tmp_path / "unused.png")
    lines = figures[0].axes[0].lines
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == 21


def test_plots_are_png_files_that_can_be_read(comparison, found, tmp_path):
    plot_precision_recall(found.recall, tmp_path / "recall.png")
    plot_precision_scope(found.scope, tmp_path / "scope.png")
    plot_partner_recall(partner_curves(comparison), tmp_path / "partners.png")
    for path in tmp_path.iterdir():
        assert matplotlib.image.imread(path).shape[1] > 800
