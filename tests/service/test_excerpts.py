"""Songs that lie in a space by their excerpts: one item, several vectors, all or nothing."""

import sqlite3
from contextlib import closing

import numpy as np
import pytest

from models.errors import DataError
from models.types import Modality, Place
from service.catalog.records import Excerpt
from service.collection import Collection, Embedding, Filter
from service.collection.backup import back_up
from service.collection.check import check_folder
from service.collection.paging import PageRequest, parse_cursor
from service.collection.restore import restore
from service.index.options import IndexOptions
from tests.service.collection_cases import AV, SONG, K, new_item, numbers_found, vector

SPACE = AV.name
OPTIONS = IndexOptions("numpy", "cpu", 1)


def place(position):
    first = 4 * position - 3
    return Place(first_bar=first, last_bar=first + 3, start_seconds=2.5 * position)


def song(number, n_excerpts=3, **changes):
    """A song whose excerpt p lies at ``vector(100 * number + p)``."""
    excerpts = [
        Embedding(vector(100 * number + p), 0.5, Excerpt(p, place(p)))
        for p in range(1, n_excerpts + 1)
    ]
    return new_item(number, embeddings={SPACE: excerpts}, **changes)


@pytest.fixture
def collection(tmp_path):
    with Collection(tmp_path / "data", [AV, SONG], backend="numpy") as opened:
        yield opened


def ranked(collection, seeds, k=10, **more):
    queries = np.stack([vector(seed) for seed in seeds])
    request = PageRequest(k, **more)
    return collection.ranking(SPACE, Modality.AUDIO, queries, request)


def found(page):
    return [(hit.item.title, hit.excerpt and hit.excerpt.position) for hit in page.hits]


def assert_found(collection, number, n_excerpts=3):
    """Every excerpt of a song is the nearest to its own vector, with its place."""
    for p in range(1, n_excerpts + 1):
        best = ranked(collection, [100 * number + p], 1).hits[0]
        assert best.item.title == f"sound {number}"
        assert best.excerpt == Excerpt(p, place(p))
        assert best.score == pytest.approx(1.0, abs=1e-6)


def test_a_song_comes_once_with_its_best_excerpt(collection):
    collection.add_many([song(1), new_item(2), song(3)])
    page = ranked(collection, [302])
    assert found(page)[0] == ("sound 3", 2)
    assert sorted(title for title, _ in found(page)) == ["sound 1", "sound 2", "sound 3"]
    assert_found(collection, 1)
    assert_found(collection, 3)


def test_the_ranking_is_that_of_all_pairs_computed_by_hand(collection):
    """Against a naive loop: the best excerpt for the best query, then by score."""
    made = [song(n, n_excerpts=n) for n in range(2, 7)]
    items = [item for item, _ in collection.add_many(made)]
    seeds = [7, 8, 9]
    expected = {}
    for item, new in zip(items, made, strict=True):
        expected[item.title] = max(
            (float(vector(seed) @ one.vector), one.excerpt.position, query)
            for query, seed in enumerate(seeds)
            for one in new.embeddings[SPACE]
        )
    page = ranked(collection, seeds)
    order = sorted(expected, key=lambda title: -expected[title][0])
    assert [hit.item.title for hit in page.hits] == order
    for hit in page.hits:
        score, position, query = expected[hit.item.title]
        assert hit.score == pytest.approx(score, abs=1e-6)
        assert (hit.excerpt.position, hit.query) == (position, query)


def test_pages_of_songs_show_each_once_whatever_is_added_meanwhile(collection):
    collection.add_many([song(n, n_excerpts=5) for n in range(1, 8)])
    whole = found(ranked(collection, [42], 7))
    assert len(whole) == 7
    page = ranked(collection, [42], 2)
    pages = found(page)
    while page.next is not None:
        collection.add(song(50 + len(pages)))
        page = ranked(collection, [42], 2, cursor=parse_cursor(str(page.next)))
        pages += found(page)
    assert pages == whole


def test_all_excerpts_go_with_the_song(collection):
    (first, _), (second, _) = collection.add_many([song(1), song(2)])
    assert collection.statistics().embeddings[SPACE] == {Modality.AUDIO: 6}
    assert collection.item_counts()[SPACE] == {Modality.AUDIO: 2}
    assert collection.delete(first.id)
    assert collection.statistics().embeddings[SPACE] == {Modality.AUDIO: 3}
    hits = collection.search(SPACE, Modality.AUDIO, vector(101)[None], 10)
    assert numbers_found(hits) == [[second.number] * 3]
    assert collection.excerpt(first, 1) is None


def test_a_filter_finds_the_excerpts_of_the_items_it_keeps(collection):
    collection.add_many([song(1, label="a"), song(2, label="b"), new_item(3, label="b")])
    queries = vector(101)[None]
    page = collection.ranking(SPACE, Modality.AUDIO, queries, PageRequest(10), Filter(label="b"))
    assert {hit.item.title for hit in page.hits} == {"sound 2", "sound 3"}


def test_numbers_of_excerpts_are_never_those_of_items(collection):
    collection.add_many([song(1), song(2)])
    later, _ = collection.add(new_item(3))
    numbers = [one.number for one in collection._catalog.embeddings.of_items([1, 2, later.number])]
    assert len(set(numbers)) == 7
    assert later.number in numbers
    items = {item.number for item in collection.items()[0]}
    assert len(items & set(numbers)) == 1


def test_opened_again_everything_is_found(tmp_path):
    with Collection(tmp_path, [AV], backend="numpy") as collection:
        collection.add_many([song(1), new_item(2)])
    with Collection(tmp_path, [AV], backend="numpy") as collection:
        assert_found(collection, 1)
        gone = collection.items()[0][0]
        collection.add(song(3))
        collection.delete(gone.id)
    with Collection(tmp_path, [AV], backend="numpy") as collection:
        assert_found(collection, 3)
        assert len(collection.search(SPACE, Modality.AUDIO, vector(0)[None], 99)[0]) == 4


def test_placing_anew_leaves_no_old_excerpt_behind(tmp_path):
    with Collection(tmp_path, [AV], backend="numpy") as collection:
        item, _ = collection.add(song(1, n_excerpts=5))
        rows = [(item, one) for one in song(2, n_excerpts=3).embeddings[SPACE]]
        collection.put_embeddings(AV, rows)
        assert len(collection.search(SPACE, Modality.AUDIO, vector(0)[None], 99)[0]) == 3
        numbered = [(item.number, one) for one in song(4, n_excerpts=2).embeddings[SPACE]]
        assert collection.replace_embeddings(AV, numbered) == 2
        best = ranked(collection, [402], 1).hits[0]
        assert (best.item.id, best.excerpt.position) == (item.id, 2)
    assert check_folder(tmp_path, [AV], OPTIONS, progress=False).findings == []


def test_a_check_names_a_song_that_lacks_an_excerpt(tmp_path):
    with Collection(tmp_path, [AV], backend="numpy") as collection:
        item, _ = collection.add(song(1))
        collection.add(new_item(2))
    assert check_folder(tmp_path, [AV], OPTIONS, progress=False).findings == []
    with closing(sqlite3.connect(tmp_path / "catalog.sqlite3")) as database, database:
        database.execute("DELETE FROM embeddings WHERE position = 2")
    findings = check_folder(tmp_path, [AV], OPTIONS, progress=False).findings
    assert [(one.kind, one.subject, one.space) for one in findings] == [
        ("embedding-damaged", item.id, SPACE)
    ]


def test_a_backup_holds_the_excerpts(tmp_path):
    with Collection(tmp_path / "data", [AV], backend="numpy") as collection:
        collection.add_many([song(1), new_item(2)])
        back_up(tmp_path / "data", tmp_path / "copy", progress=False)
        collection.delete(collection.items()[0][0].id)
    restore(tmp_path / "copy", tmp_path / "again", progress=False)
    with Collection(tmp_path / "again", [AV], backend="numpy") as collection:
        assert_found(collection, 1)


@pytest.mark.parametrize("positions", [[], [2], [1, 1], [1, 3], [None, 1], [None, None]], ids=str)
def test_excerpts_are_counted_from_1(collection, positions):
    embeddings = [
        Embedding(np.eye(K, dtype=np.float32)[0], 1.0, p and Excerpt(p, Place())) for p in positions
    ]
    with pytest.raises(DataError, match="excerpt"):
        collection.add(new_item(1, embeddings={SPACE: embeddings}))
    assert collection.items()[1] == 0
