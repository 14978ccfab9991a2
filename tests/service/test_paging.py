"""Pages of a ranking against one list that is cut by hand."""

import itertools
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import DataError
from models.types import Modality
from service.catalog.records import Item
from service.collection.paging import Cursor, Hit, PageRequest, parse_cursor, ranked_page


def item(number, work=None):
    return Item(
        number, f"{number:020x}", Modality.AUDIO, "", "a/b", ".x", 1, "t", None, work, {},
        datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip


class Ranking:
    """A ranking that can be changed between pages; notes how deep it was read."""

    def __init__(self, scores, works=None):
        works = works or {}
        self.hits = [
            Hit(item(number, works.get(number)), float(np.float32(score)))
            for number, score in scores.items()
        ]
        self.depths = []
        self.sequence = max(scores, default=0)

    def search(self, depth):
        self.depths.append(depth)
        return sorted(self.hits, key=lambda hit: (-hit[1], hit[0].number))[:depth]

    def page(self, k, **more):
        return ranked_page(self.search, PageRequest(k, **more), self.sequence)

    def add(self, number, score, work=None):
        self.hits.append(Hit(item(number, work), float(np.float32(score))))
        self.sequence = number

    def remove(self, number):
        self.hits = [hit for hit in self.hits if hit[0].number != number]


def numbers(page):
    return [hit[0].number for hit in page.hits]


def all_pages(ranking, k, **more):
    page = ranking.page(k, **more)
    yield page
    while page.next is not None:
        page = ranking.page(k, cursor=parse_cursor(str(page.next)), **more)
        yield page


@given(
    scores=st.lists(st.sampled_from([0.1, 0.25, 0.5, 0.7]), max_size=30),
    k=st.integers(1, 7),
    works=st.lists(st.sampled_from([None, "a", "b", "c"]), min_size=30, max_size=30),
    one_per_work=st.booleans(),
    without=st.sampled_from([None, 1, 3]),
)
@settings(deadline=None, max_examples=150)
def test_pages_put_together_are_the_ranking(scores, k, works, one_per_work, without):
    by_number = dict(enumerate(scores, 1))
    ranking = Ranking(by_number, dict(enumerate(works, 1)))
    expected, seen = [], set()
    for number in sorted(by_number, key=lambda n: (-by_number[n], n)):
        work = works[number - 1]
        if number == without or (one_per_work and work is not None and work in seen):
            continue
        seen.add(work)
        expected.append(number)
    pages = list(all_pages(ranking, k, one_per_work=one_per_work, without=without))
    assert list(itertools.chain.from_iterable(map(numbers, pages))) == expected
    assert [page.first_rank for page in pages] == list(range(1, max(len(expected), 1) + 1, k))
    assert all(len(page.hits) == k for page in pages[:-1])
    for offset in (0, 2, 5):
        page = ranking.page(k, offset=offset, one_per_work=one_per_work, without=without)
        assert numbers(page) == expected[offset : offset + k]


def test_items_that_come_meanwhile_change_nothing_on_later_pages():
    ranking = Ranking({n: 1 - n / 100 for n in range(1, 21)})
    pages = all_pages(ranking, 5)
    assert numbers(next(pages)) == [1, 2, 3, 4, 5]
    for number in range(21, 60):
        ranking.add(number, 0.995 if number % 2 else 0.9)
    assert numbers(next(pages)) == [6, 7, 8, 9, 10]
    ranking.add(60, 0.895)
    assert numbers(next(pages)) == [11, 12, 13, 14, 15]
    assert numbers(ranking.page(3)) == [21, 23, 25]


def test_items_that_go_meanwhile_make_no_other_be_passed_over():
    ranking = Ranking({n: 1 - n / 100 for n in range(1, 21)})
    pages = all_pages(ranking, 5)
    next(pages)
    for number in (1, 2, 5, 7):
        ranking.remove(number)
    assert numbers(next(pages)) == [6, 8, 9, 10, 11]
    assert numbers(next(pages)) == [12, 13, 14, 15, 16]


def test_k_works_are_found_however_deep_they_lie():
    scores = {n: 1 - n / 10_000 for n in range(1, 1001)}
    works = {n: "many" if n < 995 else f"w{n}" for n in scores}
    page = Ranking(scores, works).page(4, one_per_work=True)
    assert numbers(page) == [1, 995, 996, 997]


def test_items_without_a_work_are_never_taken_together():
    assert numbers(Ranking({1: 0.3, 2: 0.2, 3: 0.1}).page(9, one_per_work=True)) == [1, 2, 3]


def test_a_plain_page_is_read_once_and_no_deeper_than_needed():
    ranking = Ranking({n: 1 - n / 100 for n in range(1, 51)})
    ranking.page(10, offset=5)
    assert ranking.depths == [16]


def test_an_empty_ranking_has_one_empty_page():
    page = Ranking({}).page(3)
    assert (page.hits, page.first_rank, page.next) == ((), 1, None)


def test_a_cursor_comes_back_from_its_text_bit_by_bit():
    for score in (1.0, -0.25, float(np.float32(0.1)), 0.0):
        cursor = Cursor(10, score, 7, 99)
        assert parse_cursor(str(cursor)) == cursor


@pytest.mark.parametrize(
    "text", ["", "1", "1.2.3", "-1.00000000.1.1", "1.0000000.1.1", "1.00000000.1.1 ", "9" * 80]
)
def test_what_is_no_cursor_is_refused(text):
    with pytest.raises(DataError, match="cursor"):
        parse_cursor(text)
