from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from models.types import Modality
from service.catalog.catalog import Catalog
from service.catalog.database import sqlite_url
from service.catalog.records import Draft, Embedding, Filter, SpaceRef

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
def catalog(tmp_path):
    catalog = Catalog(sqlite_url(tmp_path / "catalog.sqlite3"))
    yield catalog
    catalog.close()


def test_an_inserted_item_comes_back_whole_and_is_there_after_reopening(tmp_path):
    facts = {"tempo": 120, "swing": 0.5, "live": True, "key": "C"}
    url = sqlite_url(tmp_path / "catalog.sqlite3")
    catalog = Catalog(url)
    new = draft(1, title="Étude", label="piano", work_id="w1", metadata=facts)
    (item,) = catalog.insert([new])
    catalog.close()
    catalog = Catalog(url)
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
    with pytest.raises(Exception, match="UNIQUE"):
        catalog.insert([draft(2), draft(1)])
    assert catalog.page(Filter(), 0, 10)[1] == 1


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
