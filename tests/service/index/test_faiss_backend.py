import threading

import faiss
import numpy as np
import pytest

from service.index.errors import IndexSettingError
from service.index.faiss_backend import FaissIndex
from service.index.numpy_backend import NumpyIndex
from service.index.options import IndexOptions

HAS_GPU = hasattr(faiss, "GpuIndexFlatIP") and faiss.get_num_gpus() > 0


def unit_rows(n, dimension, seed=0):
    rows = np.random.default_rng(seed).standard_normal((n, dimension))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def flat_index(dimension, **options):
    return FaissIndex(dimension, IndexOptions("flat", **options))


def assert_same_answers(index, vectors, queries, k, **options):
    oracle = NumpyIndex(vectors.shape[1])
    oracle.add(np.arange(len(vectors)), vectors)
    expected, found = oracle.search(queries, k, **options), index.search(queries, k, **options)
    assert np.array_equal(found.ids, expected.ids)
    assert np.array_equal(found.scores, expected.scores)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(("n_queries", "k"), [(1, 1), (7, 10), (40, 250)])
def test_answers_equal_brute_force_bit_by_bit(threads, n_queries, k):
    vectors = unit_rows(4000, 96)
    index = flat_index(96, device="cpu", threads=threads)
    index.add(np.arange(4000), vectors)
    assert_same_answers(index, vectors, unit_rows(n_queries, 96, seed=1), k)


@pytest.mark.parametrize("scale", [1e-22, 1e-3, 1e3])
def test_answers_equal_brute_force_for_vectors_that_are_not_units(scale):
    vectors = unit_rows(500, 32) * np.float32(scale)
    index = flat_index(32, device="cpu")
    index.add(np.arange(500), vectors)
    assert_same_answers(index, vectors, unit_rows(5, 32, seed=2) * np.float32(scale), 10)


def test_thread_count_holds_inside_the_thread_that_searches():
    vectors = unit_rows(200, 8)
    seen = {}

    def work(threads):
        index = flat_index(8, device="cpu", threads=threads)
        index.add(np.arange(200), vectors)
        index.search(vectors[:2], 3)
        seen[threads] = faiss.omp_get_max_threads()

    for threads in (1, 3):
        worker = threading.Thread(target=work, args=(threads,))
        worker.start()
        worker.join()
    assert seen == {1: 1, 3: 3}


def test_auto_takes_the_gpu_when_there_is_one():
    assert flat_index(4, device="auto").device == ("gpu" if HAS_GPU else "cpu")


@pytest.mark.skipif(HAS_GPU, reason="this machine has a GPU")
def test_gpu_without_a_gpu_is_refused_with_the_setting_to_change():
    with pytest.raises(IndexSettingError, match=r"KYOMEI_INDEX_DEVICE=gpu.*set it to auto or cpu"):
        flat_index(4, device="gpu")


@pytest.mark.parametrize(
    ("options", "name"),
    [({"device": "tpu"}, "KYOMEI_INDEX_DEVICE"), ({"threads": 0}, "KYOMEI_THREADS")],
)
def test_unknown_settings_are_refused_by_name(options, name):
    with pytest.raises(IndexSettingError, match=name):
        flat_index(4, **options)


@pytest.fixture(params=[pytest.param("device", marks=pytest.mark.gpu), "stand-in"])
def gpu_index(request, monkeypatch):
    """A FAISS index on the GPU, or on FAISS' CPU index, which has the calls of the GPU's."""
    if request.param == "device":
        if not HAS_GPU:
            pytest.skip("no CUDA device, or faiss-cpu")
    else:
        monkeypatch.setattr(faiss, "get_num_gpus", lambda: 1, raising=False)
        monkeypatch.setattr(faiss, "StandardGpuResources", object, raising=False)
        monkeypatch.setattr(
            faiss,
            "GpuIndexFlatIP",
            lambda _, dimension: faiss.IndexFlatIP(dimension),
            raising=False,
        )
    index = flat_index(24, device="gpu")
    assert index.device == "gpu"
    return index


def test_gpu_answers_equal_brute_force(gpu_index):
    vectors = unit_rows(3000, 24)
    gpu_index.add(np.arange(3000), vectors)
    assert_same_answers(gpu_index, vectors, unit_rows(30, 24, seed=3), 12)


def test_gpu_answers_follow_additions_removals_and_replacements(gpu_index):
    vectors, queries = unit_rows(600, 24), unit_rows(5, 24, seed=4)
    gpu_index.add(np.arange(300), vectors[:300])
    gpu_index.search(queries, 5)
    gpu_index.add(np.arange(300, 600), vectors[300:])
    assert_same_answers(gpu_index, vectors, queries, 5)
    gpu_index.remove(np.arange(500, 600))
    assert_same_answers(gpu_index, vectors[:500], queries, 5)
    vectors[7] = queries[0]
    gpu_index.add(np.array([7]), vectors[7:8])
    assert_same_answers(gpu_index, vectors[:500], queries, 5)


def test_gpu_filter_filters(gpu_index):
    vectors = unit_rows(400, 24)
    gpu_index.add(np.arange(400), vectors)
    allowed = np.arange(1, 400, 2)
    assert_same_answers(gpu_index, vectors, vectors[:6], 8, allowed=allowed)
    assert gpu_index.search(vectors[:1], 3, allowed=np.array([9])).ids[0].tolist() == [9, -1, -1]


def test_gpu_answers_are_right_beyond_the_most_that_a_gpu_selects(gpu_index):
    vectors = np.repeat(unit_rows(2, 24), [6000, 10], axis=0)
    gpu_index.add(np.arange(6010), vectors)
    assert_same_answers(gpu_index, vectors, vectors[:1], 5)
    assert_same_answers(gpu_index, vectors, vectors[:1], 2500)
