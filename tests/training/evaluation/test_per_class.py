"""Figures by class and confusions against scikit-learn and loops."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score
from sklearn.metrics import confusion_matrix as sklearn_confusion

from models.errors import DataError, ShapeError
from training.evaluation import retrieval
from training.evaluation.chance import chance_average_precision
from training.evaluation.comparison import EmbeddedView
from training.evaluation.per_class import confusion_matrix, per_class_table
from training.evaluation.protocol import measure

CLASSES = ("bark", "clock", "train", "horn")


def _unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def views():
    """Two views of four classes; no query is a clock, and some rows have no class."""
    rng = np.random.default_rng(0)
    labels = {"audio": rng.choice([0, 2, 3, -1], 30), "visual": rng.integers(-1, 4, 40)}
    return {
        name: EmbeddedView(
            _unit(rng.normal(size=(len(y), 5))), np.array([f"{name} {i}" for i in range(len(y))]), y
        )
        for name, y in labels.items()
    }


def _directions(views):
    return measure({name: view.embedding for name, view in views.items()}, views)


@pytest.mark.parametrize("number", [0, 1])
def test_a_class_has_the_figures_of_its_own_queries(views, number):
    table = per_class_table(_directions(views)[number], CLASSES)
    assert [figures.name for figures in table] == ["bark", "train", "horn"]
    audio, visual = views["audio"], views["visual"]
    known = visual.labels >= 0
    for label, figures in zip((0, 2, 3), table, strict=True):
        relevant = visual.labels[known] == label
        precisions = [
            average_precision_score(relevant, visual.embedding[known] @ query)
            for query in audio.embedding[audio.labels == label]
        ]
        assert figures.n_queries == len(precisions)
        assert figures.map == pytest.approx(np.mean(precisions))
        expected = chance_average_precision(int(known.sum()), int(relevant.sum()))
        assert figures.chance == pytest.approx(expected)


def test_the_table_averages_to_the_figures_of_the_direction(views):
    plain, averaged = _directions(views)[:2]
    table = per_class_table(plain, CLASSES)
    assert np.mean([f.map for f in table]) == pytest.approx(averaged.scores.map)
    assert np.mean([f.chance for f in table]) == pytest.approx(averaged.chance.map)
    weights = [f.n_queries for f in table]
    assert np.average([f.map for f in table], weights=weights) == pytest.approx(plain.scores.map)


def test_figures_of_partners_have_no_classes(views):
    partners = {
        name: EmbeddedView(view.embedding[:9], np.arange(9).astype(str), None)
        for name, view in views.items()
    }
    with pytest.raises(DataError, match="protocol instance"):
        per_class_table(_directions(partners)[0], CLASSES)


def test_a_class_without_a_name_is_refused(views):
    with pytest.raises(DataError, match="name for class 3"):
        per_class_table(_directions(views)[0], CLASSES[:3])


def test_confusions_equal_those_of_scikit_learn(views, monkeypatch):
    monkeypatch.setattr(retrieval, "QUERIES_AT_ONCE", 7)
    audio, visual = views["audio"], views["visual"]
    found = confusion_matrix(
        audio.embedding, visual.embedding, audio.labels, visual.labels, n_classes=4
    )
    known, answers = audio.labels >= 0, visual.labels >= 0
    first = np.argmax(audio.embedding[known] @ visual.embedding[answers].T, axis=1)
    expected = sklearn_confusion(
        audio.labels[known], visual.labels[answers][first], labels=[0, 1, 2, 3]
    )
    np.testing.assert_array_equal(found, expected)


def test_answers_that_tie_for_the_first_place_share_the_query():
    gallery = np.array([[1, 0], [1, 0], [1, 0], [0, 1]], np.float32)
    found = confusion_matrix(
        gallery[:1], gallery, np.array([1]), np.array([0, 1, 1, 2]), n_classes=3
    )
    expected = np.array([[0.0, 0.0, 0.0], [1.0, 2.0, 0.0], [0.0, 0.0, 0.0]]) / 3.0
    np.testing.assert_allclose(found, expected)


def test_queries_without_any_class_confuse_nothing(views):
    visual = views["visual"]
    found = confusion_matrix(
        visual.embedding, visual.embedding, np.full(40, -1), visual.labels, n_classes=4
    )
    assert found.sum() == 0.0


@pytest.mark.parametrize(
    ("query_labels", "gallery_labels", "n_classes", "message"),
    [
        (np.zeros(2, int), np.zeros(3, int), 1, "label per row"),
        (np.zeros(3, int), np.zeros(2, int), 1, "label per row"),
        (np.array([0, 1, 5]), np.zeros(3, int), 5, "from 0 to 4"),
        (np.zeros(3, int), np.array([0, 1, 5]), 5, "from 0 to 4"),
        (np.zeros(3, int), np.full(3, -1), 5, "expected gallery labels"),
    ],
)
def test_labels_that_do_not_fit_are_refused(query_labels, gallery_labels, n_classes, message):
    rows = np.eye(3, dtype=np.float32)
    with pytest.raises(ShapeError, match=message):
        confusion_matrix(rows, rows, query_labels, gallery_labels, n_classes=n_classes)
