"""Weight files: found in order, checked by hash, refused with what to do."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.errors import ArtefactError, DataError
from models.features import weights
from models.features.weights import (
    WeightSet,
    check_shapes,
    find_weights,
    read_weight_set,
    weight_folders,
    write_manifest,
    write_weights,
)

TENSORS = {"layer.weight": np.arange(6, dtype=np.float32).reshape(2, 3)}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The user's folder; the cache lies beside it and is empty."""
    monkeypatch.setenv("KYOMEI_WEIGHTS_DIR", str(tmp_path / "mine"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "mine"


def write(folder: Path, tensors=TENSORS) -> WeightSet:
    return write_weights(folder, "net", tensors, source="a test", licence="MIT", details={"a": 1})


def test_written_weights_are_found_with_their_hash_and_terms(folder):
    write(folder)
    found = find_weights("net")
    data = (folder / "net.safetensors").read_bytes()
    assert found.sha256 == hashlib.sha256(data).hexdigest()
    assert (found.source, found.licence, found.details) == ("a test", "MIT", {"a": 1})
    np.testing.assert_array_equal(found.tensors()["layer.weight"], TENSORS["layer.weight"])
    found.verify()


def test_the_users_folder_comes_before_the_cache(folder, tmp_path):
    cached = write(tmp_path / "cache" / "kyomei" / "weights")
    assert find_weights("net").folder == cached.folder
    write(folder)
    assert find_weights("net").folder == folder
    assert weight_folders()[0] == folder
    assert weight_folders()[-1] == cached.folder


def test_without_a_setting_the_cache_lies_below_home(monkeypatch, tmp_path):
    monkeypatch.delenv("KYOMEI_WEIGHTS_DIR", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert weight_folders()[-1] == tmp_path / ".cache" / "kyomei" / "weights"
    assert len(weight_folders()) == 2


def test_missing_weights_say_which_file_where_and_what_makes_it(folder):
    with pytest.raises(DataError) as caught:
        find_weights("net")
    for word in ("net.safetensors", str(folder), "KYOMEI_WEIGHTS_DIR", "convert-weights net"):
        assert word in str(caught.value)
    with pytest.raises(DataError, match="run make net"):
        find_weights("net", repair="run make net")


def test_a_file_without_its_manifest_is_not_used_and_is_named(folder):
    write(folder).manifest.unlink()
    with pytest.raises(DataError, match=r"net\.safetensors without its manifest"):
        find_weights("net")


@pytest.mark.parametrize("read", [WeightSet.tensors, WeightSet.verify])
def test_a_changed_byte_is_refused_with_both_hashes(folder, read):
    written = write(folder)
    path = folder / "net.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(ArtefactError) as caught:
        read(find_weights("net"))
    assert written.sha256 in str(caught.value)
    assert hashlib.sha256(data).hexdigest() in str(caught.value)


@pytest.mark.parametrize("read", [WeightSet.tensors, WeightSet.verify])
def test_a_missing_file_of_a_set_is_refused(folder, read):
    write(folder)
    (folder / "net.safetensors").unlink()
    with pytest.raises(ArtefactError, match=r"net\.safetensors"):
        read(find_weights("net"))


def test_a_set_of_several_files_has_one_hash_over_all(folder):
    (folder / "net").mkdir(parents=True)
    files = {}
    for name in ("net/a.json", "net/b.txt"):
        (folder / name).write_text(name)
        files[name] = hashlib.sha256(name.encode()).hexdigest()
    write_manifest(WeightSet("net", folder, files, "a test", "MIT"))
    found = find_weights("net")
    found.verify()
    assert found.sha256 not in files.values()
    other = replace(found, files={**files, "net/b.txt": "0" * 64})
    renamed = replace(found, files={"net/a.json": files["net/a.json"], "c": files["net/b.txt"]})
    assert len({found.sha256, other.sha256, renamed.sha256}) == 3
    (folder / "net" / "b.txt").write_text("changed")
    with pytest.raises(ArtefactError, match=r"b\.txt was changed"):
        found.verify()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 2}, "expected format 1, found 2"),
        ({"files": {}}, "expected files below"),
        ({"files": {"../net": "0"}}, "expected files below"),
        ({"files": {"/net": "0"}}, "expected files below"),
        ({"files": None}, "expected a manifest of weights"),
    ],
)
def test_a_broken_manifest_is_refused(folder, change, message):
    path = write(folder).manifest
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(ArtefactError, match=message):
        read_weight_set(folder, "net")


def test_a_manifest_that_is_no_object_is_refused(folder):
    write(folder).manifest.write_text("[]")
    with pytest.raises(ArtefactError, match="expected a manifest of weights"):
        find_weights("net")


def test_a_failed_write_leaves_no_manifest(folder, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(weights, "save_tensors", fail)
    with pytest.raises(OSError, match="No space"):
        write(folder)
    assert not list(folder.parent.rglob("net*"))


def test_arrays_that_are_not_the_networks_are_refused_by_name():
    expected = {"a": (2, 3), "b": (1,), "c": (4,)}
    right = {name: np.zeros(shape) for name, shape in expected.items()}
    check_shapes(right, expected, what="net")
    wrong = {"a": np.zeros((3, 2)), "b": np.zeros(1), "d": np.zeros(1)}
    with pytest.raises(DataError) as caught:
        check_shapes(wrong, expected, what="net")
    for word in ("1 missing: c", "1 unknown: d", "a (3, 2) instead of (2, 3)"):
        assert word in str(caught.value)
