import hashlib

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from models.errors import ArtefactError
from service.index.snapshot_file import (
    GatheredRows,
    Tensor,
    file_sha256,
    open_snapshot,
    read_rows,
    write_rows,
    write_snapshot,
)


def test_files_are_safetensors_that_the_library_reads(tmp_path):
    tensors: dict[str, Tensor] = {
        "small": np.arange(3, dtype=np.uint8),
        "ids": np.arange(5),
        "vectors": np.ones((5, 3), np.float32),
        "nothing": np.empty((0, 3), np.float32),
    }
    write_snapshot(tmp_path / "file", tensors, {"type": "flat"})
    loaded = load_file(tmp_path / "file")
    assert sorted(loaded) == sorted(tensors)
    assert all(np.array_equal(loaded[name], np.asarray(array)) for name, array in tensors.items())
    opened = open_snapshot(tmp_path / "file")
    assert opened.facts == {"type": "flat"}
    assert all(
        np.array_equal(opened.tensors[name], np.asarray(array)) for name, array in tensors.items()
    )


def test_files_of_the_library_are_read(tmp_path):
    """Format 1 of the index files: what the first version of the service wrote."""
    save_file({"ids": np.arange(4) * 2, "vectors": np.eye(4, dtype=np.float32)}, tmp_path / "old")
    ids, vectors = read_rows(tmp_path / "old")
    assert ids.tolist() == [0, 2, 4, 6]
    assert np.array_equal(vectors, np.eye(4))


def test_gathered_rows_are_written_in_their_order(tmp_path, monkeypatch):
    monkeypatch.setattr("service.index.snapshot_file.BLOCK_ROWS", 3)
    one, other = np.arange(8, dtype=np.float32).reshape(4, 2), -np.ones((2, 2), np.float32)
    order = np.array([5, 0, 3, 3, 4, 1, 2])
    write_snapshot(tmp_path / "file", {"vectors": GatheredRows((one, other), order)}, {})
    written = open_snapshot(tmp_path / "file").tensors["vectors"]
    assert np.array_equal(written, np.concatenate([one, other])[order])


def test_changes_are_laid_over_the_table(tmp_path):
    write_rows(tmp_path / "base", np.array([1, 2, 5]), np.eye(3, dtype=np.float32))
    changes = {
        "removed_ids": np.array([2, 5]),
        "recent_ids": np.array([5, 9]),
        "recent_vectors": np.full((2, 3), 7, np.float32),
    }
    write_snapshot(tmp_path / "changes", changes, {})
    ids, vectors = read_rows(tmp_path / "base", tmp_path / "changes")
    assert ids.tolist() == [1, 5, 9]
    assert vectors.tolist() == [[1, 0, 0], [7, 7, 7], [7, 7, 7]]


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    write_rows(tmp_path / "file", np.array([1]), np.ones((1, 2), np.float32))
    before = (tmp_path / "file").read_bytes()
    with pytest.raises(KeyError):
        write_snapshot(tmp_path / "file", {"ids": np.zeros(2, np.complex64)}, {})
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == before


def test_sha256_is_that_of_the_bytes(tmp_path):
    (tmp_path / "file").write_bytes(b"kyomei")
    assert file_sha256(tmp_path / "file") == hashlib.sha256(b"kyomei").hexdigest()


@pytest.mark.parametrize(
    "tensors",
    [
        {"vectors": np.zeros((1, 2), np.float32)},
        {"ids": np.zeros(1, np.int64)},
        {"ids": np.zeros(1, np.int32), "vectors": np.zeros((1, 2), np.float32)},
        {"ids": np.zeros(1, np.int64), "vectors": np.zeros((1, 2))},
        {"ids": np.zeros(1, np.int64), "vectors": np.zeros(2, np.float32)},
        {"ids": np.zeros(1, np.int64), "vectors": np.zeros((2, 2), np.float32)},
        {"ids": np.zeros(1, np.int64), "vectors": np.zeros((1, 0), np.float32)},
        {"ids": np.array([3, 3]), "vectors": np.zeros((2, 2), np.float32)},
        {"ids": np.array([-2]), "vectors": np.zeros((1, 2), np.float32)},
    ],
    ids=["ids", "vectors", "int32", "float64", "axes", "length", "width", "twice", "negative"],
)
def test_files_that_are_no_index_are_refused(tmp_path, tensors):
    save_file(tensors, tmp_path / "other.safetensors")
    with pytest.raises(ArtefactError, match=r"other\.safetensors"):
        read_rows(tmp_path / "other.safetensors")


def test_damaged_and_missing_files_are_refused(tmp_path):
    (tmp_path / "broken.safetensors").write_bytes(b"\xff" * 40)
    for name in ("broken", "missing"):
        with pytest.raises(ArtefactError, match=name):
            read_rows(tmp_path / f"{name}.safetensors")


def test_a_file_that_was_cut_short_is_refused(tmp_path):
    path = tmp_path / "file"
    write_rows(path, np.arange(100), np.ones((100, 4), np.float32))
    whole = path.read_bytes()
    for length in (len(whole) - 1, len(whole) // 2, 40, 8, 3, 0):
        path.write_bytes(whole[:length])
        with pytest.raises(ArtefactError, match="file"):
            read_rows(path)
