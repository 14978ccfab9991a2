"""Files of torch.save, read without unpickling, against what was saved."""

import os
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
import torch

from models.errors import DataError
from training.weights.torch_archive import read_torch_archive


def state():
    torch.manual_seed(0)
    base = torch.randn(6, 5)
    return OrderedDict(
        {
            "weight": torch.randn(3, 4, 2),
            "half": torch.randn(7).half(),
            "double": torch.randn(2, 2).double(),
            "count": torch.tensor(12345678901),
            "flags": torch.tensor([True, False]),
            "bytes": torch.arange(5, dtype=torch.uint8),
            "whole": torch.arange(4, dtype=torch.int32),
            "transposed": base.T,
            "part": base[2:4, 1:],
            "same": base,
            "empty": torch.zeros(0, 3),
        }
    )


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "before 1.6"])
def test_every_tensor_is_as_saved(tmp_path, zipped):
    path = tmp_path / "w.bin"
    torch.save(state(), path, _use_new_zipfile_serialization=zipped)
    found = read_torch_archive(path)
    assert list(found) == list(state())
    for name, tensor in state().items():
        assert found[name].dtype == tensor.numpy().dtype
        np.testing.assert_array_equal(found[name], tensor.numpy())
        assert found[name].flags.owndata


@pytest.mark.parametrize("zipped", [True, False])
def test_a_module_with_its_notes_about_versions_is_read(tmp_path, zipped):
    module = torch.nn.Sequential(torch.nn.Conv2d(2, 3, 1), torch.nn.BatchNorm2d(3))
    torch.save(module.state_dict(), tmp_path / "w.pt", _use_new_zipfile_serialization=zipped)
    found = read_torch_archive(tmp_path / "w.pt")
    assert found.keys() == module.state_dict().keys()


class Runs:
    """Unpickling this runs a command."""

    def __reduce__(self):
        return os.system, ("touch ran",)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("value", [Runs(), [torch.zeros(1)], "text", 3], ids=repr)
def test_anything_but_tensors_is_refused_and_nothing_runs(tmp_path, monkeypatch, zipped, value):
    monkeypatch.chdir(tmp_path)
    torch.save({"a": value}, "w.pt", _use_new_zipfile_serialization=zipped)
    with pytest.raises(DataError, match=r"w\.pt: expected"):
        read_torch_archive(tmp_path / "w.pt")
    assert not (tmp_path / "ran").exists()


def test_a_plain_pickle_is_refused_and_nothing_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    hostile = b"\x80\x02cposix\nsystem\nX\t\x00\x00\x00touch ran\x85R."
    (tmp_path / "w.pt").write_bytes(hostile)
    with pytest.raises(DataError, match="expected"):
        read_torch_archive(tmp_path / "w.pt")
    assert not (tmp_path / "ran").exists()


def test_a_tensor_outside_its_storage_is_refused(tmp_path):
    path = tmp_path / "w.pt"
    torch.save({"a": torch.arange(6.0)}, path)
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    files["w/data/0"] = files["w/data/0"][:8]
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    with pytest.raises(DataError, match=r"w\.pt"):
        read_torch_archive(path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no zip", b"\x80\x02}q\x00.", b"x" * 100])
def test_files_of_another_kind_are_refused(tmp_path, content):
    (tmp_path / "w.pt").write_bytes(content)
    with pytest.raises(DataError, match=r"w\.pt"):
        read_torch_archive(tmp_path / "w.pt")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(DataError, match="No such file"):
        read_torch_archive(tmp_path / "none.pt")
