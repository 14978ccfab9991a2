"""Artefact files: whole or not at all, no pickle, changes are noticed."""

import hashlib
import os

import numpy as np
import pytest
from safetensors.numpy import load_file

from models.checkpoint import (
    load_tensors,
    read_json,
    save_tensors,
    write_bytes_atomically,
    write_json,
)
from models.errors import ArtefactError


def test_tensors_survive_a_round_trip_and_other_readers_see_them(tmp_path):
    tensors = {
        "b": np.arange(6, dtype=np.float32).reshape(2, 3).T,
        "a": np.array([1.5], np.float32),
    }
    digest = save_tensors(tmp_path / "w.safetensors", tensors)
    assert digest == hashlib.sha256((tmp_path / "w.safetensors").read_bytes()).hexdigest()
    for found in (
        load_tensors(tmp_path / "w.safetensors", sha256=digest),
        load_file(tmp_path / "w.safetensors"),
    ):
        assert set(found) == {"a", "b"}
        np.testing.assert_array_equal(found["b"], tensors["b"])


def test_a_single_number_keeps_its_shape(tmp_path):
    save_tensors(tmp_path / "w.safetensors", {"count": np.array(3, np.int64)})
    assert load_tensors(tmp_path / "w.safetensors")["count"].shape == ()


def test_equal_tensors_give_equal_files(tmp_path):
    a, b = np.array([1], np.float32), np.array([2], np.float32)
    first = save_tensors(tmp_path / "1", {"a": a, "b": b})
    assert first == save_tensors(tmp_path / "2", {"b": b, "a": a})


def test_a_changed_byte_is_refused_with_both_hashes(tmp_path):
    path = tmp_path / "w.safetensors"
    digest = save_tensors(path, {"a": np.zeros(4, np.float32)})
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(ArtefactError) as error:
        load_tensors(path, sha256=digest)
    assert digest in str(error.value)
    assert hashlib.sha256(data).hexdigest() in str(error.value)


def test_a_file_that_is_not_safetensors_is_refused(tmp_path):
    (tmp_path / "w").write_bytes(b"\x80\x04not tensors")
    with pytest.raises(ArtefactError, match="not a safetensors file"):
        load_tensors(tmp_path / "w")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ArtefactError, match=r"gone\.json"):
        read_json(tmp_path / "gone.json")
    with pytest.raises(ArtefactError, match="gone"):
        load_tensors(tmp_path / "gone")


def test_broken_json_is_refused(tmp_path):
    (tmp_path / "m.json").write_text("{")
    with pytest.raises(ArtefactError, match="expected JSON"):
        read_json(tmp_path / "m.json")


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "m.json"
    write_json(path, {"old": True})

    def fail(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        write_bytes_atomically(path, b"new")
    assert read_json(path) == {"old": True}
    assert [p.name for p in tmp_path.iterdir()] == ["m.json"]
