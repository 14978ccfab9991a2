"""A manifest that does not fit refuses to open and names the repair; the repair works."""

import hashlib
import json
import logging
import shutil
from dataclasses import replace

import numpy as np
import pytest

from models.errors import ArtefactError, DataError, ShapeError
from models.types import Modality
from service.collection import Collection, Embedding
from service.index.snapshot_file import read_rows, write_rows
from tests.service.collection_cases import AV, K, new_item, numbers_found, vector

N_ITEMS = 30


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    folder = tmp_path_factory.mktemp("original")
    with Collection(folder, [AV], device="cpu") as collection:
        collection.add_many(new_item(n) for n in range(N_ITEMS))
    return folder


@pytest.fixture
def folder(original, tmp_path):
    """A closed collection of some sounds, to be spoilt."""
    return shutil.copytree(original, tmp_path / "data")


def index_folder(folder):
    return folder / "indexes" / AV.name


def edit_manifest(folder, **changes):
    path = index_folder(folder) / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def edit_entry(folder, **changes):
    path = index_folder(folder) / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["files"]["audio"].update(changes)
    path.write_text(json.dumps(manifest))


def spoil_index(folder):
    (path,) = index_folder(folder).glob("*.safetensors")
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def remove_index(folder):
    for path in index_folder(folder).glob("*.safetensors"):
        path.unlink()


def assert_finds_all(collection):
    queries = np.stack([vector(n) for n in range(N_ITEMS)])
    hits = collection.search(AV.name, Modality.AUDIO, queries, 1)
    assert numbers_found(hits) == [[n + 1] for n in range(N_ITEMS)]


def truncate_index(folder):
    (path,) = index_folder(folder).glob("*.safetensors")
    path.write_bytes(path.read_bytes()[:-100])


def empty_index_file(folder):
    (path,) = index_folder(folder).glob("*.safetensors")
    path.write_bytes(b"")


def spoil_header(folder):
    """Damage that the size does not show, in a file whose hash is made to agree."""
    (path,) = index_folder(folder).glob("*.safetensors")
    data = bytearray(path.read_bytes())
    data[8:40] = b"x" * 32
    path.write_bytes(data)
    edit_entry(folder, sha256=hashlib.sha256(data).hexdigest())


MISFITS = {
    "space": (lambda f: edit_manifest(f, space="other"), [AV.name, "other"]),
    "fingerprint": (lambda f: edit_manifest(f, fingerprint="beef"), [AV.fingerprint, "beef"]),
    "dimension": (lambda f: edit_manifest(f, n_components=99), [str(K), "99"]),
}
DAMAGES = {
    "sha256": (spoil_index, "sha256"),
    "gone": (remove_index, "no such file"),
    "cut short": (truncate_index, "bytes, got"),
    "empty": (empty_index_file, "bytes, got 0"),
    "header": (spoil_header, "is no index file"),
    "old version": (lambda f: edit_manifest(f, format_version=1), "format_version: expected 2"),
    "new version": (lambda f: edit_manifest(f, format_version=9), "expected 2, got 9"),
    "catalog": (lambda f: edit_manifest(f, collection_id="ab"), "collection_id"),
    "count": (lambda f: edit_entry(f, count=29), "expected 29 vectors, got 30"),
    "entry": (lambda f: edit_entry(f, bytes=None), "bytes, got"),
    "json": (lambda f: (index_folder(f) / "manifest.json").write_text("{"), "JSON"),
    "keys": (lambda f: (index_folder(f) / "manifest.json").write_text("{}"), "files and gen"),
}


@pytest.mark.parametrize("misfit", sorted(MISFITS))
def test_an_index_that_does_not_fit_is_refused_with_both_values_and_the_repair(folder, misfit):
    spoil, words = MISFITS[misfit]
    spoil(folder)
    with pytest.raises(ArtefactError) as caught:
        Collection(folder, [AV])
    message = str(caught.value)
    assert f"kyomei reindex --data {folder}" in message
    for word in words:
        assert word in message


@pytest.mark.parametrize("misfit", sorted(MISFITS))
def test_rebuild_repairs_an_index_that_does_not_fit(folder, misfit):
    MISFITS[misfit][0](folder)
    with Collection.open_for_repair(folder, [AV]) as collection:
        assert list(collection.misfits) == [AV.name]
        with pytest.raises(ArtefactError, match="reindex"):
            collection.search(AV.name, Modality.AUDIO, vector(1)[None], 1)
        collection.rebuild(AV.name)
        assert collection.misfits == {}
        assert_finds_all(collection)
    with Collection(folder, [AV]) as collection:
        assert_finds_all(collection)


@pytest.mark.parametrize("damage", sorted(DAMAGES))
def test_damaged_index_files_are_built_anew_from_the_catalog_by_themselves(folder, damage, caplog):
    spoil, words = DAMAGES[damage]
    spoil(folder)
    with caplog.at_level(logging.INFO, "service"), Collection(folder, [AV]) as collection:
        assert_finds_all(collection)
    assert "the catalog fills the index again" in caplog.text
    assert words in caplog.text
    assert f"{N_ITEMS} added" in caplog.text
    caplog.clear()
    with caplog.at_level(logging.INFO, "service"), Collection(folder, [AV]) as collection:
        assert_finds_all(collection)
    assert caplog.text == ""


def test_a_snapshot_that_is_ahead_of_its_catalog_is_built_anew(folder):
    edit_entry(folder, sequence=10_000)
    with Collection(folder, [AV]) as collection:
        assert_finds_all(collection)


def test_a_snapshot_with_too_few_vectors_is_built_anew(folder, caplog):
    """A sequence that lies: the count of the catalog gives it away."""
    with Collection(folder, [AV]) as collection:
        first = json.loads((index_folder(folder) / "manifest.json").read_text())
        collection.add(new_item(N_ITEMS))
        sequence = collection._catalog.sequence()
    assert first["files"]["audio"]["sequence"] < sequence
    path = index_folder(folder) / first["files"]["audio"]["file"]
    ids, vectors = read_rows(path.with_name("audio-2.safetensors"))
    write_rows(path, ids[:-2], vectors[:-2])
    data = path.read_bytes()
    first["files"]["audio"].update(
        sequence=sequence,
        count=N_ITEMS - 1,
        bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
    )
    (index_folder(folder) / "manifest.json").write_text(json.dumps(first))
    with caplog.at_level(logging.INFO, "service"), Collection(folder, [AV]) as collection:
        assert_finds_all(collection)
    assert "the index has 29 vectors, the catalog 31" in caplog.text


def test_a_refused_collection_can_be_opened_again(folder):
    edit_manifest(folder, fingerprint="beef")
    for _ in range(2):
        with pytest.raises(ArtefactError, match="beef"):
            Collection(folder, [AV])


NEWER = replace(AV, fingerprint="feedfacefeedface", n_components=K)


def test_a_newer_space_is_refused_with_both_fingerprints_and_the_repair(folder):
    with pytest.raises(ArtefactError) as caught:
        Collection(folder, [NEWER])
    for word in (NEWER.fingerprint, AV.fingerprint, f"kyomei reindex --data {folder}"):
        assert word in str(caught.value)


def test_stored_embeddings_of_another_space_are_refused_even_without_index_files(folder):
    shutil.rmtree(folder / "indexes")
    with pytest.raises(ArtefactError, match="fingerprint of embeddings") as caught:
        Collection(folder, [NEWER])
    assert AV.fingerprint in str(caught.value)


def test_rebuild_refuses_embeddings_of_another_space(folder):
    with (
        Collection.open_for_repair(folder, [NEWER]) as collection,
        pytest.raises(ArtefactError, match="fingerprint of embeddings"),
    ):
        collection.rebuild(NEWER.name)


def test_new_embeddings_take_the_place_of_the_old_ones(folder):
    wider = replace(AV, fingerprint="feedfacefeedface", n_components=4)
    places = np.eye(N_ITEMS, 4, dtype=np.float32) + 0.01
    with Collection.open_for_repair(folder, [wider]) as collection:
        items, total = collection.items(None, 0, 1000)
        rows = ((item.number, Embedding(places[i], 1.0)) for i, item in enumerate(items))
        assert collection.replace_embeddings(wider, rows) == total == N_ITEMS
        assert collection.misfits == {}
    with Collection(folder, [wider]) as collection:
        hits = collection.search(AV.name, Modality.AUDIO, places[:4], 1)
        assert numbers_found(hits) == [[1], [2], [3], [4]]
    with pytest.raises(ArtefactError, match="reindex"):
        Collection(folder, [AV])


def failing_rows():
    yield 1, Embedding(vector(1), 1.0)
    raise RuntimeError("decoder gone")


@pytest.mark.parametrize(
    ("rows", "error"),
    [
        (failing_rows, RuntimeError),
        (lambda: [(999, Embedding(vector(1), 1.0))], DataError),
        (lambda: [(1, Embedding(vector(1)[:3], 1.0))], ShapeError),
    ],
    ids=["interrupted", "unknown item", "dimension"],
)
def test_a_failed_replacement_leaves_the_collection_as_it_was(folder, rows, error):
    with Collection.open_for_repair(folder, [AV]) as collection:
        with pytest.raises(error):
            collection.replace_embeddings(NEWER, rows())
        assert_finds_all(collection)
    with Collection(folder, [AV]) as collection:
        assert_finds_all(collection)


def test_a_failed_replacement_of_a_misfit_still_asks_for_repair(folder):
    with (
        Collection.open_for_repair(folder, [NEWER]) as collection,
        pytest.raises(RuntimeError),
    ):
        collection.replace_embeddings(NEWER, failing_rows())
    with pytest.raises(ArtefactError, match="reindex"):
        Collection(folder, [NEWER])


def test_items_may_be_added_to_a_collection_under_repair(folder):
    edit_manifest(folder, fingerprint="beef")
    with Collection.open_for_repair(folder, [AV]) as collection:
        collection.add(new_item(N_ITEMS))
        assert collection.delete(collection.items()[0][0].id)
        collection.rebuild(AV.name)
        hits = collection.search(AV.name, Modality.AUDIO, vector(N_ITEMS)[None], 1)
        assert numbers_found(hits) == [[N_ITEMS + 1]]


def test_a_missing_index_folder_is_rebuilt_from_the_catalog(folder, caplog):
    shutil.rmtree(folder / "indexes")
    with caplog.at_level(logging.INFO, "service"), Collection(folder, [AV]) as collection:
        assert_finds_all(collection)
    assert f"{N_ITEMS} added, 0 removed" in caplog.text


def test_a_first_save_that_was_cut_short_is_no_damage(folder):
    (index_folder(folder) / "manifest.json").unlink()
    with Collection(folder, [AV]) as collection:
        assert_finds_all(collection)


def test_index_files_that_lag_behind_the_catalog_catch_up(folder, tmp_path_factory, caplog):
    lagging = tmp_path_factory.mktemp("copy") / "indexes"
    shutil.copytree(folder / "indexes", lagging)
    with Collection(folder, [AV]) as collection:
        collection.delete(collection.items()[0][3].id)
        item, _ = collection.add(new_item(N_ITEMS))
    shutil.rmtree(folder / "indexes")
    shutil.copytree(lagging, folder / "indexes")
    with caplog.at_level(logging.INFO, "service"), Collection(folder, [AV]) as collection:
        queries = np.stack([vector(3), vector(N_ITEMS)])
        hits = collection.search(AV.name, Modality.AUDIO, queries, N_ITEMS + 5)
        assert 4 not in numbers_found(hits)[0]
        assert numbers_found(hits)[1][0] == item.number
    assert "1 added, 1 removed" in caplog.text


def test_nothing_is_written_when_nothing_changed(folder):
    before = {path: path.stat().st_mtime_ns for path in index_folder(folder).iterdir()}
    with Collection(folder, [AV]) as collection:
        collection.save()
    assert {path: path.stat().st_mtime_ns for path in index_folder(folder).iterdir()} == before


def test_saving_replaces_the_file_and_leaves_no_old_one(folder):
    with Collection(folder, [AV]) as collection:
        collection.add(new_item(N_ITEMS))
        collection.save()
        names = {path.name for path in index_folder(folder).iterdir()}
        assert names == {"manifest.json", "audio-2.safetensors"}


def test_of_a_large_index_only_what_changed_is_written(folder, monkeypatch):
    monkeypatch.setattr("service.collection.space_indexes._SMALL_BYTES", 100)
    with Collection(folder, [AV]) as collection:
        collection.delete(collection.items()[0][3].id)
        collection.add(new_item(N_ITEMS))
        collection.save()
        names = {path.name for path in index_folder(folder).iterdir()}
        assert names == {"manifest.json", "audio-1.safetensors", "audio-2-changes.safetensors"}
        collection.add(new_item(N_ITEMS + 1))
    names = {path.name for path in index_folder(folder).iterdir()}
    assert names == {"manifest.json", "audio-1.safetensors", "audio-3-changes.safetensors"}
    with Collection(folder, [AV], backend="numpy") as collection:
        queries = np.stack([vector(3), vector(N_ITEMS), vector(N_ITEMS + 1)])
        found = numbers_found(collection.search(AV.name, Modality.AUDIO, queries, N_ITEMS + 5))
        assert 4 not in found[0]
        assert [answer[0] for answer in found[1:]] == [N_ITEMS + 2, N_ITEMS + 3]  # a delete counts
        for number in range(N_ITEMS + 2, N_ITEMS + 20):
            collection.add(new_item(number))
    (path,) = index_folder(folder).glob("*.safetensors")
    assert path.name == "audio-4.safetensors"


def test_many_vectors_are_saved_every_two_per_cent(folder):
    with Collection(folder, [AV]) as collection:
        collection.add(new_item(N_ITEMS))
        assert collection._indexes.save_is_due(1)
        assert not collection._indexes.save_is_due(2)
        collection._indexes.n_changes, least = 10, 1
        assert collection._indexes.save_is_due(least)


def test_indexes_are_saved_every_so_many_changes(folder, monkeypatch):
    monkeypatch.setattr("service.collection.writer.SAVE_EVERY", 4)
    with Collection(folder, [AV]) as collection:
        for number in range(N_ITEMS, N_ITEMS + 5):
            collection.add(new_item(number))
        manifest = json.loads((index_folder(folder) / "manifest.json").read_text())
        assert manifest["files"]["audio"]["count"] == N_ITEMS + 4


def test_index_files_of_one_backend_serve_the_other(folder):
    with Collection(folder, [AV], backend="numpy") as collection:
        assert_finds_all(collection)


def test_unknown_spaces_cannot_be_rebuilt(folder):
    with Collection(folder, [AV]) as collection, pytest.raises(DataError, match="none"):
        collection.rebuild("none")
