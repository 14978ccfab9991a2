"""A backup made while the collection changes holds each item wholly or not at all."""

import errno
import json
import os
import shutil
import threading
from contextlib import closing

import numpy as np
import pytest

from models.errors import ArtefactError, DataError
from models.types import Modality
from service.catalog.catalog import Catalog
from service.catalog.database import sqlite_url
from service.collection import Collection, Filter, StorageFullError, archive
from service.collection.backup import back_up
from service.collection.check import check_folder
from service.collection.restore import restore
from service.index.options import IndexOptions
from tests.service.collection_cases import AV, media, new_item, numbers_found, vector

OPTIONS = IndexOptions("numpy", "cpu", 1)
N_ITEMS = 12


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    folder = tmp_path_factory.mktemp("original")
    with Collection(folder, [AV], backend="numpy") as collection:
        collection.add_many(new_item(n, label="x", tags=("t",)) for n in range(N_ITEMS))
    return folder


@pytest.fixture
def folder(original, tmp_path):
    return shutil.copytree(original, tmp_path / "data")


def findings(folder):
    return check_folder(folder, [AV], OPTIONS, progress=False).findings


def titles(collection):
    return [item.title for item in collection.items()[0]]


@pytest.mark.parametrize("name", ["backup", "backup.tar"])
def test_a_restored_collection_equals_the_one_backed_up(folder, tmp_path, name):
    note = archive.save(folder, tmp_path / "kept" / name, progress=False)
    assert (note.items, note.media_bytes) == (N_ITEMS, sum(len(media(n)) for n in range(N_ITEMS)))
    archive.load(tmp_path / "kept" / name, tmp_path / "again", progress=False)
    assert findings(tmp_path / "again") == []
    with (
        Collection(folder, [AV], backend="numpy") as before,
        Collection(tmp_path / "again", [AV], backend="numpy") as after,
    ):
        assert after.items() == before.items()
        assert after.items(Filter(tags=("t",)))[1] == N_ITEMS
        for n, item in enumerate(after.items()[0]):
            assert after.media_path(item).read_bytes() == media(n)
        queries = np.stack([vector(n) for n in range(N_ITEMS)])
        hits = after.search(AV.name, Modality.AUDIO, queries, 1)
        assert numbers_found(hits) == [[n + 1] for n in range(N_ITEMS)]
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == [name]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again", "data", "kept"]


def test_a_restored_collection_is_another_one(folder, tmp_path):
    """So that index files of the one are never taken for those of the other."""
    note = back_up(folder, tmp_path / "backup", progress=False)
    restore(tmp_path / "backup", tmp_path / "again", progress=False)
    with closing(Catalog(sqlite_url(tmp_path / "again" / "catalog.sqlite3"))) as catalog:
        assert catalog.collection_id != note.collection_id
        assert catalog.sequence() == note.sequence


def test_a_served_collection_is_backed_up_while_it_changes(folder, tmp_path):
    """Items come and go all the time; what is in the backup is whole."""
    stop = threading.Event()
    with Collection(folder, [AV], backend="numpy") as collection:

        def change():
            number = 1000
            while not stop.is_set():
                item, _ = collection.add(new_item(number))
                if number % 2:
                    collection.delete(item.id)
                number += 1

        thread = threading.Thread(target=change)
        thread.start()
        try:
            for round_ in range(5):
                back_up(folder, tmp_path / f"backup{round_}", progress=False)
        finally:
            stop.set()
            thread.join()
    for round_ in range(5):
        restore(tmp_path / f"backup{round_}", tmp_path / f"again{round_}", progress=False)
        assert findings(tmp_path / f"again{round_}") == []
        with Collection(tmp_path / f"again{round_}", [AV], backend="numpy") as collection:
            assert titles(collection)[:N_ITEMS] == [f"sound {n}" for n in range(N_ITEMS)]


def test_an_item_deleted_between_catalog_and_media_is_out(folder, tmp_path, monkeypatch):
    real = os.link
    with Collection(folder, [AV], backend="numpy") as collection:
        first, second = collection.items()[0][:2]

        def link(source, target):
            if collection.get(second.id):
                collection.delete(second.id)
                collection.add(new_item(500))
            real(source, target)

        monkeypatch.setattr(os, "link", link)
        note = back_up(folder, tmp_path / "backup", progress=False)
    assert note.items == N_ITEMS - 1
    restore(tmp_path / "backup", tmp_path / "again", progress=False)
    assert findings(tmp_path / "again") == []
    with Collection(tmp_path / "again", [AV], backend="numpy") as again:
        assert titles(again) == [f"sound {n}" for n in range(N_ITEMS) if n != 1]
        assert again.get(first.id) == first


def test_missing_media_are_no_backup(folder, tmp_path):
    next((folder / "media").rglob("*.wav")).unlink()
    with pytest.raises(ArtefactError, match=r"1 items have no media file.*check.*--repair"):
        back_up(folder, tmp_path / "backup", progress=False)
    assert list((tmp_path / "backup").iterdir()) == []


def test_where_no_links_can_be_made_the_media_are_copied(folder, tmp_path, monkeypatch):
    def no_link(source, target):
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", no_link)
    back_up(folder, tmp_path / "backup", progress=False)
    restore(tmp_path / "backup", tmp_path / "again", progress=False)
    assert findings(tmp_path / "again") == []
    assert {path.stat().st_nlink for path in (tmp_path / "again").rglob("*.wav")} == {1}


def test_a_full_disk_leaves_no_half_backup(folder, tmp_path, monkeypatch):
    def full(source, target):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("service.collection.backup.link_or_copy", full)
    with pytest.raises(StorageFullError):
        back_up(folder, tmp_path / "backup", progress=False)
    assert list((tmp_path / "backup").iterdir()) == []


@pytest.fixture(scope="module")
def made(original, tmp_path_factory):
    backup = tmp_path_factory.mktemp("made") / "backup"
    back_up(original, backup, progress=False)
    return backup


@pytest.fixture
def backup(made, tmp_path):
    return shutil.copytree(made, tmp_path / "backup")


def change_note(backup, **changes):
    path = backup / "backup.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def spoil(path):
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


DAMAGES = {
    "medium changed": (lambda b: spoil(next((b / "media").rglob("*.wav"))), "sha256: expected"),
    "medium gone": (lambda b: next((b / "media").rglob("*.wav")).unlink(), "got no such file"),
    "catalog changed": (lambda b: spoil(b / "catalog.sqlite3"), "sha256: expected"),
    "unfinished": (lambda b: (b / "backup.json").unlink(), "unfinished"),
    "newer": (lambda b: change_note(b, schema_version=4), "expected 3, got 4"),
    "other layout": (lambda b: change_note(b, format_version=9), "expected 1, got 9"),
    "no note": (lambda b: change_note(b, colour="red"), "note of a backup"),
    "no JSON": (lambda b: (b / "backup.json").write_text("{"), "JSON"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_backup_is_refused_and_leaves_nothing(backup, tmp_path, damage):
    spoil_it, said = DAMAGES[damage]
    spoil_it(backup)
    with pytest.raises(ArtefactError, match=said):
        restore(backup, tmp_path / "again", progress=False)
    assert not any((tmp_path / "again").rglob("*"))


def test_folders_in_use_are_never_written_to(folder, backup, tmp_path):
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "mine.txt").write_text("mine")
    for target in (tmp_path / "used", tmp_path / "used" / "mine.txt"):
        with pytest.raises(DataError, match="in use"):
            restore(backup, target, progress=False)
        with pytest.raises(DataError, match="in use"):
            back_up(folder, target, progress=False)
    (tmp_path / "mine.tar").touch()
    with pytest.raises(DataError, match="there already"):
        archive.save(folder, tmp_path / "mine.tar", progress=False)
    with pytest.raises(DataError, match="outside"):
        back_up(folder, folder / "backup", progress=False)
    with pytest.raises(ArtefactError, match="expected a collection"):
        back_up(tmp_path / "nowhere", tmp_path / "new", progress=False)
    assert (tmp_path / "used" / "mine.txt").read_text() == "mine"


def test_what_is_no_archive_is_refused(tmp_path):
    (tmp_path / "diary.tar").write_text("a diary")
    with pytest.raises(ArtefactError, match="expected a backup"):
        archive.load(tmp_path / "diary.tar", tmp_path / "again", progress=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["diary.tar"]
