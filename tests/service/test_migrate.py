"""A collection of schema version 1, as the Kyomei of that time wrote it, is brought up to date."""

import errno
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from models.errors import ArtefactError
from models.types import Modality
from service.catalog.migration import MIXED, migrate_catalog
from service.catalog.records import Range
from service.collection import Collection, Filter, StorageFullError
from service.collection.migrate import migrate_folder
from tests.service.collection_cases import AV, SONG, media, new_item, numbers_found, vector

# Items 1, 3 and 4; 2 and 5 were deleted.
DUMPS = Path(__file__).parent / "catalog"


@pytest.fixture
def old(tmp_path):
    """A data folder of version 1: the catalog with its media."""
    return _data_folder(tmp_path / "data", "version_1.sql")


def _data_folder(folder, dump):
    folder.mkdir()
    with closing(sqlite3.connect(folder / "catalog.sqlite3")) as database:
        database.executescript((DUMPS / dump).read_text(encoding="utf-8"))
        rows = list(database.execute("SELECT id, suffix, title FROM items"))
    for item_id, suffix, title in rows:
        path = folder / "media" / item_id[:2] / f"{item_id}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(media(int(title.removeprefix("sound "))))
    return folder


def dump(path):
    with closing(sqlite3.connect(path)) as database:
        return list(database.iterdump())


def test_opening_an_old_catalog_names_the_command_that_helps(old):
    pattern = r"schema version 1, this Kyomei reads version 3.*kyomei migrate --data"
    for _ in range(2):
        with pytest.raises(ArtefactError, match=pattern):
            Collection(old, [AV, SONG])


def test_everything_of_the_old_collection_is_there_and_can_be_found(old):
    (old / "indexes").mkdir()
    (old / "indexes" / "stale").touch()
    migration = migrate_folder(old)
    assert (migration.found, migration.now) == (1, 3)
    assert not (old / "indexes").exists()
    with Collection(old, [AV, SONG], backend="numpy") as collection:
        items, total = collection.items()
        assert [(i.number, i.title, i.modality) for i in items] == [
            (1, "sound 1", Modality.AUDIO),
            (3, "sound 3", Modality.AUDIO),
            (4, "sound 4", Modality.VIDEO),
        ]
        assert total == 3
        first, third, _ = items
        assert (first.label, first.work_id, first.tags) == ("bell", "w1", ())
        assert first.metadata == {"tempo": 120, "live": True, "recorded": "2020-05-17"}
        assert first.created_at == datetime(2026, 11, 25, 18, 10, 47, 436_646, UTC)
        assert third.metadata == {"tempo": 99.5, "place": "Kyōto"}
        assert collection.media_path(first).read_bytes() == media(1)
        song = collection.embedding(third, SONG.name)
        assert song is not None
        assert (song.vector.tolist(), song.typicality) == (vector(30).tolist(), 1.0)
        hits = collection.search(AV.name, Modality.AUDIO, np.stack([vector(1), vector(3)]), 1)
        assert numbers_found(hits) == [[1], [3]]


def test_version_2_keeps_its_items_and_their_vectors_under_the_same_numbers(tmp_path):
    folder = _data_folder(tmp_path / "data", "version_2.sql")
    with pytest.raises(ArtefactError, match=r"version 2, this Kyomei reads version 3.*migrate"):
        Collection(folder, [AV, SONG])
    migration = migrate_folder(folder)
    assert (migration.found, migration.now) == (2, 3)
    with Collection(folder, [AV, SONG], backend="numpy") as collection:
        assert [item.number for item in collection.items()[0]] == [1, 3, 4]
        hits = collection.search(AV.name, Modality.AUDIO, np.stack([vector(1), vector(4)]), 1)
        assert numbers_found(hits) == [[1], [4]]
        assert collection.add(new_item(6))[0].number > 5
        assert collection.delete(collection.items()[0][0].id)
    fresh = tmp_path / "fresh"
    Collection(fresh, [AV, SONG]).close()
    assert _tables(folder) == _tables(fresh)


def _tables(folder):
    with closing(sqlite3.connect(folder / "catalog.sqlite3")) as database:
        query = "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name"
        return [(name, " ".join(text.split())) for name, text in database.execute(query)]


def test_old_metadata_can_be_compared_as_numbers_and_dates(old):
    migrate_folder(old)
    with Collection(old, [AV, SONG], backend="numpy") as collection:
        for one, expected in (
            (Range("tempo", ">", 99.5), [1]),
            (Range("tempo", "<=", 120.0), [1, 3]),
            (Range("recorded", "<", datetime(2020, 5, 18, tzinfo=UTC)), [1]),
        ):
            found = collection.items(Filter(ranges=(one,)))[0]
            assert [item.number for item in found] == expected


def test_new_items_get_numbers_that_were_never_used(old):
    migrate_folder(old)
    with Collection(old, [AV, SONG], backend="numpy") as collection:
        item, is_new = collection.add(new_item(5))
        assert (item.number, is_new) == (6, True)


def test_the_old_catalog_is_kept_as_it_was(old):
    before = dump(old / "catalog.sqlite3")
    migration = migrate_folder(old)
    assert migration.copy == old / "catalog.version-1.sqlite3"
    assert dump(migration.copy) == before


def test_a_second_time_changes_nothing(old):
    migrate_folder(old)
    before = dump(old / "catalog.sqlite3")
    again = migrate_folder(old)
    assert (again.found, again.now, again.copy) == (3, 3, None)
    assert dump(old / "catalog.sqlite3") == before


def test_a_migration_that_fails_half_way_changes_nothing_and_can_be_repeated(old, monkeypatch):
    before = dump(old / "catalog.sqlite3")

    def broken(connection):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("service.catalog.migration._facts", broken)
        with pytest.raises(StorageFullError):
            migrate_folder(old)
    assert dump(old / "catalog.sqlite3") == before
    migrate_folder(old)
    with Collection(old, [AV, SONG], backend="numpy") as collection:
        assert collection.items()[1] == 3


def test_embeddings_of_several_fingerprints_ask_for_reindex(old):
    with closing(sqlite3.connect(old / "catalog.sqlite3")) as database, database:
        database.execute("UPDATE embeddings SET fingerprint = 'beef' WHERE item_number = 4")
    migrate_folder(old)
    with pytest.raises(ArtefactError, match=f"{MIXED}.*kyomei reindex"):
        Collection(old, [AV, SONG], backend="numpy")


def test_what_is_no_collection_is_refused(tmp_path, old):
    with pytest.raises(ArtefactError, match=r"there is no catalog\.sqlite3"):
        migrate_folder(tmp_path / "nowhere")
    with pytest.raises(ArtefactError, match="empty database"):
        migrate_catalog(f"sqlite:///{tmp_path}/new.sqlite3")
    with closing(sqlite3.connect(old / "catalog.sqlite3")) as database, database:
        database.execute("UPDATE catalog_info SET version = 99")
    with pytest.raises(ArtefactError, match=r"version 99.*newer Kyomei"):
        migrate_folder(old)
    (old / "catalog.sqlite3").write_bytes(b"a diary" * 999)
    with pytest.raises(ArtefactError, match="not a database"):
        migrate_folder(old)


def test_a_collection_in_use_is_left_alone(old, tmp_path):
    migrate_folder(old)
    copy = shutil.copytree(old, tmp_path / "copy")
    with Collection(copy, [AV, SONG]), pytest.raises(ArtefactError, match="open in another"):
        migrate_folder(copy)
