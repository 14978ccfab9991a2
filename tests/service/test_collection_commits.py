"""Adds from several threads go into the catalog together, and fail alone."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from models.errors import DataError
from service.collection import Collection, StorageFullError
from service.collection.commits import CommitQueue
from tests.service.collection_cases import AV, media_files, new_item, numbers_found, vector


class Disk:
    """Stands for catalog and media: notes what is stored together, refuses what it is told to."""

    def __init__(self):
        self.together = []
        self.refused = set()
        self.entered = threading.Event()
        self.may_go_on = threading.Event()

    def store(self, arrivals, staged):
        self.entered.set()
        assert self.may_go_on.wait(30)
        self.together.append(list(arrivals))
        if self.refused & set(arrivals):
            raise DataError(f"refused {sorted(self.refused & set(arrivals))}")
        return [(arrival, True) for arrival in arrivals]


@pytest.fixture
def disk():
    return Disk()


def stored_while_one_is_busy(disk, others):
    """Outcomes of ``others``, which all wait while the first is being stored."""
    queue: Any = CommitQueue(threading.RLock(), disk.store)
    with ThreadPoolExecutor(len(others) + 1) as pool:
        first = pool.submit(queue.store, ["first"], [None])
        assert disk.entered.wait(30)
        jobs = [pool.submit(queue.store, other, [None] * len(other)) for other in others]
        while len(queue._waiting) < len(others):
            assert not any(job.done() for job in jobs)
        disk.may_go_on.set()
        assert first.result() == [("first", True)]
        return [job.exception() or job.result() for job in jobs]


def test_those_that_wait_are_stored_together_and_get_their_own_answers(disk):
    outcomes = stored_while_one_is_busy(disk, [["a", "b"], ["c"], [], ["d"]])
    assert outcomes == [[("a", True), ("b", True)], [("c", True)], [], [("d", True)]]
    assert len(disk.together) == 2
    assert sorted(disk.together[1]) == ["a", "b", "c", "d"]


def test_the_fault_of_one_is_not_that_of_the_others(disk):
    disk.refused = {"b"}
    good, bad, other = stored_while_one_is_busy(disk, [["a"], ["b"], ["c"]])
    assert (good, other) == ([("a", True)], [("c", True)])
    assert isinstance(bad, DataError)


def test_equal_items_of_one_transaction_are_one_item(tmp_path):
    with Collection(tmp_path, [AV], backend="numpy") as collection:
        answers = collection.add_many([new_item(1), new_item(1, suffix=".mp3"), new_item(2)])
        assert [new for _, new in answers] == [True, False, True]
        assert answers[0][0] == answers[1][0]
        assert answers[0][0].suffix == ".wav"
        assert len(media_files(tmp_path)) == 2


def test_an_item_of_another_process_is_there_already(tmp_path, monkeypatch):
    """Between our look into the catalog and our commit, another replica adds the same bytes."""
    with Collection(tmp_path, [AV], backend="numpy") as collection:
        first, _ = collection.add(new_item(1))
        catalog = collection._catalog
        with monkeypatch.context() as patch:
            patch.setattr(catalog, "by_ids", lambda _: {})
            again, is_new = collection.add(new_item(1, title="other"))
        assert (again, is_new) == (first, False)
        assert collection.media_path(first).exists()
        assert collection.add(new_item(1)) == (first, False)
        hits = collection.search(AV.name, first.modality, vector(1)[None], 5)
        assert numbers_found(hits) == [[first.number]]


def test_what_is_known_is_told(tmp_path):
    with Collection(tmp_path, [AV], backend="numpy") as collection:
        item, _ = collection.add(new_item(1))
        assert collection.known([item.id, "0" * 20]) == {item.id}
        assert collection.known([]) == set()


def test_a_full_disk_fails_every_waiting_add_and_stores_none(tmp_path, monkeypatch):
    with Collection(tmp_path, [AV], backend="numpy") as collection:

        def full(drafts):
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(collection._catalog, "insert_missing", full)
            with ThreadPoolExecutor(4) as pool:
                jobs = [pool.submit(collection.add, new_item(n)) for n in range(8)]
                errors = {type(job.exception()) for job in jobs}
            assert errors == {StorageFullError}
        assert media_files(tmp_path) == []
        assert collection.items()[1] == 0
        assert collection.add(new_item(1))[1]
