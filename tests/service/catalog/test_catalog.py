from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock

import numpy as np
import pytest
from sqlalchemy.exc import IntegrityError

from models.errors import DataError
from models.types import Modality
from service.catalog.catalog import Catalog
from service.catalog.moments import parse_moment
from service.catalog.records import Draft, Embedding, Filter, Range, SpaceRef

SPACE = SpaceRef("av", "f00d", (Modality.AUDIO, Modality.VIDEO), 3)


def draft(number, **changes):
    plain = Draft(
        id=f"{number:020x}",
        modality=Modality.AUDIO,
        sha256=f"{number:064x}",
        media_type="audio/wav",
        suffix=".wav",
        bytes=100,
        title=f"sound {number}",
        label=None,
        work_id=None,
        metadata={},
        embeddings=[(SPACE, Embedding(np.full(3, number, np.float32), 0.5))],
    )
    return replace(plain, **changes)


@pytest.fixture
def catalog(catalog_url):
    catalog = Catalog(catalog_url)
    yield catalog
    catalog.close()


def test_an_inserted_item_comes_back_whole_and_is_there_after_reopening(catalog_url):
    facts = {"tempo": 120, "swing": 0.5, "live": True, "key": "C"}
    catalog = Catalog(catalog_url)
    new = draft(1, title="Étude", label="piano", work_id="w1", metadata=facts)
    (item,) = catalog.insert([new])
    catalog.close()
    catalog = Catalog(catalog_url)
    assert catalog.get(new.id) == item
    catalog.close()
    for name in (
        "id",
        "modality",
        "sha256",
        "media_type",
        "suffix",
        "bytes",
        "title",
        "label",
        "work_id",
    ):
        assert getattr(item, name) == getattr(new, name)
    assert item.metadata == facts
    assert isinstance(item.metadata["live"], bool)
    assert abs(datetime.now(UTC) - item.created_at) < timedelta(minutes=1)
    assert item.created_at.utcoffset() == timedelta(0)


def test_numbers_rise_and_are_never_used_twice(catalog):
    first, second = catalog.insert([draft(1), draft(2)])
    assert first.number < second.number
    assert catalog.delete(second.id)
    (third,) = catalog.insert([draft(3)])
    assert third.number > second.number


def test_a_failing_insert_stores_nothing(catalog):
    catalog.insert([draft(1)])
    with pytest.raises(DataError, match=f"one that is there: {1:020x}"):
        catalog.insert([draft(2), draft(1)])
    with pytest.raises(IntegrityError, match=r"UNIQUE|unique"):
        catalog.insert([draft(3), draft(3)])
    assert catalog.page(Filter(), 0, 10)[1] == 1


def test_items_that_another_process_added_meanwhile_stay_as_they_are(catalog):
    (first,) = catalog.insert([draft(1, title="first")])
    (again, is_new), (second, second_is_new) = catalog.insert_missing([draft(1), draft(2)])
    assert (again, is_new, second_is_new) == (first, False, True)
    assert catalog.page(Filter(), 0, 10) == ([first, second], 2)


def test_unknown_items_are_not_found(catalog):
    assert catalog.get("f" * 20) is None
    assert not catalog.delete("f" * 20)
    assert catalog.by_numbers([5]) == {}
    assert catalog.by_ids([]) == {}


def test_delete_takes_metadata_and_embeddings_along(catalog):
    kept, gone = catalog.insert([draft(1, metadata={"a": 1}), draft(2, metadata={"a": 1})])
    assert catalog.delete(gone.id)
    assert catalog.embeddings.get(gone.number, "av") is None
    assert catalog.embeddings.get(kept.number, "av") is not None
    assert catalog.numbers(Filter(metadata={"a": 1})).tolist() == [kept.number]


def test_more_items_than_one_statement_takes_are_found_at_once(catalog):
    items = catalog.insert([draft(n) for n in range(2000)])
    assert len(catalog.by_numbers([item.number for item in items])) == 2000
    assert set(catalog.by_ids([item.id for item in items])) == {item.id for item in items}


def test_pages_follow_the_order_of_adding_and_tell_the_total(catalog):
    items = catalog.insert([draft(n) for n in range(10)])
    assert catalog.page(Filter(), 3, 4) == (items[3:7], 10)
    assert catalog.page(Filter(), 8, 4) == (items[8:], 10)
    assert catalog.page(Filter(), 20, 4) == ([], 10)


@pytest.fixture
def mixed(catalog):
    catalog.insert(
        [
            draft(0, title="Straße bei Nacht", label="street", work_id="w1"),
            draft(1, title="Cafe\u0301 50%", label="cafe", work_id="w1", modality=Modality.VIDEO),
            draft(2, title="Bell_tower", label="bell", metadata={"tempo": 120, "live": True}),
            draft(3, title="Belltower", label="bell", metadata={"tempo": 120.5, "live": "true"}),
            draft(4, title="東京", metadata={"tempo": "120", "city": "東京"}),
        ]
    )
    return catalog


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (Filter(), [0, 1, 2, 3, 4]),
        (Filter(modality=Modality.VIDEO), [1]),
        (Filter(modality=Modality.SCORE), []),
        (Filter(work_id="w1"), [0, 1]),
        (Filter(label="bell"), [2, 3]),
        (Filter(label="bel"), []),
        (Filter(work_id="w1", label="cafe"), [1]),
        (Filter(title="STRASSE"), [0]),
        (Filter(title="caf\u00e9"), [1]),
        (Filter(title="%"), [1]),
        (Filter(title="_"), [2]),
        (Filter(title="京"), [4]),
        (Filter(metadata={"tempo": 120}), [2, 4]),
        (Filter(metadata={"tempo": "120"}), [2, 4]),
        (Filter(metadata={"tempo": 120.0}), [2, 4]),
        (Filter(metadata={"tempo": "120.5"}), [3]),
        (Filter(metadata={"live": True}), [2, 3]),
        (Filter(metadata={"tempo": 120, "live": True}), [2]),
        (Filter(metadata={"city": "東京"}), [4]),
        (Filter(metadata={"nothing": 1}), []),
        (Filter(label="' OR 1=1 --"), []),
    ],
)
def test_filters_keep_exactly_what_they_say(mixed, chosen, expected):
    items, total = mixed.page(chosen, 0, 10)
    assert [int(item.id, 16) for item in items] == expected
    assert total == len(expected)
    assert mixed.numbers(chosen).tolist() == [item.number for item in items]


def test_statistics_count_everything(mixed):
    statistics = mixed.statistics()
    assert statistics.items == {Modality.AUDIO: 4, Modality.VIDEO: 1}
    assert statistics.embeddings == {"av": {Modality.AUDIO: 4, Modality.VIDEO: 1}}
    assert (statistics.works, statistics.media_bytes) == (1, 500)


def test_an_empty_catalog_has_empty_statistics(catalog):
    statistics = catalog.statistics()
    assert (statistics.items, statistics.embeddings) == ({}, {})
    assert (statistics.works, statistics.media_bytes) == (0, 0)


def moment(year, month, day, *time):
    return datetime.combine(date(year, month, day), clock(*time), UTC)


@pytest.fixture
def dated(catalog):
    catalog.insert(
        [
            draft(0, metadata={"tempo": 60, "recorded": "2020-01-31"}, tags=("slow", "live")),
            draft(1, metadata={"tempo": 99.5, "recorded": "2020-02-01T00:30+01:00"}),
            draft(2, metadata={"tempo": 100, "recorded": "2020-02-01"}, tags=("live", "live")),
            draft(3, metadata={"tempo": "100", "recorded": "soon"}, label="x", tags=("slow",)),
            draft(4, metadata={"tempo": True, "recorded": 2020}, label="x"),
            draft(5, metadata={"tempo": -(10**400)}),
        ]
    )
    return catalog


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (Filter(ranges=(Range("tempo", ">=", 99.5),)), [1, 2]),
        (Filter(ranges=(Range("tempo", ">", 99.5),)), [2]),
        (Filter(ranges=(Range("tempo", "<", 99.5),)), [0]),
        (Filter(ranges=(Range("tempo", ">=", 60), Range("tempo", "<=", 99.5))), [0, 1]),
        (
            Filter(ranges=(Range("tempo", ">=", 60), Range("recorded", "<", moment(2020, 2, 1)))),
            [0, 1],
        ),
        (Filter(ranges=(Range("recorded", ">=", moment(2020, 1, 31, 23, 30)),)), [1, 2]),
        (Filter(ranges=(Range("recorded", ">=", 2000.0),)), [4]),
        (Filter(ranges=(Range("absent", ">=", 0.0),)), []),
        (Filter(ranges=(Range("created_at", ">=", moment(2020, 1, 1)),)), [0, 1, 2, 3, 4, 5]),
        (Filter(ranges=(Range("created_at", "<", moment(2020, 1, 1)),)), []),
        (Filter(tags=("live",)), [0, 2]),
        (Filter(tags=("live", "slow")), [0]),
        (Filter(tags=("slow",), label="x"), [3]),
        (Filter(tags=("sl",)), []),
    ],
)  # fmt: skip
def test_ranges_and_tags_keep_exactly_what_they_say(dated, chosen, expected):
    items, total = dated.page(chosen, 0, 10)
    assert [int(item.id, 16) for item in items] == expected
    assert total == len(expected)
    assert dated.numbers(chosen).tolist() == [item.number for item in items]


def test_tags_are_kept_once_and_sorted_and_go_with_the_item(dated):
    item = dated.get(f"{0:020x}")
    assert item.tags == ("live", "slow")
    assert dated.get(f"{2:020x}").tags == ("live",)
    dated.delete(item.id)
    assert [int(i.id, 16) for i in dated.page(Filter(tags=("live",)), 0, 9)[0]] == [2]


def test_a_page_may_start_behind_an_item(catalog):
    items = catalog.insert([draft(n) for n in range(10)])
    assert catalog.page(Filter(), 0, 4, after=items[2].number) == (items[3:7], 10)
    catalog.delete(items[2].id)
    assert catalog.page(Filter(), 0, 4, after=items[2].number) == (items[3:7], 9)


def test_answers_are_kept_until_the_catalog_changes(catalog, monkeypatch):
    items = catalog.insert([draft(n, label="x") for n in range(3)])
    first = catalog.numbers(Filter(label="x"))
    assert catalog.numbers(Filter(label="x")) is first
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 9
    catalog.delete(items[1].id)
    assert catalog.numbers(Filter(label="x")).tolist() == [items[0].number, items[2].number]
    assert catalog.numbers(Filter(label="y")).tolist() == []
    assert catalog.numbers(Filter(label="x", metadata={"a": 1})).tolist() == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-25", moment(2026, 11, 25)),
        ("2026-11-25T18:00", moment(2026, 11, 25, 18)),
        ("2026-11-25 18:00:01.5Z", moment(2026, 11, 25, 18, 0, 1, 500_000)),
        ("2026-11-25T18:00-02:00", moment(2026, 11, 25, 20)),
        ("2026-02-30", None),
        ("20261125", None),
        ("2026-11", None),
        ("0001-01-01T00:00+14:00", None),
        ("tomorrow", None),
    ],
)
def test_only_iso_dates_and_times_are_moments(text, expected):
    assert parse_moment(text) == expected
