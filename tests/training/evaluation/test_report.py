"""Tables and plots of one space: every figure is there, every history can be drawn."""

import matplotlib.image
import pytest

from tests.training.feature_sets import paired_features
from training.evaluation import report
from training.evaluation.protocol import evaluate
from training.evaluation.report import plot_history, plot_recall, results_json, results_table
from training.loops.linear_recipe import LinearConfig, fit_linear_space

SMALL = LinearConfig(
    ridges=(0.1, 1.0), betas=(0.0, 0.5), correlation_powers=(1.0,), n_components=(4,)
)
EPOCHS = [
    {"epoch": 0, "loss": 2.0, "validation_score": 0.1},
    {"epoch": 1, "loss": 1.0, "validation_score": 0.4, "learning_rate": 0.1},
    {"epoch": 2, "loss": 0.5, "validation_score": 0.3},
]


@pytest.fixture(scope="module")
def fitted():
    data = paired_features(seed=0)
    space, _, tried = fit_linear_space("c-cca", data, SMALL, progress=False)
    return evaluate(space, data), [setting.as_dict() for setting in tried]


@pytest.fixture
def panels(monkeypatch):
    """Panels of the figure that is saved, instead of the file."""
    drawn = []
    monkeypatch.setattr(report, "save_figure", lambda figure, _: drawn.extend(figure.axes))
    return drawn


def _lines(panel):
    return [line.get_xydata().tolist() for line in panel.lines if len(line.get_xdata()) > 0]


def test_the_table_shows_every_direction_with_chance_beside_it(fitted):
    directions, _ = fitted
    table = results_table(directions)
    assert "audio -> visual" in table
    assert "visual -> audio" in table
    first = directions[0]
    assert f"{first.scores.map:.3f} ({first.chance.map:.3f})" in table


def test_the_json_has_every_figure_of_every_direction(fitted):
    directions, _ = fitted
    rows = results_json(directions, split="test")["rows"]
    assert len(rows) == sum(len(d.scores.as_dict()) for d in directions)
    assert rows[0]["value"] == directions[0].scores.map
    assert rows[0]["chance"] == directions[0].chance.map


def test_a_linear_history_is_drawn_as_the_best_score_of_each_ridge(fitted, panels, tmp_path):
    _, history = fitted
    plot_history(history, tmp_path / "unused.png")
    assert len(_lines(panels[0])) == 2  # one per beta
    for line, beta in zip(_lines(panels[0]), (0.0, 0.5), strict=True):
        for ridge, score in line:
            tried = [e for e in history if (e["beta"], e["ridge"]) == (beta, ridge)]
            assert score == max(e["validation_score"] for e in tried)


def test_a_ridge_of_zero_is_drawn_on_a_linear_axis(panels, tmp_path):
    history = [{"ridge": 0.0, "validation_score": -0.1}, {"ridge": 1.0, "validation_score": 0.2}]
    plot_history(history, tmp_path / "unused.png")
    assert panels[0].get_xscale() == "linear"
    assert _lines(panels[0]) == [[[0.0, -0.1], [1.0, 0.2]]]


def test_a_gradient_history_is_drawn_as_score_and_loss_by_epoch(panels, tmp_path):
    plot_history(EPOCHS, tmp_path / "unused.png")
    assert _lines(panels[0])[0] == [[0, 0.1], [1, 0.4], [2, 0.3]]
    assert _lines(panels[1])[0] == [[0, 2.0], [1, 1.0], [2, 0.5]]
    assert "epoch 1" in panels[0].get_title()


def test_each_strength_of_dropout_and_the_refit_have_a_line(panels, tmp_path):
    history: list[dict[str, float | str]] = [
        {"epoch": e, "validation_score": 0.1 * e, "loss": 1.0 / e, "dropout": d}
        for d in (0.6, 0.24)
        for e in (1, 2, 3)
    ]
    history += [{"epoch": e, "loss": 0.5 / e, "phase": "refit"} for e in (1, 2)]
    plot_history(history, tmp_path / "history.png")
    drawn = {line.get_label(): list(line.get_xdata()) for line in panels[1].get_lines()}
    assert drawn["train rows, dropout 0.6"] == drawn["train rows, dropout 0.24"] == [1, 2, 3]
    assert drawn["train and validation rows"] == [1, 2]


def test_epochs_without_a_loss_are_left_out_of_its_line_only(panels, tmp_path):
    plot_history([{"epoch": 0, "validation_score": 0.2}, *EPOCHS[1:]], tmp_path / "unused.png")
    assert len(_lines(panels[0])[0]) == 3
    assert _lines(panels[1])[0] == [[1, 1.0], [2, 0.5]]


def test_other_settings_are_drawn_in_the_order_tried(panels, tmp_path):
    history = [{"strength": s, "validation_score": v} for s, v in ((1, 0.2), (10, 0.5))]
    plot_history(history, tmp_path / "unused.png")
    assert _lines(panels[0]) == [[[0, 0.2], [1, 0.5]]]


@pytest.mark.parametrize("history", [[], EPOCHS])
def test_plots_are_png_files_that_can_be_read(history, fitted, tmp_path):
    plot_history(history, tmp_path / "new" / "history.png")
    plot_recall(fitted[0], tmp_path / "recall.png")
    for path in (tmp_path / "new" / "history.png", tmp_path / "recall.png"):
        rows, columns, _ = matplotlib.image.imread(path).shape
        assert rows > 300
        assert columns > 500
    assert not list(tmp_path.glob(".*"))
