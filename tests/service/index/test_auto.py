"""Which type ``auto`` takes, and what it does when a type finds too little."""

import logging
import threading

import numpy as np
import pytest

from service.index.ann import Effort
from service.index.auto import FEWEST_ROWS, choose, machine_memory, memory_bytes
from service.index.faiss_backend import FaissIndex
from service.index.options import IndexOptions
from service.index.recall import Measured
from tests.service.index.clusters import clustered

GIB = 2**30


@pytest.mark.parametrize(
    ("backend", "n_rows", "memory", "on_gpu", "expected"),
    [
        ("auto", 0, 8 * GIB, False, "flat"),
        ("auto", 100_000, 8 * GIB, False, "flat"),
        ("auto", 100_001, 8 * GIB, False, "ivf-sq8"),
        ("auto", 1_000_000, 8 * GIB, False, "ivf-sq8"),
        ("auto", 1_000_000, GIB // 10, False, "ivf-pq"),
        ("auto", 100_000, GIB // 1000, False, "flat"),
        ("auto", 10_000_000, 60 * GIB, True, "flat"),
        ("auto", 10_000_000, 2 * GIB, True, "ivf-sq8"),
        ("flat", 10_000_000, GIB, False, "flat"),
        ("hnsw", 5_000, GIB, False, "hnsw"),
        ("ivf-pq", FEWEST_ROWS, GIB, False, "ivf-pq"),
        ("ivf-pq", FEWEST_ROWS - 1, GIB, False, "flat"),
    ],
)
def test_the_type_follows_from_size_memory_and_setting(backend, n_rows, memory, on_gpu, expected):
    options = IndexOptions(backend, memory_bytes=memory)
    assert choose(n_rows, 128, options, on_gpu=on_gpu) == expected


def test_memory_is_that_of_the_machine_when_nothing_is_said():
    assert GIB // 4 < machine_memory() < 2**46
    assert choose(200_000, 128, IndexOptions(), on_gpu=False) == "ivf-sq8"


def test_smaller_types_take_less_memory():
    sizes = [memory_bytes(kind, 1000, 128) for kind in ("ivf-pq", "ivf-sq8", "flat", "hnsw")]
    assert sizes == sorted(sizes)
    assert sizes[2] == 1000 * (128 * 4 + 8)


@pytest.fixture
def small_auto(monkeypatch):
    """``auto`` that is approximate from 2,048 rows on."""
    monkeypatch.setattr("service.index.auto.FLAT_VALUES", 0)
    vectors, _ = clustered(2_500, 1, dimension=16, seed=3)

    def filled(**options):
        index = FaissIndex(16, IndexOptions("auto", "cpu", **options))
        index.add(np.arange(2_500), vectors)
        index.settle()
        return index

    return filled


def test_auto_says_what_it_took_and_measured(small_auto):
    said = small_auto().describe()
    assert said["type"] == "ivf-sq8"
    assert 0.95 <= said["recall"] <= 1


def test_auto_goes_on_to_a_more_exact_type_and_says_so(small_auto, monkeypatch, caplog):
    monkeypatch.setattr("service.index.ann.IvfSq8.efforts", (Effort(1, 1),))
    with caplog.at_level(logging.WARNING, "service"):
        index = small_auto()
    assert index.describe()["type"] == "hnsw"
    assert "building hnsw instead" in caplog.text
    assert "recall of 0.950" in caplog.text


def test_auto_ends_with_the_exact_scan(small_auto, monkeypatch, caplog):
    monkeypatch.setattr("service.index.builder.tune", lambda *_: (Effort(8, 8), Measured(0.3, 1.0)))
    index = small_auto()
    assert index.describe()["type"] == "flat"
    assert caplog.text.count("instead") == 2
    assert len(index) == 2_500


def test_a_type_that_was_asked_for_is_used_with_a_warning(monkeypatch, caplog):
    monkeypatch.setattr("service.index.ann.IvfPq.efforts", (Effort(1, 10),))
    vectors, _ = clustered(2_500, 1, dimension=16, seed=3)
    index = FaissIndex(16, IndexOptions("ivf-pq", "cpu"))
    index.add(np.arange(2_500), vectors)
    index.settle()
    said = index.describe()
    assert said["type"] == "ivf-pq"
    assert said["recall"] < 0.95
    assert "set that to auto" in caplog.text


def test_a_building_that_fails_leaves_the_exact_scan(small_auto, monkeypatch, caplog):
    def broken(*_):
        raise RuntimeError("no room")

    monkeypatch.setattr("service.index.ann.IvfSq8.build", broken)
    index = small_auto()
    assert index.describe()["type"] == "flat"
    assert index.search(np.ones((1, 16), np.float32), 3).ids.min() >= 0
    assert "no room" in caplog.text


def test_closing_stops_what_is_being_built(small_auto, monkeypatch):
    def endless(vectors, stop):
        from service.index.ann import BuildStopped

        while not stop():
            threading.Event().wait(0.001)
        raise BuildStopped

    monkeypatch.setattr("service.index.ann.IvfSq8.build", endless)
    monkeypatch.setattr(FaissIndex, "settle", lambda _: None)
    index = small_auto()
    assert index.describe()["building"]
    index.close()
    assert not index.describe()["building"]
    assert len(index.search(np.ones((1, 16), np.float32), 3).ids) == 1
