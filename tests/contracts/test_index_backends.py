"""What every vector index promises, checked against a loop that shares no code with them."""

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.errors import ShapeError
from service.index.options import IndexOptions
from service.index.protocol import NO_ID
from service.index.registry import BACKENDS, load_index, open_index

pytestmark = pytest.mark.parametrize("backend", sorted(BACKENDS))


def unit_rows(n, dimension, seed=0):
    rows = np.random.default_rng(seed).standard_normal((n, dimension))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def filled(backend, vectors, ids=None):
    index = open_index(backend, vectors.shape[1], device="cpu")
    index.add(np.arange(len(vectors)) if ids is None else ids, vectors)
    return index


def naive_search(ids, vectors, query, k):
    """Correctly rounded sums, sorted by Python: the definition."""
    scored = []
    for number, vector in zip(ids, vectors, strict=True):
        products = [float(a) * float(b) for a, b in zip(vector, query, strict=True)]
        scored.append((-np.float32(math.fsum(products)), int(number)))
    scored.sort()
    padding = [(-np.float32(-np.inf), NO_ID)] * (k - len(scored))
    chosen = scored[:k] + padding
    return [number for _, number in chosen], [-score for score, _ in chosen]


def assert_is_naive(hits, ids, vectors, queries, k):
    for row, query in enumerate(queries):
        expected_ids, expected_scores = naive_search(ids, vectors, query, k)
        assert hits.ids[row].tolist() == expected_ids
        assert hits.scores[row].tolist() == expected_scores


@pytest.mark.parametrize(("n", "dimension", "k"), [(1, 3, 1), (40, 8, 10), (300, 33, 7)])
def test_ids_and_scores_equal_the_naive_loop(backend, n, dimension, k):
    vectors = unit_rows(n, dimension)
    ids = np.random.default_rng(1).permutation(5 * n)[:n]
    queries = unit_rows(25, dimension, seed=2)
    hits = filled(backend, vectors, ids).search(queries, k)
    assert (hits.ids.dtype, hits.scores.dtype) == (np.int64, np.float32)
    assert_is_naive(hits, ids, vectors, queries, k)


@settings(max_examples=30, deadline=None)
@given(
    vectors=arrays(
        np.float32, st.tuples(st.integers(1, 120), st.just(3)), elements=st.sampled_from([-1, 0, 1])
    ),
    query=arrays(np.float32, (1, 3), elements=st.sampled_from([-1, 0, 0.5])),
    k=st.integers(1, 30),
    extra=st.integers(0, 30),
)
def test_ties_are_ordered_by_id_and_answers_are_prefixes(backend, vectors, query, k, extra):
    ids = np.arange(len(vectors))[::-1].copy()
    index = filled(backend, vectors, ids)
    hits = index.search(query, k)
    longer = index.search(query, k + extra)
    assert_is_naive(hits, ids, vectors, query, k)
    assert np.array_equal(longer.ids[:, :k], hits.ids)
    assert np.array_equal(longer.scores[:, :k], hits.scores)


def test_ties_at_the_border_are_complete_when_most_rows_are_equal(backend):
    vectors = np.repeat(unit_rows(2, 5), [900, 100], axis=0)
    index = filled(backend, vectors)
    hits = index.search(vectors[:1], 20)
    assert hits.ids[0].tolist() == list(range(20))
    assert len(set(hits.scores[0].tolist())) == 1


def test_neighbours_that_differ_in_the_last_bit_are_ordered_rightly(backend):
    base = unit_rows(1, 64)[0]
    noise = np.random.default_rng(3).uniform(-1e-7, 1e-7, (400, 64))
    vectors = (base + noise).astype(np.float32)
    index = filled(backend, vectors)
    assert_is_naive(index.search(base[None], 9), np.arange(400), vectors, base[None], 9)


def test_answer_is_the_same_alone_and_in_a_batch(backend):
    index = filled(backend, unit_rows(500, 48))
    queries = unit_rows(64, 48, seed=4)
    together = index.search(queries, 10)
    for row in range(len(queries)):
        alone = index.search(queries[row : row + 1], 10)
        assert np.array_equal(alone.ids[0], together.ids[row])
        assert np.array_equal(alone.scores[0], together.scores[row])


def test_every_item_finds_itself_first_also_after_reload(backend, tmp_path):
    vectors = unit_rows(300, 24)
    ids = np.arange(300) * 7 + 1
    index = filled(backend, vectors, ids)
    index.save(tmp_path / "index.safetensors")
    reloaded = load_index(tmp_path / "index.safetensors", IndexOptions(backend, "cpu"))
    for candidate in (index, reloaded):
        assert np.array_equal(candidate.search(vectors, 1).ids[:, 0], ids)


def test_save_and_load_keep_ids_scores_and_size(backend, tmp_path):
    index = filled(backend, unit_rows(120, 16), np.arange(120) * 3)
    queries = unit_rows(5, 16, seed=5)
    path = tmp_path / "index.safetensors"
    index.save(path)
    loaded = load_index(path, IndexOptions(backend, "cpu"))
    assert (len(loaded), loaded.dimension) == (120, 16)
    assert np.array_equal(loaded.ids(), index.ids())
    before, after = index.search(queries, 40), loaded.search(queries, 40)
    assert np.array_equal(before.ids, after.ids)
    assert np.array_equal(before.scores, after.scores)


def test_empty_index_is_saved_loaded_and_searched(backend, tmp_path):
    open_index(backend, 4).save(tmp_path / "empty.safetensors")
    loaded = load_index(tmp_path / "empty.safetensors", IndexOptions(backend))
    hits = loaded.search(unit_rows(2, 4), 3)
    assert (hits.ids == NO_ID).all()
    assert (hits.scores == -np.inf).all()


def test_padding_stands_only_behind_the_items(backend):
    hits = filled(backend, unit_rows(3, 4)).search(unit_rows(2, 4, seed=6), 5)
    assert (hits.ids[:, :3] >= 0).all()
    assert (hits.ids[:, 3:] == NO_ID).all()
    assert (hits.scores[:, 3:] == -np.inf).all()


def test_no_queries_give_no_answers(backend):
    hits = filled(backend, unit_rows(100, 4)).search(np.empty((0, 4), np.float32), 5)
    assert hits.ids.shape == hits.scores.shape == (0, 5)


def test_filter_that_keeps_one_item_returns_it_alone(backend):
    index = filled(backend, unit_rows(200, 6), np.arange(200) + 1000)
    for allowed in (1000, 1077, 1199):
        hits = index.search(unit_rows(3, 6, seed=7), 4, allowed=np.array([allowed]))
        assert (hits.ids == [allowed, NO_ID, NO_ID, NO_ID]).all()


@pytest.mark.parametrize("n_allowed", [0, 5, 150])
def test_filtered_answer_equals_the_naive_loop_over_the_allowed(backend, n_allowed):
    vectors, queries = unit_rows(200, 12), unit_rows(4, 12, seed=8)
    allowed = np.random.default_rng(9).permutation(200)[:n_allowed]
    with_strangers = np.concatenate([allowed, allowed, [5_000, 9_999]]).astype(np.int64)
    hits = filled(backend, vectors).search(queries, 6, allowed=with_strangers)
    assert_is_naive(hits, allowed, vectors[allowed], queries, 6)


def test_filtered_answers_are_prefixes(backend):
    index = filled(backend, unit_rows(200, 12))
    allowed = np.arange(0, 200, 3)
    long = index.search(unit_rows(4, 12, seed=10), 30, allowed=allowed)
    short = index.search(unit_rows(4, 12, seed=10), 11, allowed=allowed)
    assert np.array_equal(long.ids[:, :11], short.ids)


def test_added_items_are_found_and_the_others_stay(backend):
    vectors = unit_rows(200, 8)
    index = filled(backend, vectors[:100])
    for start in range(100, 200, 7):
        index.add(np.arange(200)[start : start + 7], vectors[start : start + 7])
    assert np.array_equal(index.ids(), np.arange(200))
    assert np.array_equal(index.search(vectors, 1).ids[:, 0], np.arange(200))


def test_adding_a_known_id_replaces_its_vector(backend):
    vectors, newer = unit_rows(120, 8), unit_rows(2, 8, seed=11)
    index = filled(backend, vectors)
    index.add(np.array([119, 7]), newer)
    replaced = vectors.copy()
    replaced[[119, 7]] = newer
    assert len(index) == 120
    assert_is_naive(index.search(newer, 5), np.arange(120), replaced, newer, 5)


def test_removed_items_are_not_found_and_unknown_ones_are_ignored(backend):
    vectors = unit_rows(150, 8)
    index = filled(backend, vectors)
    assert index.remove(np.array([3, 77, 9_999])) == 2
    assert index.remove(np.array([3])) == 0
    kept = np.setdiff1d(np.arange(150), [3, 77])
    assert np.array_equal(index.ids(), kept)
    assert_is_naive(index.search(vectors[:9], 4), kept, vectors[kept], vectors[:9], 4)


def test_item_added_after_a_removal_is_found(backend):
    vectors = unit_rows(100, 8)
    index = filled(backend, vectors[:99])
    index.remove(np.array([98]))
    index.add(np.array([99]), vectors[99:])
    assert index.search(vectors[99:], 1).ids.tolist() == [[99]]


def test_ids_are_a_copy(backend):
    index = filled(backend, unit_rows(5, 3))
    index.ids()[:] = 0
    assert index.ids().tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("ids", "vectors"),
    [
        ([0, 1], [[1.0, 0.0, np.nan], [0.0, 1.0, 0.0]]),
        ([0], [[np.inf, 0.0, 0.0]]),
        ([0], [[1.0, 0.0]]),
        ([0], [1.0, 0.0, 0.0]),
        ([-1], [[1.0, 0.0, 0.0]]),
        ([4, 4], [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]),
        ([0, 1], [[1.0, 0.0, 0.0]]),
        ([0.5], [[1.0, 0.0, 0.0]]),
        ([[0]], [[1.0, 0.0, 0.0]]),
    ],
    ids=["nan", "inf", "dimension", "axes", "negative", "twice", "lengths", "fraction", "id axes"],
)
def test_bad_rows_are_refused_and_nothing_is_added(backend, ids, vectors):
    index = filled(backend, np.eye(3, dtype=np.float32), np.array([10, 11, 12]))
    with pytest.raises(ShapeError):
        index.add(np.array(ids), np.array(vectors, np.float32))
    assert index.ids().tolist() == [10, 11, 12]


@pytest.mark.parametrize(
    ("queries", "k"),
    [
        (np.zeros((1, 4)), 1),
        (np.zeros(3), 1),
        (np.full((1, 3), np.nan), 1),
        (np.zeros((1, 3)), 0),
    ],
    ids=["dimension", "axes", "nan", "k"],
)
def test_bad_queries_are_refused(backend, queries, k):
    index = filled(backend, np.eye(3, dtype=np.float32))
    with pytest.raises(ShapeError):
        index.search(queries, k)


def test_threads_may_search_while_others_add_and_remove(backend):
    vectors = unit_rows(400, 16)
    index = filled(backend, vectors[:200])

    def change(start):
        for row in range(start, start + 25):
            index.add(np.array([row]), vectors[row : row + 1])
            if row % 2:
                index.remove(np.array([row]))

    def look(seed):
        for _ in range(25):
            hits = index.search(vectors[seed : seed + 3], 5)
            assert hits.ids[:, 0].tolist() == [seed, seed + 1, seed + 2]
            assert (np.diff(hits.scores, axis=1) <= 0).all()

    with ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(change, 200 + 50 * n) for n in range(4)]
        jobs += [pool.submit(look, 40 * n) for n in range(4)]
        for job in jobs:
            job.result()
    assert np.array_equal(index.search(vectors[:200], 1).ids[:, 0], np.arange(200))
