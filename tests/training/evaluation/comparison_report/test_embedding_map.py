"""The t-SNE map: rows drawn by lot, colours of classes, markers of views, small sets."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import to_hex
from sklearn.metrics import silhouette_score
from threadpoolctl import threadpool_info

from models.errors import ShapeError
from tests.training.evaluation.comparison_report.small_comparison import small_comparison
from training.evaluation.comparison_report import embedding_map
from training.evaluation.comparison_report.embedding_map import (
    MAXIMUM_ROWS,
    flat_map,
    plot_embedding_map,
    sample_rows,
)
from training.evaluation.comparison_report.threads import one_thread
from training.evaluation.figures import class_colours


@pytest.fixture(scope="module")
def views():
    return small_comparison(n_folds=1, methods={"c-cca": 0.15}).folds[0].embedded


@pytest.fixture
def figures(monkeypatch):
    drawn = []
    monkeypatch.setattr(embedding_map, "save_figure", lambda figure, _: drawn.append(figure))
    monkeypatch.setattr(embedding_map, "flat_map", lambda rows, **_: rows[:, :2])
    return drawn


def _points(figure):
    return [c for c in figure.axes[0].collections if len(c.get_offsets())]


def test_classes_that_lie_apart_lie_apart_on_the_map(views):
    rows = sample_rows(views, rng=np.random.default_rng(0))
    places = flat_map(rows.embedding, seed=0)
    assert places.shape == (42, 2)
    assert silhouette_score(places, rows.labels) > 0.5


def test_the_same_seed_gives_the_same_map(views):
    rows = views["audio"].embedding
    np.testing.assert_array_equal(flat_map(rows, seed=1), flat_map(rows, seed=1))


def test_a_map_is_laid_out_by_one_thread_and_the_others_come_back():
    before = threadpool_info()
    with one_thread():
        assert {pool["num_threads"] for pool in threadpool_info()} == {1}
    flat_map(np.eye(5, dtype=np.float32), seed=0)
    assert threadpool_info()[: len(before)] == before


@pytest.mark.parametrize("rows", [np.eye(4), np.ones((5, 3)), np.ones((6, 1))])
def test_small_flat_and_one_dimensional_sets_are_laid_out(rows):
    assert np.isfinite(flat_map(rows.astype(np.float32), seed=0)).all()


def test_too_few_rows_are_refused():
    with pytest.raises(ShapeError, match="4 rows"):
        flat_map(np.eye(3, dtype=np.float32), seed=0)


def test_large_sets_are_cut_to_the_same_number_of_each_view(views):
    many = {
        name: replace(
            view,
            embedding=np.repeat(view.embedding, 60, axis=0),
            ids=np.arange(60 * len(view.ids)).astype(str),
            labels=np.repeat(view.labels, 60),
        )
        for name, view in views.items()
    }
    rows = sample_rows(many, rng=np.random.default_rng(0))
    assert len(rows.labels) == MAXIMUM_ROWS
    assert [int((rows.views == name).sum()) for name in views] == [MAXIMUM_ROWS // 2] * 2


def test_colour_says_the_class_and_marker_the_view(views, figures, tmp_path):
    classes = ("class 0", "class 1", "class 2")
    plot_embedding_map(views, classes, tmp_path / "unused.png", title="map", seed=0)
    points = _points(figures[0])
    assert len(points) == 6
    assert sum(len(c.get_offsets()) for c in points) == 42
    assert {to_hex(c.get_facecolor()[0]) for c in points} == set(class_colours(3))
    first, second = points[0].get_paths()[0], points[3].get_paths()[0]
    assert len(first.vertices) != len(second.vertices)
    names = [text.get_text() for legend in figures[0].legends for text in legend.get_texts()]
    assert names == ["audio", "visual", *classes]


def test_without_classes_colour_says_the_view(views, figures, tmp_path):
    bare = {name: replace(view, labels=None) for name, view in views.items()}
    plot_embedding_map(bare, (), tmp_path / "unused.png", title="map", seed=0)
    points = _points(figures[0])
    assert {to_hex(c.get_facecolor()[0]) for c in points} == set(class_colours(2))
    assert len(figures[0].legends) == 1


def test_many_classes_get_different_colours():
    assert len({to_hex(colour) for colour in class_colours(40)}) == 40


def test_the_map_is_a_png_file(views, tmp_path):
    plot_embedding_map(views, ("a", "b", "c"), tmp_path / "map.png", title="map", seed=0)
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")
