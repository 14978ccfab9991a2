import logging
import threading

import faiss
import numpy as np
import pytest

from service.index.errors import IndexSettingError
from service.index.faiss_backend import FaissIndex
from service.index.numpy_backend import NumpyIndex
from service.index.options import IndexOptions
from tests.service.index.clusters import clustered

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


def test_a_full_gpu_leaves_the_work_to_the_cpu_with_a_warning(gpu_index, monkeypatch, caplog):
    vectors, queries = unit_rows(600, 24), unit_rows(5, 24, seed=4)
    gpu_index.add(np.arange(600), vectors)

    class Full:
        ntotal = 0

        def reset(self):
            pass

        def add(self, rows):
            raise RuntimeError("Error in allocMemory: out of memory, cudaMalloc error")

    monkeypatch.setattr(faiss, "GpuIndexFlatIP", lambda *_: Full(), raising=False)
    with caplog.at_level(logging.WARNING, "service"):
        assert_same_answers(gpu_index, vectors, queries, 5)
        assert_same_answers(gpu_index, vectors, queries, 5)
    assert [record.message.split(":")[0] for record in caplog.records] == [
        "the GPU has no memory left for an index, the CPU goes on"
    ]


def test_an_error_of_the_gpu_that_is_no_lack_of_memory_is_not_hidden(gpu_index, monkeypatch):
    gpu_index.add(np.arange(600), unit_rows(600, 24))

    def broken(*_):
        raise RuntimeError("invalid device function")

    monkeypatch.setattr(faiss, "GpuIndexFlatIP", broken, raising=False)
    with pytest.raises(RuntimeError, match="invalid device"):
        gpu_index.search(unit_rows(1, 24), 3)


def test_torch_tensors_are_taken_as_they_are(gpu_index):
    torch = pytest.importorskip("torch")
    vectors, queries = unit_rows(500, 24), unit_rows(5, 24, seed=5)
    device = "cuda" if HAS_GPU else "cpu"
    gpu_index.add(torch.arange(500), torch.from_numpy(vectors).to(device))
    hits = gpu_index.search(torch.from_numpy(queries).to(device), 7)
    oracle = NumpyIndex(24)
    oracle.add(np.arange(500), vectors)
    expected = oracle.search(queries, 7)
    assert np.array_equal(hits.ids, expected.ids)
    assert np.array_equal(hits.scores, expected.scores)


class OnDevice:
    """A tensor that claims to lie on the GPU; FAISS's CPU index takes it through torch_utils."""

    is_cuda = True

    def __init__(self, tensor):
        self.tensor = tensor
        self.n_host_copies = 0

    def detach(self):
        return self

    def contiguous(self):
        return self.tensor

    def cpu(self):
        self.n_host_copies += 1
        return self.tensor


def test_tensors_on_the_gpu_reach_faiss_as_tensors(gpu_index, monkeypatch):
    torch = pytest.importorskip("torch")
    if HAS_GPU:
        pytest.skip("the real tensors of the test above do it")
    seen = []

    class Watched:
        def __init__(self, index):
            self.index = index

        def __getattr__(self, name):
            return getattr(self.index, name)

        def add(self, rows):
            seen.append(("add", type(rows)))
            self.index.add(np.asarray(rows))

        def search(self, queries, n):
            seen.append(("search", type(queries)))
            scores, positions = self.index.search(np.asarray(queries), n)
            return torch.from_numpy(scores), torch.from_numpy(positions)

    monkeypatch.setattr(faiss, "GpuIndexFlatIP", lambda _, k: Watched(faiss.IndexFlatIP(k)))
    vectors = unit_rows(500, 24)
    index = flat_index(24, device="gpu")
    index.add(np.arange(500), OnDevice(torch.from_numpy(vectors)))
    hits = index.search(OnDevice(torch.from_numpy(vectors[:3])), 4)
    assert hits.ids[:, 0].tolist() == [0, 1, 2]
    assert seen == [("add", torch.Tensor), ("search", torch.Tensor)]


def test_ivf_lives_on_the_gpu_and_filters_there(gpu_index, monkeypatch):
    copies = []
    if not HAS_GPU:

        def to_gpu(resources, number, index):
            copies.append(number)
            return index

        monkeypatch.setattr(faiss, "index_cpu_to_gpu", to_gpu, raising=False)
    vectors, queries = clustered(3000, 30, dimension=24, seed=1)
    index = FaissIndex(24, IndexOptions("ivf-sq8", "gpu"))
    index.add(np.arange(3000), vectors)
    index.settle()
    assert index.describe()["device"] == "gpu"
    assert HAS_GPU or copies == [0]
    exact = np.argsort(-(queries @ vectors.T), axis=1)[:, :10]
    found = index.search(queries, 10).ids
    assert np.mean([len(set(a) & set(b)) / 10 for a, b in zip(found, exact, strict=True)]) > 0.95
    allowed = np.arange(1, 3000, 2)
    hits = index.search(queries, 20, allowed=allowed)
    assert np.isin(hits.ids, allowed).all()
    index.remove(found[0])
    assert not np.isin(index.search(queries, 300).ids, found[0]).any()


def test_a_gpu_that_cannot_hold_an_ivf_index_leaves_it_to_the_cpu(gpu_index, monkeypatch, caplog):
    def full(*_):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(faiss, "index_cpu_to_gpu", full, raising=False)
    vectors, _ = clustered(2500, 1, dimension=24, seed=2)
    index = FaissIndex(24, IndexOptions("ivf-sq8", "gpu"))
    index.add(np.arange(2500), vectors)
    index.settle()
    assert np.mean(index.search(vectors[:100], 1).ids[:, 0] == np.arange(100)) > 0.95
    assert "the CPU goes on" in caplog.text


def test_gpu_answers_are_right_beyond_the_most_that_a_gpu_selects(gpu_index):
    vectors = np.repeat(unit_rows(2, 24), [6000, 10], axis=0)
    gpu_index.add(np.arange(6010), vectors)
    assert_same_answers(gpu_index, vectors, vectors[:1], 5)
    assert_same_answers(gpu_index, vectors, vectors[:1], 2500)
