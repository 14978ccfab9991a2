"""Per-class table and confusion plot of one method against counts by hand."""

from dataclasses import replace

import matplotlib.image
import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from tests.training.evaluation.comparison_report.small_comparison import small_comparison
from training.evaluation.comparison_report import classes
from training.evaluation.comparison_report.classes import (
    class_table,
    confusions,
    plot_confusions,
)


@pytest.fixture(scope="module")
def comparison():
    return small_comparison(methods={"c-cca": 0.6})


def test_the_table_pools_the_queries_of_all_folds(comparison):
    table = class_table(comparison, "c-cca")
    assert table.head[:4] == ("class", "audio queries", "MAP audio → visual", "chance")
    assert [row[0] for row in table.rows] == ["class 0", "class 1", "class 2"]
    precisions = []
    for result in comparison.folds:
        scores = result.directions[0].scores
        precisions += scores.average_precisions[scores.query_keys == 1].tolist()
    assert table.rows[1][1] == str(len(precisions)) == "18"
    assert table.rows[1][2] == f"{np.mean(precisions):.3f}"


def test_classes_that_a_direction_lacks_are_left_empty(comparison):
    unequal = small_comparison(methods={"c-cca": 0.6}, n_classes=3, n_rows=(2, 24), n_folds=1)
    table = class_table(replace(unequal, classes=(*unequal.classes, "never seen")), "c-cca")
    assert [row[0] for row in table.rows] == ["class 0", "class 1"]
    first = unequal.folds[0]
    only_one = replace(first, directions=[d for d in first.directions if d.query == "visual"][:1]
                       + [d for d in first.directions if d.query == "audio"][:1])  # fmt: skip
    scores = only_one.directions[1].scores
    kept = replace(scores, query_keys=np.zeros_like(scores.query_keys))
    only_one.directions[1] = replace(only_one.directions[1], scores=kept)
    rows = class_table(replace(unequal, folds=[only_one]), "c-cca").rows
    assert rows[1][4:7] == ("0", "", "")


def test_first_answers_are_counted_as_by_scikit_learn(comparison):
    counts = confusions(comparison, "c-cca")
    expected = np.zeros((3, 3))
    for result in comparison.folds:
        a, v = result.embedded["audio"], result.embedded["visual"]
        first = np.argmax(a.embedding @ v.embedding.T, axis=1)
        expected += confusion_matrix(a.labels, v.labels[first], labels=[0, 1, 2])
    np.testing.assert_allclose(counts["audio", "visual"], expected)
    assert set(counts) == {("audio", "visual"), ("visual", "audio")}


def test_a_fold_without_labels_of_one_view_adds_nothing(comparison):
    first = comparison.folds[0]
    bare = {name: replace(view, labels=None) for name, view in first.embedded.items()}
    folds = [first, replace(first, embedded=bare)]
    both = confusions(replace(comparison, folds=folds), "c-cca")
    one = confusions(replace(comparison, folds=[first]), "c-cca")
    for pair in one:
        np.testing.assert_array_equal(both[pair], one[pair])


@pytest.fixture
def figures(monkeypatch):
    drawn = []
    monkeypatch.setattr(classes, "save_figure", lambda figure, _: drawn.append(figure))
    return drawn


def test_the_plot_shows_shares_of_rows_with_class_names(figures, tmp_path):
    counts = {("audio", "visual"): np.array([[3.0, 1, 0], [0, 2, 0], [0, 0, 0]])}
    names = ("dog", "cat", "unused")
    plot_confusions(counts, names, tmp_path / "unused.png", title="c-cca")
    panel = figures[0].axes[0]
    shares = np.asarray(panel.images[0].get_array())
    np.testing.assert_allclose(shares, np.array([[0.75, 0.25], [0.0, 1.0]]))
    assert [label.get_text() for label in panel.get_yticklabels()] == ["dog", "cat"]
    assert [text.get_text() for text in panel.texts] == ["75", "25", "100"]
    assert panel.get_ylabel() == "class of the audio query"


def test_many_classes_are_shown_without_figures(figures, tmp_path):
    counts = {("audio", "visual"): np.eye(17)}
    plot_confusions(counts, tuple(f"c{i}" for i in range(17)), tmp_path / "u.png", title="c-cca")
    assert len(figures[0].axes[0].texts) == 0


def test_the_plot_is_a_png_file(comparison, tmp_path):
    counts = confusions(comparison, "c-cca")
    plot_confusions(counts, comparison.classes, tmp_path / "c.png", title="c-cca")
    assert matplotlib.image.imread(tmp_path / "c.png").ndim == 3
