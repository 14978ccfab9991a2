"""Artefact folders: fingerprints, manifests, refusals; and the projection of a linear space.

What every space promises is in ``tests/contracts/test_spaces.py``.
"""

import json
from dataclasses import replace

import numpy as np
import pytest

from models.cca.linear_space import LinearSpace, LinearView
from models.cca.typicality import fit_typicality
from models.checkpoint import load_tensors, save_tensors
from models.errors import ArtefactError
from models.spaces import SpaceManifest, load_space, read_manifest, save_space
from models.types import View

DIMENSIONS = {"audio": 7, "image": 5}


def make_space(seed=0, method="cca", n_components=3):
    rng = np.random.default_rng(seed)
    maps = {}
    for name, d in DIMENSIONS.items():
        rows = rng.normal(size=(80, d))
        maps[name] = LinearView(
            mean=rng.normal(size=d),
            scale=rng.uniform(0.5, 2, size=d),
            weights=rng.normal(size=(d, n_components)),
            typicality=fit_typicality(rows[:60], rows[60:]),
        )
    views = {
        name: View(name, d, "some-extractor", "0123456789abcdef") for name, d in DIMENSIONS.items()
    }
    return LinearSpace(method, views, maps)


def make_manifest(space):
    return SpaceManifest(
        name="test",
        method=space.method,
        views=tuple(space.views.values()),
        n_components=space.n_components,
        dataset="made here",
        licence="CC0",
        seed=0,
        weights_sha256="",
        code_version="0",
        parameters={"ridge": 1.0},
    )


@pytest.fixture
def folder(tmp_path):
    space = make_space()
    save_space(space, tmp_path / "run", make_manifest(space))
    return tmp_path / "run"


def _rows(name, n=9, seed=1):
    return np.random.default_rng(seed).normal(size=(n, DIMENSIONS[name])).astype(np.float32)


def test_projection_equals_the_written_out_formula():
    space = make_space()
    linear = space._maps["audio"]
    rows = _rows("audio")
    expected = ((rows - linear.mean) / linear.scale) @ linear.weights
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    found = space.project("audio", rows)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1.0, atol=1e-6)


def test_a_row_without_signal_becomes_zeros():
    space = make_space()
    mean = space._maps["audio"].mean[None].astype(np.float32)
    space._maps["audio"] = replace(space._maps["audio"], mean=mean[0].astype(np.float64))
    np.testing.assert_array_equal(space.project("audio", mean), np.zeros((1, 3), np.float32))


def test_the_fingerprint_follows_weights_and_extractors(tmp_path):
    a = save_space(make_space(0), tmp_path / "a", make_manifest(make_space(0)))
    again = save_space(make_space(0), tmp_path / "b", make_manifest(make_space(0)))
    other = save_space(make_space(1), tmp_path / "c", make_manifest(make_space(1)))
    changed = replace(a, views=(replace(a.views[0], extractor_fingerprint="f" * 16), a.views[1]))
    assert a.fingerprint == again.fingerprint
    assert len({a.fingerprint, other.fingerprint, changed.fingerprint}) == 3


def _edit(folder, **changes):
    path = folder / "manifest.json"
    value = json.loads(path.read_text())
    value.update(changes)
    path.write_text(json.dumps({k: v for k, v in value.items() if v is not None}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format_version": 99}, "expected format_version 1, got 99.*kyomei train"),
        ({"method": "magic"}, "expected a method of"),
        ({"dataset": None}, "not a space manifest"),
        ({"views": [{"nonsense": 1}]}, "not a space manifest"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(folder, changes, message):
    _edit(folder, **changes)
    with pytest.raises(ArtefactError, match=message):
        read_manifest(folder)


def test_a_manifest_that_is_not_an_object_is_refused(folder):
    (folder / "manifest.json").write_text("[]")
    with pytest.raises(ArtefactError, match="got None"):
        read_manifest(folder)


def test_weights_of_another_space_are_refused(folder):
    save_space(make_space(5), folder.parent / "other", make_manifest(make_space(5)))
    (folder / "weights.safetensors").write_bytes(
        (folder.parent / "other" / "weights.safetensors").read_bytes()
    )
    with pytest.raises(ArtefactError, match="changed after it was written"):
        load_space(folder)


def test_a_tensor_of_another_shape_is_refused(folder):
    tensors = make_space().tensors()
    tensors["audio.weights"] = tensors["audio.weights"][:4]
    _edit(folder, weights_sha256=save_tensors(folder / "weights.safetensors", tensors))
    with pytest.raises(ArtefactError, match=r"expected weights \(7, K\)"):
        load_space(folder)


def test_matrices_in_half_precision_take_half_the_room_and_change_little(tmp_path):
    space = make_space(0)
    whole = save_space(space, tmp_path / "whole", make_manifest(space))
    half = save_space(space, tmp_path / "half", make_manifest(space), half=True)

    stored = load_tensors(tmp_path / "half" / "weights.safetensors")
    assert {one.dtype for one in stored.values() if one.ndim > 1} == {np.dtype(np.float16)}
    assert whole.fingerprint != half.fingerprint
    _, loaded = load_space(tmp_path / "half")
    for view in space.views.values():
        rows = np.random.default_rng(1).normal(size=(5, view.dimension)).astype(np.float32)
        expected, found = space.project(view.name, rows), loaded.project(view.name, rows)
        assert found.dtype == np.float32
        assert np.abs(found - expected).max() < 5e-3
        assert np.allclose(np.linalg.norm(found, axis=1), 1.0, atol=1e-5)
