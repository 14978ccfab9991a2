"""``kyomei check`` finds each kind of damage, and nothing where there is none."""

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from models.errors import ArtefactError
from service.catalog.database import sqlite_url
from service.collection import Collection
from service.collection.check import KINDS, check_folder
from service.index.options import IndexOptions
from tests.service.collection_cases import AV, SONG, K, new_item

OPTIONS = IndexOptions("numpy", "cpu", 1)
N_ITEMS = 6


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    folder = tmp_path_factory.mktemp("original")
    with Collection(folder, [AV, SONG], backend="numpy") as collection:
        collection.add_many(new_item(n, metadata={"n": n}, tags=("a", "b")) for n in range(N_ITEMS))
        collection.delete(collection.items()[0][3].id)
    return folder


@pytest.fixture
def folder(original, tmp_path):
    return shutil.copytree(original, tmp_path / "data")


def check(folder, spaces=(AV, SONG)):
    return check_folder(folder, spaces, OPTIONS, progress=False)


def ids(folder):
    with closing(sqlite3.connect(folder / "catalog.sqlite3")) as database:
        return [row[0] for row in database.execute("SELECT id FROM items ORDER BY number")]


def execute(folder, statement, *values):
    with closing(sqlite3.connect(folder / "catalog.sqlite3")) as database, database:
        assert database.execute(statement, values).rowcount > 0


def media_file(folder, number=0):
    item_id = ids(folder)[number]
    return folder / "media" / item_id[:2] / f"{item_id}.wav"


def snapshot(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in ("lock", "catalog.sqlite3-shm")
    }


def test_a_whole_collection_is_clean_and_counted(folder):
    before = snapshot(folder)
    report = check(folder)
    assert report.findings == []
    assert report.unfinished == 0
    expected = {"items": 5, "embeddings": 5, "files": 5, "spaces": 1}
    assert {key: report.checked[key] for key in expected} == expected
    assert report.sequence == N_ITEMS + 1
    assert report.spaces == {AV.name: AV}
    assert snapshot(folder) == before


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def set_vector(folder, vector, number=1):
    execute(folder, "UPDATE embeddings SET vector = ? WHERE item_number = ?", vector, number)


def spoil_index(folder):
    (path,) = (folder / "indexes" / AV.name).glob("*.safetensors")
    path.write_bytes(path.read_bytes()[:-40])


def stray(folder):
    (folder / "media" / "aa").mkdir(exist_ok=True)
    (folder / "media" / "aa" / "aaaaaaaaaaaaaaaaaaaa.wav").write_bytes(b"stray")


def set_id(folder):
    old = media_file(folder)
    execute(folder, "UPDATE items SET id = ? WHERE number = 1", "b" * 20)
    (folder / "media" / "bb").mkdir(exist_ok=True)
    old.rename(folder / "media" / "bb" / ("b" * 20 + ".wav"))


NOT_A_NUMBER = np.full(K, np.nan, "<f4").tobytes()
DAMAGES = {
    "media-missing": (lambda f: media_file(f).unlink(), "it is not there"),
    "media-damaged": (lambda f: flip(media_file(f)), "sha256: expected"),
    "media-orphan": (stray, "no item of the catalog"),
    "wrong-id": (set_id, "does not follow"),
    "metadata-misfiled": (
        lambda f: execute(f, "DELETE FROM item_tags WHERE item_number = 1 AND tag = 'a'"),
        "metadata or tags",
    ),
    "embedding-damaged": (lambda f: set_vector(f, NOT_A_NUMBER), "NaN or infinity"),
    "embedding-missing": (
        lambda f: execute(f, "DELETE FROM embeddings WHERE item_number = 1"),
        "lies in no space",
    ),
    "index-damaged": (spoil_index, "bytes, got"),
}


@pytest.mark.parametrize("kind", DAMAGES)
def test_each_damage_is_found_and_only_it(folder, kind):
    spoil, said = DAMAGES[kind]
    spoil(folder)
    before = snapshot(folder)
    (finding,) = check(folder).findings
    assert finding.kind == kind
    assert said in finding.detail
    subject = {
        "media-orphan": "media/aa/aaaaaaaaaaaaaaaaaaaa.wav",
        "index-damaged": AV.name,
    }.get(kind, ids(folder)[0])
    assert finding.subject == subject
    assert snapshot(folder) == before


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE embeddings SET vector = x'00' WHERE item_number = 1", "expected 64 bytes"),
        ("UPDATE embeddings SET typicality = 7 WHERE item_number = 1", "typicality in"),
        ("UPDATE item_metadata SET value = 'x' WHERE item_number = 1", "metadata"),
    ],
)
def test_rows_that_make_no_sense_are_found(folder, statement, said):
    execute(folder, statement)
    (finding,) = check(folder).findings
    assert said in finding.detail


def test_a_space_trained_again_is_found(folder):
    (finding,) = check(folder, [replace(AV, fingerprint="feedface"), SONG]).findings
    assert finding.kind == "other-fingerprint"
    assert "feedface" in finding.detail
    assert AV.fingerprint in finding.detail


def test_a_damaged_database_is_found_and_hides_the_rest(folder):
    with closing(sqlite3.connect(folder / "catalog.sqlite3")) as database, database:
        database.execute("PRAGMA foreign_keys = OFF")
        database.execute("DELETE FROM items WHERE number = 1")
    report = check(folder)
    assert {finding.kind for finding in report.findings} == {"catalog-damaged"}
    assert "belongs to no row of items" in report.findings[0].detail
    assert report.checked["items"] == 0


def test_what_a_killed_process_left_is_no_damage(folder):
    item_id = ids(folder)[0]
    (folder / "pending" / "0123.part").write_bytes(b"half")
    (folder / "pending" / f"{item_id}.wav").touch()
    stray(folder)
    (folder / "pending" / "aaaaaaaaaaaaaaaaaaaa.wav").touch()
    report = check(folder)
    assert report.findings == []
    assert report.unfinished == 3


def test_index_files_that_lag_behind_are_no_damage(folder, tmp_path):
    shutil.copytree(folder / "indexes", tmp_path / "lagging")
    with Collection(folder, [AV, SONG], backend="numpy") as collection:
        collection.delete(collection.items()[0][0].id)
        collection.add(new_item(77))
    shutil.rmtree(folder / "indexes")
    assert check(folder).findings == []
    shutil.copytree(tmp_path / "lagging", folder / "indexes")
    assert check(folder).findings == []


def test_what_is_no_collection_or_in_use_is_refused(folder, tmp_path):
    with pytest.raises(ArtefactError, match="expected a collection"):
        check(tmp_path)
    assert not (tmp_path / "catalog.sqlite3").exists()
    with Collection(folder, [AV]), pytest.raises(ArtefactError, match="open in another"):
        check(folder)


def test_a_catalog_elsewhere_is_checked_too(tmp_path):
    url = sqlite_url(tmp_path / "elsewhere.sqlite3")
    with Collection(tmp_path / "data", [AV], backend="numpy", database_url=url) as collection:
        collection.add(new_item(1))
    report = check_folder(tmp_path / "data", [AV], OPTIONS, database_url=url, progress=False)
    assert (report.findings, report.checked["items"]) == ([], 1)


def test_every_kind_of_finding_is_tried_here():
    tried = {*DAMAGES, "other-fingerprint", "catalog-damaged"}
    assert tried == set(KINDS)
