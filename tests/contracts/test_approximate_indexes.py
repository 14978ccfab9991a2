"""What the approximate indexes promise beside ``test_index_backends``, which sees them small.

The data are clusters, several rows of which are near to any query: 4,000 unit vectors. The oracle
is a matrix product.
"""

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from service.index.ann import STRUCTURES
from service.index.options import IndexOptions
from service.index.protocol import NO_ID, MaintainedIndex
from service.index.registry import load_index, open_index
from tests.service.index.clusters import clustered

N, DIMENSION, K = 4_000, 24, 10
VECTORS, QUERIES = clustered(N, 100, dimension=DIMENSION, seed=0)
IDS = np.arange(N) * 2 + 5

pytestmark = pytest.mark.parametrize("backend", sorted(STRUCTURES))


def opened(backend) -> MaintainedIndex:
    index = open_index(backend, DIMENSION, device="cpu")
    assert isinstance(index, MaintainedIndex)
    return index


@pytest.fixture(scope="module")
def whole():
    """One index of each type over all vectors, for tests that only search."""
    made: dict[str, MaintainedIndex] = {}

    def of(backend):
        if backend not in made:
            made[backend] = opened(backend)
            made[backend].add(IDS, VECTORS)
            made[backend].settle()
        return made[backend]

    return of


@pytest.fixture
def copy(whole, tmp_path):
    """A copy of that index which a test may change."""

    def of(backend):
        whole(backend).save(tmp_path / "copy.safetensors")
        index = load_index(tmp_path / "copy.safetensors", IndexOptions(backend, "cpu"))
        assert isinstance(index, MaintainedIndex)
        return index

    return of


def nearest(ids, vectors, queries, k):
    order = np.argsort(-(queries.astype(np.float64) @ vectors.T.astype(np.float64)), axis=1)
    return ids[order[:, :k]]


def recall(found, expected):
    pairs = zip(found.tolist(), expected.tolist(), strict=True)
    return np.mean([len(set(a) & set(b)) / len(b) for a, b in pairs])


def test_it_is_of_its_type_and_says_what_it_measured(backend, whole):
    said = whole(backend).describe()
    assert said["type"] == backend
    assert said["recall"] >= 0.95
    assert (said["vectors"], said["recent"], said["building"]) == (N, 0, False)


def test_recall_against_a_matrix_product(backend, whole):
    hits = whole(backend).search(QUERIES, K)
    assert recall(hits.ids, nearest(IDS, VECTORS, QUERIES, K)) >= 0.95


def test_scores_are_the_exact_ones_and_descend(backend, whole):
    hits = whole(backend).search(QUERIES, 50)
    expected = np.einsum(
        "bkd,bd->bk", VECTORS[(hits.ids - 5) // 2].astype(np.float64), QUERIES.astype(np.float64)
    ).astype(np.float32)
    assert np.array_equal(hits.scores, expected)
    assert (np.diff(hits.scores, axis=1) <= 0).all()


def test_stored_items_find_themselves(backend, whole):
    assert np.mean(whole(backend).search(VECTORS, 1).ids[:, 0] == IDS) >= 0.95


def test_an_answer_is_the_same_alone_and_in_a_batch(backend, whole):
    together = whole(backend).search(QUERIES[:20], K)
    for number in range(20):
        alone = whole(backend).search(QUERIES[number : number + 1], K)
        assert np.array_equal(alone.ids[0], together.ids[number])


@pytest.mark.parametrize("share", [None, 0.7, 0.03])
def test_the_first_answers_are_the_start_of_more(backend, whole, share):
    allowed = None if share is None else IDS[np.arange(N) % 100 < 100 * share]
    answers = [whole(backend).search(QUERIES[:10], k, allowed=allowed) for k in (1, 10, 90, 180)]
    for short, long in itertools.pairwise(answers):
        assert np.array_equal(long.ids[:, : short.ids.shape[1]], short.ids)
        assert np.array_equal(long.scores[:, : short.ids.shape[1]], short.scores)


@pytest.mark.parametrize("k", [1000, N - 1, N, N + 5])
def test_there_are_k_answers_whenever_there_are_k_items(backend, whole, k):
    hits = whole(backend).search(QUERIES[:2], k)
    for ids, scores in zip(hits.ids, hits.scores, strict=True):
        found = ids[ids != NO_ID]
        assert len(found) == len(set(found.tolist())) == min(k, N)
        assert (np.diff(scores[: len(found)]) <= 0).all()


@pytest.mark.parametrize("n_allowed", [1, 7, 60, 300, 2500, N])
def test_filters_are_exact_in_count_and_keep_their_promise(backend, whole, n_allowed):
    allowed = np.sort(np.random.default_rng(n_allowed).permutation(IDS)[:n_allowed])
    hits = whole(backend).search(QUERIES, K, allowed=np.concatenate([allowed, [1, 10**9]]))
    assert ((hits.ids != NO_ID).sum(axis=1) == min(K, n_allowed)).all()
    assert np.isin(hits.ids[hits.ids != NO_ID], allowed).all()
    kept = VECTORS[(allowed - 5) // 2]
    assert recall(hits.ids, nearest(allowed, kept, QUERIES, K)) >= 0.95


def test_a_filter_far_from_the_query_still_gives_k(backend, whole):
    farthest = nearest(IDS, VECTORS, -QUERIES[:1], N // 3)[0]
    hits = whole(backend).search(QUERIES[:1], 40, allowed=np.sort(farthest))
    assert (hits.ids >= 0).all()
    assert np.isin(hits.ids, farthest).all()


def test_removed_items_never_come_back_and_others_move_up(backend, copy):
    index = copy(backend)
    gone = nearest(IDS, VECTORS, QUERIES[:1], 300)[0]
    assert index.remove(gone) == 300
    assert index.remove(gone) == 0
    hits = index.search(QUERIES, 200)
    assert not np.isin(hits.ids, gone).any()
    assert (hits.ids >= 0).all()
    assert len(index) == N - 300
    index.settle()
    assert not np.isin(index.search(QUERIES, 200).ids, gone).any()


def test_new_and_replaced_items_are_found_before_and_after_they_are_built_in(
    backend, copy, monkeypatch
):
    monkeypatch.setattr("service.index.builder._FEWEST_RECENT", 800)
    index = copy(backend)
    newer, _ = clustered(600, 1, dimension=DIMENSION, seed=7)
    ids = np.concatenate([IDS[:100], np.arange(50_000, 50_500)])
    index.add(ids, newer)
    assert index.describe()["recent"] == 600
    assert np.array_equal(index.search(newer, 1).ids[:, 0], ids)
    assert not np.isin(IDS[:100], index.search(VECTORS[:100], 1).ids[:, 0]).any()
    again, _ = clustered(400, 1, dimension=DIMENSION, seed=8)
    index.add(np.arange(60_000, 60_400), again)
    index.settle()
    said = index.describe()
    assert (said["type"], said["vectors"]) == (backend, N + 900)
    assert said["recent"] == 100  # replaced rows wait for the next whole building
    assert np.mean(index.search(newer, 1).ids[:, 0] == ids) >= 0.95
    assert np.mean(index.search(again, 1).ids[:, 0] == np.arange(60_000, 60_400)) >= 0.95


def test_what_is_saved_is_what_is_loaded(backend, copy, tmp_path):
    index = copy(backend)
    index.remove(IDS[::7])
    index.add(np.array([99_999]), VECTORS[:1])
    index.save_changes(tmp_path / "changes.safetensors")
    loaded = load_index(
        tmp_path / "copy.safetensors",
        IndexOptions(backend, "cpu"),
        changes=tmp_path / "changes.safetensors",
    )
    assert np.array_equal(loaded.ids(), index.ids())
    before, after = index.search(QUERIES, 150), loaded.search(QUERIES, 150)
    assert np.array_equal(before.ids, after.ids)
    assert np.array_equal(before.scores, after.scores)


def test_any_backend_reads_its_file(backend, copy, tmp_path):
    index = copy(backend)
    index.remove(IDS[:50])
    index.add(np.array([77_777]), -VECTORS[:1])
    index.save(tmp_path / "index.safetensors")
    loaded = load_index(tmp_path / "index.safetensors", IndexOptions("numpy"))
    assert np.array_equal(loaded.ids(), index.ids())
    assert loaded.search(-VECTORS[:1], 1).ids.tolist() == [[77_777]]


def test_eight_threads_change_and_search_and_no_generations_mix(backend, copy, tmp_path):
    """Rows come and go in groups of ten: a search sees all of a group or nothing of it."""
    index = copy(backend)
    spot = -QUERIES[0]
    group = (spot + 0.001 * np.arange(10)[:, None]).astype(np.float32)
    done = threading.Event()

    def change(start):
        for turn in range(12):
            ids = np.arange(start + 10 * turn, start + 10 * turn + 10)
            index.add(ids, group)
            index.remove(ids)

    def look(number):
        while not done.is_set():
            found = index.search(spot[None], 60).ids[0]
            groups = np.bincount((found[found >= 100_000] - 100_000) // 10)
            assert set(groups.tolist()) <= {0, 10}
            assert index.search(VECTORS[number : number + 1], 1).ids.tolist() == [[IDS[number]]]

    def save():
        for _ in range(3):
            index.save(tmp_path / "copy.safetensors")

    own = whole_rows_that_find_themselves(index)
    with ThreadPoolExecutor(8) as pool:
        looking = [pool.submit(look, number) for number in own[:4]]
        changing = [pool.submit(change, 100_000 + 10_000 * n) for n in range(3)]
        changing.append(pool.submit(save))
        for job in changing:
            job.result()
        done.set()
        for job in looking:
            job.result()
    assert np.array_equal(index.ids(), IDS)


def whole_rows_that_find_themselves(index):
    return np.flatnonzero(index.search(VECTORS[:50], 1).ids[:, 0] == IDS[:50]).tolist()
