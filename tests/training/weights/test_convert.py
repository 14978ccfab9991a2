"""Published files become the one weight file of an extractor, or are refused."""

from typing import Any

import numpy as np
import pytest
import torch

from models.checkpoint import save_tensors
from models.errors import DataError
from models.features.weights import file_sha256, find_weights
from models.networks import vggish
from models.networks.vggish import VGGish
from tests.contracts.extractor_weights import random_tensors, weights_in
from training.weights.convert import UNKNOWN_LICENCE, convert_weights
from training.weights.download import PinnedFile
from training.weights.published import PUBLISHED, PublishedNetwork

TENSORFLOW = {  # the variables of vggish_slim.py, written out
    "features.0": "vggish/conv1",
    "features.3": "vggish/conv2",
    "features.6": "vggish/conv3/conv3_1",
    "features.8": "vggish/conv3/conv3_2",
    "features.11": "vggish/conv4/conv4_1",
    "features.13": "vggish/conv4/conv4_2",
    "embeddings.0": "vggish/fc1/fc1_1",
    "embeddings.2": "vggish/fc1/fc1_2",
    "embeddings.4": "vggish/fc2",
}


@pytest.fixture
def small(monkeypatch):
    """VGGish with narrow full layers."""
    monkeypatch.setattr(vggish, "HIDDEN", 4)
    return random_tensors(VGGish)


def check(written, expected):
    found = written.tensors()
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize("legacy", [False, True])
def test_a_pytorch_file_is_read_without_running_it(small, tmp_path, legacy):
    file = tmp_path / "vggish.pth"
    state = {name: torch.from_numpy(array) for name, array in small.items()}
    torch.save(state, file, _use_new_zipfile_serialization=not legacy)
    written = convert_weights("vggish", [file], tmp_path / "out", licence="MIT")
    check(written, small)
    assert written.licence == "MIT"
    assert written.source == "vggish.pth"
    assert written.details["converted_from"] == {"vggish.pth": file_sha256(file)}
    with weights_in(tmp_path / "out"):
        assert find_weights("vggish") == written


def test_tensorflow_variables_are_renamed_and_turned(small, tmp_path):
    variables: dict[str, Any] = {}
    for ours, theirs in TENSORFLOW.items():
        weight = small[f"{ours}.weight"]
        turned = weight.transpose(2, 3, 1, 0) if weight.ndim == 4 else weight.T
        variables |= {f"{theirs}/weights:0": turned, f"{theirs}/biases:0": small[f"{ours}.bias"]}
    np.savez(tmp_path / "vggish.npz", **variables)
    written = convert_weights("vggish", [tmp_path / "vggish.npz"], tmp_path / "out")
    check(written, small)
    assert written.licence == UNKNOWN_LICENCE


def test_principal_components_from_a_second_file_are_put_with_the_rest(small, tmp_path):
    vectors, means = np.eye(128, dtype=np.float64), np.arange(128.0)
    save_tensors(tmp_path / "v.safetensors", small)
    np.savez(tmp_path / "pca.npz", pca_eigen_vectors=vectors, pca_means=means)
    files = [tmp_path / "v.safetensors", tmp_path / "pca.npz"]
    found = convert_weights("vggish", files, tmp_path / "out").tensors()
    assert found["pproc.pca_eigen_vectors"].dtype == np.float32
    np.testing.assert_array_equal(found["pproc.pca_means"][:, 0], means)


def test_layers_of_training_are_left_out(small, tmp_path, monkeypatch):
    assert PUBLISHED["inception-v3"].unused == ("AuxLogits.",)
    network = PublishedNetwork((VGGish,), "paper", unused=("AuxLogits.",))
    monkeypatch.setitem(PUBLISHED, "vggish", network)
    more = {"AuxLogits.fc.bias": np.zeros(3), "bn.num_batches_tracked": np.array(7)}
    save_tensors(tmp_path / "v.safetensors", small | more)
    check(convert_weights("vggish", [tmp_path / "v.safetensors"], tmp_path / "out"), small)


def test_a_known_file_brings_its_address_and_terms(small, tmp_path, monkeypatch):
    file = tmp_path / "v.safetensors"
    digest = save_tensors(file, small)
    known = PublishedNetwork(
        (VGGish,), "paper", files=(PinnedFile("https://x.org/v", digest),), licence="MIT"
    )
    monkeypatch.setitem(PUBLISHED, "vggish", known)
    written = convert_weights("vggish", [file], tmp_path / "out")
    assert (written.source, written.licence) == ("https://x.org/v", "MIT")


def test_what_is_not_the_network_is_refused_and_nothing_is_written(small, tmp_path):
    save_tensors(tmp_path / "v.safetensors", small | {"features.0.weight": np.zeros((64, 1, 5, 5))})
    np.savez(tmp_path / "object.npz", a=np.array([{}], dtype=object))
    (tmp_path / "v.onnx").write_bytes(b"")
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04")
    cases = {
        "v.safetensors": r"features\.0\.weight \(64, 1, 5, 5\) instead of \(64, 1, 3, 3\)",
        "object.npz": "expected arrays in .npz",
        "broken.npz": "expected arrays in .npz",
        "v.onnx": "expected .tflite, .pth",
        "gone.pth": "there is no file",
    }
    for name, message in cases.items():
        with pytest.raises(DataError, match=message):
            convert_weights("vggish", [tmp_path / name], tmp_path / "out")
    with pytest.raises(DataError, match="expected a network of yamnet"):
        convert_weights("resnet", [tmp_path / "v.safetensors"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_every_pinned_file_has_an_address_and_a_hash():
    for network in PUBLISHED.values():
        assert network.licence
        for file in network.files:
            assert file.url.startswith("https://")
            assert len(file.sha256) == 64 or f"-{file.sha256}." in file.name
            assert set(file.sha256) <= set("0123456789abcdef")
