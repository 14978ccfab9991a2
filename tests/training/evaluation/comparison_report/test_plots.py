"""Plots say what the figures say: bars, points, lines and labels against the values."""

import matplotlib.image
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import DataError
from tests.training.evaluation.comparison_report.small_comparison import small_comparison
from training.evaluation.comparison_report import bars_plots, sweep
from training.evaluation.comparison_report.bars_plots import (
    plot_bars,
    plot_fit_seconds,
    spread_out,
)
from training.evaluation.comparison_report.summary import ranking
from training.evaluation.comparison_report.sweep import write_sweep
from training.evaluation.figures import line_style, new_panels

POINTS = [
    (k, method, direction, 0.1 * k + repeat)
    for k in (2, 4)
    for method in ("cca", "c-cca")
    for direction in ("audio → visual", "visual → audio")
    for repeat in (0.0, 0.2)
]


@pytest.fixture(scope="module")
def ranked():
    return ranking(small_comparison(), "class")


@pytest.fixture
def panels(monkeypatch):
    drawn = []
    for module in (bars_plots, sweep):
        monkeypatch.setattr(module, "save_figure", lambda figure, _: drawn.extend(figure.axes))
    return drawn


def test_bars_are_the_means_with_the_best_on_top(ranked, panels, tmp_path):
    plot_bars(ranked, tmp_path / "unused.png", metric="map")
    bars = panels[0].patches
    widths = [bar.get_width() for bar in bars]
    assert widths == pytest.approx([one.figure.mean for one in ranked])
    assert bars[0].get_y() == max(bar.get_y() for bar in bars)
    labels = [label.get_text() for label in panels[0].get_yticklabels()]
    assert labels == [one.method for one in ranked]


def test_whiskers_are_the_spread_over_folds_and_chance_is_dotted(ranked, panels, tmp_path):
    plot_bars(ranked, tmp_path / "unused.png", metric="map")
    whiskers = panels[0].collections[0].get_segments()
    for segment, one in zip(whiskers, ranked, strict=True):
        expected = [one.figure.mean - one.figure.std, one.figure.mean + one.figure.std]
        np.testing.assert_allclose(segment[:, 0], expected)
    (chance,) = [line for line in panels[0].lines if line.get_linestyle() == ":"]
    assert chance.get_xdata()[0] == ranked[0].figure.mean_chance


def test_time_is_drawn_against_quality_with_every_name(ranked, panels, tmp_path):
    plot_fit_seconds(ranked, tmp_path / "unused.png", metric="map")
    points = [c.get_offsets()[0].tolist() for c in panels[0].collections]
    assert points == [[one.fit_seconds, one.figure.mean] for one in ranked]
    names = {text.get_text() for text in panels[0].texts}
    assert names == {"chance", *(one.method for one in ranked)}


@given(st.lists(st.floats(-1.0, 1.0), min_size=1, max_size=12), st.floats(0.01, 0.5))
def test_labels_keep_their_order_and_distance(wanted, gap):
    descending = np.sort(wanted)[::-1]
    places = spread_out(descending, gap=gap)
    assert (places[:-1] - places[1:] >= gap - 1e-9).all()
    assert places.mean() == pytest.approx(descending.mean(), abs=1e-9)


def test_labels_far_apart_stay_where_they_are():
    np.testing.assert_allclose(spread_out(np.array([0.9, 0.5, 0.1]), gap=0.1), [0.9, 0.5, 0.1])


def test_labels_too_near_move_apart_around_their_middle():
    places = spread_out(np.array([0.9, 0.5, 0.5, 0.5]), gap=0.1)
    np.testing.assert_allclose(places, [0.9, 0.6, 0.5, 0.4])


def test_a_sweep_has_a_panel_per_direction_and_a_line_per_method(panels, tmp_path):
    write_sweep(POINTS, tmp_path / "unused.png", setting="components K", chance=0.1)
    assert [panel.get_title() for panel in panels] == ["audio → visual", "visual → audio"]
    lines = [line for line in panels[0].lines if len(line.get_xdata()) == 2 and
             line.get_marker() == "o"]  # fmt: skip
    for line in lines:
        np.testing.assert_allclose(line.get_xydata(), [[2, 0.3], [4, 0.5]])
    assert len(lines) == 2
    assert panels[0].get_xlabel() == "components K"


def test_a_setting_over_decades_is_drawn_on_a_logarithmic_axis(panels, tmp_path):
    points = [(float(10**k), "c-cca", "audio → visual", 0.1 * k) for k in range(4)]
    write_sweep(points, tmp_path / "unused.png", setting="ridge")
    assert panels[0].get_xscale() == "log"
    labels = [label.get_text() for label in panels[0].get_xticklabels()]
    assert labels == ["1", "10", "100", "1000"]


def test_many_settings_leave_the_ticks_to_the_axis(panels, tmp_path):
    points = [(float(k), "c-cca", "audio → visual", 0.1) for k in range(1, 30)]
    write_sweep(points, tmp_path / "unused.png", setting="K")
    assert len(panels[0].get_xticks()) < 29


def test_a_sweep_without_points_is_refused(tmp_path):
    with pytest.raises(DataError, match="got none"):
        write_sweep([], tmp_path / "unused.png", setting="K")


def test_a_place_without_a_panel_stays_empty():
    figure, panels = new_panels(3, columns=2)
    assert len(panels) == 3
    assert [place.axison for place in figure.axes] == [True, True, True, False]


def test_forty_lines_have_a_style_of_their_own():
    assert len({str(line_style(number)) for number in range(40)}) == 40


def test_plots_are_png_files_that_can_be_read(ranked, tmp_path):
    plot_bars(ranked, tmp_path / "bars.png", metric="map")
    plot_fit_seconds(ranked, tmp_path / "seconds.png", metric="map")
    write_sweep(POINTS, tmp_path / "sweep.png", setting="K")
    for path in tmp_path.iterdir():
        rows, columns, _ = matplotlib.image.imread(path).shape
        assert rows > 200
        assert columns > 500
