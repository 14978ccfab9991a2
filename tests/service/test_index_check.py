"""``verify`` finds what is wrong with index files, and nothing where there is nothing."""

import json
import shutil

import numpy as np
import pytest

from service.catalog.catalog import Catalog
from service.catalog.database import sqlite_url
from service.collection import Collection
from service.collection.index_check import verify
from service.index.options import IndexOptions
from service.index.snapshot_file import file_sha256, read_rows, write_rows
from tests.service.collection_cases import AV, new_item

N_ITEMS = 12
OPTIONS = IndexOptions("flat", "cpu")


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    folder = tmp_path_factory.mktemp("original")
    with Collection(folder, [AV], device="cpu") as collection:
        collection.add_many(new_item(n) for n in range(N_ITEMS))
    return folder


@pytest.fixture
def folder(original, tmp_path):
    return shutil.copytree(original, tmp_path / "data")


def found(folder):
    catalog = Catalog(sqlite_url(folder / "catalog.sqlite3"))
    try:
        return verify(folder, AV, catalog, OPTIONS)
    finally:
        catalog.close()


def rewrite(folder, change):
    """Write other rows and make the manifest vouch for them."""
    path = folder / "indexes" / AV.name / "audio-1.safetensors"
    ids, vectors = change(*(array.copy() for array in read_rows(path)))
    write_rows(path, ids, vectors)
    edit(folder, bytes=path.stat().st_size, sha256=file_sha256(path), count=len(ids))


def edit(folder, **changes):
    path = folder / "indexes" / AV.name / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["files"]["audio"].update(changes)
    path.write_text(json.dumps(manifest))


def test_whole_files_have_no_problem(folder):
    assert found(folder) == []


def test_no_files_are_no_problem(folder):
    shutil.rmtree(folder / "indexes")
    assert found(folder) == []


def test_changes_that_wait_for_the_next_opening_are_no_problem(folder):
    catalog = Catalog(sqlite_url(folder / "catalog.sqlite3"))
    first = catalog.by_numbers([1])[1]
    assert catalog.delete(first.id)
    assert verify(folder, AV, catalog, OPTIONS) == []
    catalog.close()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda i, v: (i[:-2], v[:-2]), "lacks 2 vectors"),
        (lambda i, v: (np.append(i, 99), np.append(v, v[:1], axis=0)), "has 1 vectors of items"),
        (lambda i, v: (i, np.concatenate([-v[:3], v[3:]])), "has 3 vectors that differ"),
        (lambda i, v: (i, v[:, :-1]), "expected vectors of 16 dimensions, got 15"),
    ],
    ids=["missing", "strange", "other", "dimension"],
)
def test_rows_that_are_not_those_of_the_catalog_are_found(folder, change, words):
    rewrite(folder, change)
    (problem,) = found(folder)
    assert words in problem


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sha256": "00"}, "expected sha256 00"),
        ({"bytes": 5}, "expected 5 bytes"),
        ({"sequence": 10**6}, "has change 1000000"),
        ({"file": "audio-9.safetensors"}, "no such file"),
    ],
)
def test_files_that_the_manifest_does_not_vouch_for_are_found(folder, changes, words):
    edit(folder, **changes)
    (problem,) = found(folder)
    assert words in problem


@pytest.mark.parametrize(
    ("key", "value"), [("fingerprint", "beef"), ("collection_id", "ab"), ("format_version", 1)]
)
def test_files_of_another_space_catalog_or_format_are_found(folder, key, value):
    path = folder / "indexes" / AV.name / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    (problem,) = found(folder)
    assert str(value) in problem
