"""Searching, adding and deleting at the same time from eight threads."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from models.types import Modality
from service.collection import Collection, Filter
from tests.service.collection_cases import AV, media_files, new_item, vector

N_KEPT = 40


@pytest.fixture
def collection(tmp_path):
    with Collection(tmp_path, [AV], device="cpu") as opened:
        opened.add_many(new_item(n, label="kept") for n in range(N_KEPT))
        yield opened


def come_and_go(collection, first):
    for number in range(first, first + 12):
        item, is_new = collection.add(new_item(number, label="passing"))
        assert is_new
        hits = collection.search(AV.name, Modality.AUDIO, vector(number)[None], 1)
        assert hits[0][0][0] == item
        assert collection.delete(item.id)
        hits = collection.search(AV.name, Modality.AUDIO, vector(number)[None], 1)
        assert hits[0][0][0] != item


def look(collection, seed):
    number = seed % N_KEPT
    queries = np.stack([vector(number), vector(10_000 + seed)])
    for chosen in [None, Filter(label="kept")] * 20:
        hits = collection.search(AV.name, Modality.AUDIO, queries, N_KEPT, filter=chosen)
        assert [len(answer) for answer in hits] == [N_KEPT, N_KEPT]
        assert hits[0][0][0].title == f"sound {number}"
        for answer in hits:
            scores = [score for _, score in answer]
            assert scores == sorted(scores, reverse=True)
            assert len({item.number for item, _ in answer}) == N_KEPT


def test_eight_threads_see_only_whole_items_and_full_answers(collection):
    with ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(come_and_go, collection, 1000 * n) for n in range(1, 4)]
        jobs += [pool.submit(look, collection, seed) for seed in range(4)]
        jobs.append(pool.submit(lambda: [collection.save() for _ in range(10)]))
        for job in jobs:
            job.result()
    assert collection.items()[1] == N_KEPT
    assert len(media_files(collection.folder)) == N_KEPT


def test_the_same_item_from_eight_threads_is_stored_once(collection):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: collection.add(new_item(777)), range(8)))
    assert sorted(is_new for _, is_new in answers) == [False] * 7 + [True]
    assert len({item.number for item, _ in answers}) == 1
    assert len(media_files(collection.folder)) == N_KEPT + 1


def test_an_item_that_is_being_deleted_gives_its_place_to_the_next(collection):
    """The moment between the catalog's commit and the index: the next best moves up."""
    items = collection.items(None, 0, N_KEPT)[0]
    query = vector(0)[None]
    whole = collection.search(AV.name, Modality.AUDIO, query, N_KEPT)[0]
    gone = {item.number for item, _ in whole[1:4]}
    for item in items:
        if item.number in gone:
            collection._catalog.delete(item.id)
    left = [hit for hit in whole if hit[0].number not in gone]
    for k in (1, 2, 3, 10, N_KEPT):
        assert collection.search(AV.name, Modality.AUDIO, query, k) == [left[:k]]
    assert collection.search(AV.name, Modality.AUDIO, query, 5, offset=3) == [left[3:8]]
