"""Artefact folders of spaces: round trip, fingerprints, refusals; and the projection itself."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from models.cca.linear_space import LinearSpace, LinearView
from models.cca.typicality import fit_typicality
from models.checkpoint import save_tensors
from models.errors import ArtefactError, ShapeError
from models.spaces import SPACES, SpaceManifest, load_space, read_manifest, save_space
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


@pytest.mark.parametrize("method", sorted(SPACES))
def test_a_space_survives_its_folder(tmp_path, method):
    space = make_space(method=method)
    written = save_space(space, tmp_path, make_manifest(space))
    manifest, loaded = load_space(tmp_path)
    assert manifest == written
    assert loaded.method == method
    assert loaded.views == space.views
    for name in DIMENSIONS:
        rows = _rows(name)
        np.testing.assert_allclose(loaded.project(name, rows), space.project(name, rows), atol=1e-5)
        np.testing.assert_allclose(
            loaded.typicality(name, rows), space.typicality(name, rows), rtol=1e-4
        )


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


def test_a_row_gets_the_same_bits_alone_and_in_a_batch():
    space = make_space()
    rows = _rows("audio", n=300)
    together = space.project("audio", rows)
    alone = np.vstack([space.project("audio", row[None]) for row in rows])
    assert together.tobytes() == alone.tobytes()


def test_a_row_gets_the_same_bits_in_another_process(folder):
    _, space = load_space(folder)
    code = (
        "import sys, numpy as np; from pathlib import Path; from models.spaces import load_space;"
        "_, s = load_space(Path(sys.argv[1]));"
        "r = np.random.default_rng(1).normal(size=(9, 7)).astype(np.float32);"
        "sys.stdout.write(s.project('audio', r[3:4]).tobytes().hex())"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True
    )
    assert run.stdout == space.project("audio", _rows("audio"))[3].tobytes().hex()


def test_a_row_without_signal_becomes_zeros():
    space = make_space()
    mean = space._maps["audio"].mean[None].astype(np.float32)
    space._maps["audio"] = replace(space._maps["audio"], mean=mean[0].astype(np.float64))
    np.testing.assert_array_equal(space.project("audio", mean), np.zeros((1, 3), np.float32))


def test_no_rows_give_no_rows():
    assert make_space().project("audio", np.empty((0, 7), np.float32)).shape == (0, 3)


@pytest.mark.parametrize(
    ("view", "rows"),
    [("video", np.zeros((1, 7))), ("audio", np.zeros((1, 6))), ("audio", np.zeros(7))],
)
def test_an_unknown_view_or_another_dimension_is_refused(view, rows):
    for method in (make_space().project, make_space().typicality):
        with pytest.raises(ShapeError, match="expected"):
            method(view, rows.astype(np.float32))


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


def test_weights_of_another_size_are_refused_with_both_values(folder):
    _edit(folder, n_components=8)
    with pytest.raises(ArtefactError, match=r"says n_components 8, the weights have 3"):
        load_space(folder)


def test_weights_of_another_space_are_refused(folder):
    save_space(make_space(5), folder.parent / "other", make_manifest(make_space(5)))
    (folder / "weights.safetensors").write_bytes(
        (folder.parent / "other" / "weights.safetensors").read_bytes()
    )
    with pytest.raises(ArtefactError, match="changed after it was written"):
        load_space(folder)


@pytest.mark.parametrize("drop", ["audio.weights", "image.typicality.basis"])
def test_a_missing_tensor_is_named(folder, drop):
    tensors = {k: v for k, v in make_space().tensors().items() if k != drop}
    _edit(folder, weights_sha256=save_tensors(folder / "weights.safetensors", tensors))
    with pytest.raises(ArtefactError, match=drop):
        load_space(folder)


def test_a_tensor_of_another_shape_is_refused(folder):
    tensors = make_space().tensors()
    tensors["audio.weights"] = tensors["audio.weights"][:4]
    _edit(folder, weights_sha256=save_tensors(folder / "weights.safetensors", tensors))
    with pytest.raises(ArtefactError, match=r"expected weights \(7, K\)"):
        load_space(folder)
