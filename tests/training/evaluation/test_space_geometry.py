"""Gap, cosines and hubs against loops over pairs, SciPy and simulation."""

from itertools import permutations

import numpy as np
import pytest
from scipy import stats

from models.errors import ShapeError
from training.evaluation import retrieval
from training.evaluation.comparison import EmbeddedView
from training.evaluation.space_geometry import (
    hubness,
    k_occurrences,
    mean_related_cosine,
    modality_gap,
    space_geometry,
)


def _unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def _rows(seed, n_rows, n_components=6):
    return _unit(np.random.default_rng(seed).normal(size=(n_rows, n_components)))


def test_the_gap_is_the_distance_of_the_centroids():
    first = np.array([[1, 0], [0, 1]], np.float32)
    second = np.array([[-1, 0], [0, -1], [0, -1]], np.float32)
    assert modality_gap(first, second) == pytest.approx(np.hypot(0.5 + 1 / 3, 0.5 + 2 / 3))


@pytest.mark.parametrize(("angle", "expected"), [(0.0, 0.0), (np.pi / 2, np.sqrt(2)), (np.pi, 2.0)])
def test_views_at_one_point_each_are_as_far_apart_as_the_points(angle, expected):
    first = np.tile(np.array([[1, 0]], np.float32), (4, 1))
    second = np.tile(np.array([[np.cos(angle), np.sin(angle)]], np.float32), (7, 1))
    assert modality_gap(first, second) == pytest.approx(expected, abs=1e-6)


def test_the_mean_cosine_of_one_class_equals_a_loop_over_pairs():
    rng = np.random.default_rng(1)
    queries, gallery = _rows(2, 15), _rows(3, 21)
    query_keys, gallery_keys = rng.integers(0, 4, 15), rng.integers(2, 7, 21)
    cosines = [
        float(queries[i] @ gallery[j])
        for i in range(15)
        for j in range(21)
        if query_keys[i] == gallery_keys[j]
    ]
    found = mean_related_cosine(queries, gallery, query_keys, gallery_keys)
    assert found == pytest.approx(np.mean(cosines), abs=1e-6)


def test_a_mean_over_no_pairs_is_refused():
    with pytest.raises(ShapeError, match="of one key"):
        mean_related_cosine(_rows(0, 2), _rows(1, 2), np.array([0, 0]), np.array([1, 1]))


@pytest.mark.parametrize("k", [1, 3, 10])
def test_occurrences_and_skewness_equal_a_naive_count(k, monkeypatch):
    monkeypatch.setattr(retrieval, "QUERIES_AT_ONCE", 16)
    queries, gallery = _rows(4, 50), _rows(5, 30)
    expected = np.zeros(30)
    for query in queries:
        expected[np.argsort(-(gallery @ query))[:k]] += 1
    np.testing.assert_allclose(k_occurrences(queries, gallery, k), expected)
    found = hubness(queries, gallery, k=k)
    assert found.skewness == pytest.approx(stats.skew(expected))
    assert found.antihub_share == np.mean(expected == 0)


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_items_that_tie_for_the_last_place_share_it(k):
    gallery = np.array([[1, 0], [0, 1], [1, 0], [0, 1], [0, 1]], np.float32)
    queries = np.array([[1, 0], [0, 1], [0.6, 0.8]], np.float32)
    expected = np.zeros(5)
    for order in permutations(range(5)):
        for scores in queries @ gallery.T:
            ranked = sorted(order, key=(-scores).__getitem__)
            expected[ranked[:k]] += 1 / 120
    np.testing.assert_allclose(k_occurrences(queries, gallery, k), expected)


def test_chance_of_hubs_is_that_of_random_answers():
    rng = np.random.default_rng(6)
    n_queries, n_gallery, k = 60, 40, 5
    skewness, antihubs = [], []
    for _ in range(300):
        found = np.argsort(rng.random((n_queries, n_gallery)), axis=1)[:, :k]
        counts = np.bincount(found.ravel(), minlength=n_gallery)
        antihubs.append(np.mean(counts == 0))
        skewness.append(stats.skew(counts))
    expected = hubness(_rows(7, n_queries), _rows(8, n_gallery), k=k)
    assert expected.chance_antihub_share == pytest.approx(np.mean(antihubs), abs=2e-4)
    assert expected.chance_skewness == pytest.approx(np.mean(skewness), abs=0.05)


def test_one_item_that_every_query_finds_is_a_hub():
    gallery = np.concatenate([np.array([[1, 0]]), np.tile([[-1, 0]], (9, 1))]).astype(np.float32)
    found = hubness(np.tile(np.array([[1, 0]], np.float32), (20, 1)), gallery, k=1)
    assert found.skewness == pytest.approx(stats.skew([20] + [0] * 9))
    assert found.antihub_share == 0.9
    assert found.chance_antihub_share == pytest.approx(0.9**20)


def test_a_space_of_one_point_has_no_hubs():
    rows = np.tile(_rows(9, 1), (30, 1))
    found = hubness(rows, rows)
    assert (found.skewness, found.antihub_share) == (0.0, 0.0)


def test_a_gallery_of_fewer_items_than_neighbours_is_always_found():
    found = hubness(_rows(0, 9), _rows(1, 4))
    assert (found.skewness, found.antihub_share) == (0.0, 0.0)
    assert (found.chance_skewness, found.chance_antihub_share) == (0.0, 0.0)


def test_hubs_among_no_neighbours_are_refused():
    with pytest.raises(ShapeError, match="k >= 1"):
        hubness(_rows(0, 3), _rows(1, 3), k=0)


@pytest.fixture
def embedded():
    labels = np.random.default_rng(10).integers(0, 3, 24)
    labels[:2] = -1
    ids = np.array([f"item {i}" for i in range(24)])
    return {
        "audio": EmbeddedView(_rows(11, 24), ids, labels),
        "visual": EmbeddedView(_rows(12, 20), ids[4:], labels[4:]),
    }


def test_every_direction_is_measured_over_partners_classes_and_all_pairs(embedded):
    there, back = space_geometry(embedded, k=3)
    assert (there.query, there.target, back.query, back.target) == (
        "audio", "visual", "visual", "audio",
    )  # fmt: skip
    audio, visual = embedded["audio"], embedded["visual"]
    cosines = audio.embedding.astype(float) @ visual.embedding.astype(float).T
    same = audio.labels[:, None] == visual.labels[None, :]
    assert there.random_cosine == pytest.approx(cosines.mean())
    assert there.class_cosine == pytest.approx(cosines[same].mean())
    assert there.partner_cosine == pytest.approx(np.diag(cosines[4:]).mean())
    assert there.modality_gap == modality_gap(audio.embedding, visual.embedding)
    assert there.hubness == hubness(audio.embedding, visual.embedding, k=3)
    assert back.hubness == hubness(visual.embedding, audio.embedding, k=3)
    assert back.class_cosine == pytest.approx(there.class_cosine)


def test_without_classes_and_partners_there_is_the_gap_and_the_hubs_only(embedded):
    audio, visual = embedded["audio"], embedded["visual"]
    other = np.array([f"other {i}" for i in range(20)])
    views = {
        "audio": EmbeddedView(audio.embedding, audio.ids, None),
        "visual": EmbeddedView(visual.embedding, other, None),
    }
    for found in space_geometry(views):
        assert found.class_cosine is None
        assert found.partner_cosine is None
        assert found.modality_gap > 0.0
