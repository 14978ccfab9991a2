"""What every entry of SPACES promises, in memory and in its folder."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.checkpoint import save_tensors
from models.errors import ArtefactError, ShapeError
from models.network_space import ARCHITECTURE
from models.spaces import SPACES, SharedSpace, SpaceManifest, load_space, save_space
from tests.contracts.space_examples import (
    CLOSED_FORM,
    DIMENSIONS,
    EXAMPLES,
    NETWORKS,
    K,
    example,
    rows_of,
)

METHODS = sorted(SPACES)
ROOT = Path(__file__).parents[2]


def manifest_of(space: SharedSpace) -> SpaceManifest:
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


def write_tensors(folder: Path, tensors) -> None:
    """Put other weights into a folder, with their hash in its manifest."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["weights_sha256"] = save_tensors(folder / "weights.safetensors", tensors)
    path.write_text(json.dumps(manifest))


def tensors_to_damage() -> list[tuple[str, str]]:
    """Of one method per layout every tensor of a view, of the others the last one."""
    cases, seen = [], set()
    for method in METHODS:
        names = [
            name
            for name in sorted(example(method).tensors())
            if name.startswith("image.")
            and not name.endswith("num_batches_tracked")  # PyTorch does without
        ]
        cases += [(method, name) for name in (names[-1:] if EXAMPLES[method] in seen else names)]
        seen.add(EXAMPLES[method])
    return cases


@pytest.fixture(params=METHODS)
def space(request):
    return example(request.param)


@pytest.fixture
def folder(space, tmp_path):
    save_space(space, tmp_path / "run", manifest_of(space))
    return tmp_path / "run"


@pytest.fixture(params=sorted(DIMENSIONS))
def view(request):
    return request.param


# ---------------------------------------------------------------- the table


def test_every_entry_has_a_small_example_here():
    assert len(METHODS) >= 13
    assert set(METHODS) <= set(EXAMPLES), "add the new methods to tests/contracts/space_examples.py"


def test_a_space_knows_its_method_views_and_size(space):
    assert space.method in SPACES
    assert list(space.views) == list(DIMENSIONS)
    assert {name: view.dimension for name, view in space.views.items()} == DIMENSIONS
    assert space.n_components == K


# ---------------------------------------------------------------- projection and typicality


def test_rows_become_unit_rows(space, view):
    found = space.project(view, rows_of(space, view))
    assert found.shape == (9, K)
    assert found.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1.0, atol=1e-6)


def test_different_rows_and_views_get_different_embeddings(space, view):
    found = space.project(view, rows_of(space, view))
    assert len({row.tobytes() for row in found}) == len(found)


def test_a_row_gets_the_same_bits_alone_and_in_a_batch(space, view):
    rows = rows_of(space, view, n_rows=40)
    for method in (space.project, space.typicality):
        together = method(view, rows)
        alone = np.concatenate([method(view, row[None]) for row in rows])
        assert together.tobytes() == alone.tobytes()


def test_no_rows_give_no_rows(space, view):
    empty = rows_of(space, view)[:0]
    assert space.project(view, empty).shape == (0, K)
    assert space.typicality(view, empty).shape == (0,)


def test_features_are_not_changed(space, view):
    rows = rows_of(space, view)
    before = rows.copy()
    space.project(view, rows)
    space.typicality(view, rows)
    np.testing.assert_array_equal(rows, before)


@pytest.mark.parametrize("factor", [0.0, 1.0, 1e3, 1e6])
def test_typicality_lies_above_zero_and_up_to_one(space, view, factor):
    found = space.typicality(view, factor * rows_of(space, view))
    assert found.shape == (9,)
    assert found.dtype == np.float32
    assert (found > 0.0).all()
    assert (found <= 1.0).all()


def test_rows_far_from_the_training_rows_are_untypical(space, view):
    rows = rows_of(space, view)
    assert (space.typicality(view, 1e3 * rows) < 0.01).all()
    assert space.typicality(view, rows).max() > 0.1


@pytest.mark.parametrize(
    ("view", "shape"), [("video", (1, 7)), ("audio", (1, 6)), ("audio", (7,)), ("image", (2, 7))]
)
def test_an_unknown_view_or_another_dimension_is_refused(space, view, shape):
    for method in (space.project, space.typicality):
        with pytest.raises(ShapeError, match="expected"):
            method(view, np.zeros(shape, np.float32))


# ---------------------------------------------------------------- the folder


def test_a_space_survives_its_folder(space, tmp_path, view):
    written = save_space(space, tmp_path, manifest_of(space))
    manifest, loaded = load_space(tmp_path)
    assert manifest == written
    assert (loaded.method, loaded.views) == (space.method, space.views)
    assert loaded.n_components == space.n_components
    rows = rows_of(space, view)
    np.testing.assert_allclose(loaded.project(view, rows), space.project(view, rows), atol=1e-5)
    np.testing.assert_allclose(
        loaded.typicality(view, rows), space.typicality(view, rows), rtol=1e-4
    )


def test_a_loaded_space_saved_again_has_the_same_fingerprint_and_bits(folder, tmp_path, view):
    manifest, loaded = load_space(folder)
    assert save_space(loaded, tmp_path / "again", manifest).fingerprint == manifest.fingerprint
    _, again = load_space(tmp_path / "again")
    rows = rows_of(loaded, view)
    assert again.project(view, rows).tobytes() == loaded.project(view, rows).tobytes()


def test_other_numbers_have_another_fingerprint(space, folder, tmp_path):
    manifest, _ = load_space(folder)
    other = example(space.method, seed=1)
    assert save_space(other, tmp_path / "b", manifest).fingerprint != manifest.fingerprint


@pytest.mark.parametrize(("method", "name"), tensors_to_damage())
def test_a_missing_tensor_is_refused(tmp_path, method, name):
    space = example(method)
    save_space(space, tmp_path, manifest_of(space))
    write_tensors(tmp_path, {k: v for k, v in space.tensors().items() if k != name})
    with pytest.raises(ArtefactError, match=r"does not fit its manifest.*image"):
        load_space(tmp_path)


@pytest.mark.parametrize(("method", "name"), tensors_to_damage())
def test_a_tensor_of_another_shape_is_refused(tmp_path, method, name):
    space = example(method)
    save_space(space, tmp_path, manifest_of(space))
    array = space.tensors()[name]
    write_tensors(tmp_path, {**space.tensors(), name: np.stack([array, array])})
    with pytest.raises(ArtefactError, match=r"does not fit its manifest.*image"):
        load_space(tmp_path)


def test_an_axis_of_another_length_is_refused(space, folder, view):
    """Every map has D somewhere: rows of another D have no place to go."""
    tensors = space.tensors()
    for name in (f"{view}.mean", f"{view}.scale", f"{view}.typicality.basis"):
        write_tensors(folder, {**tensors, name: np.concatenate([tensors[name], tensors[name]])})
        with pytest.raises(ArtefactError, match="does not fit its manifest"):
            load_space(folder)


@pytest.mark.parametrize("method", [method for method in METHODS if method in CLOSED_FORM])
def test_views_of_another_number_of_components_are_refused(tmp_path, method):
    space = example(method)
    save_space(space, tmp_path, manifest_of(space))
    tensors = space.tensors()
    for name in ("weights", "centre", "bias"):
        if f"image.{name}" in tensors:
            tensors[f"image.{name}"] = tensors[f"image.{name}"][..., :-1]
    write_tensors(tmp_path, tensors)
    with pytest.raises(ArtefactError, match="says n_components 3, the weights of image have 2"):
        load_space(tmp_path)


def test_a_view_without_tensors_is_refused(space, folder):
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["views"].append({**manifest["views"][0], "name": "video"})
    path.write_text(json.dumps(manifest))
    with pytest.raises(ArtefactError, match="video"):
        load_space(folder)


def test_another_number_of_components_in_the_manifest_is_refused(space, tmp_path):
    save_space(space, tmp_path, replace(manifest_of(space), n_components=K + 1))
    with pytest.raises(ArtefactError, match="says n_components 4, the weights of audio have 3"):
        load_space(tmp_path)


# ---------------------------------------------------------------- networks


def damaged_architectures(space):
    """The architecture as bytes: cut off, not JSON, too large, of another network, hostile."""
    whole = space.tensors()[ARCHITECTURE].tobytes()
    value = json.loads(whole)
    huge = json.dumps(value).replace(": 6", ": 1000000000").replace("6,", "1000000000,")
    huge = huge.replace(": 8", ": 1000000000")
    return {
        "cut off": whole[: len(whole) // 2],
        "empty": b"",
        "random": np.random.default_rng(0).bytes(200),
        "list": b"[]",
        "deep": b'{"audio":' + b"[" * 50_000,
        "huge": huge.encode(),
        "view missing": json.dumps({"audio": value["audio"]}).encode(),
        "views swapped": json.dumps({"audio": value["image"], "image": value["audio"]}).encode(),
        "kind unknown": whole.replace(b'"kind": "', b'"kind": "x'),
        "numbers as text": whole.replace(b"0.0", b'"0.0"').replace(b"8", b'"8"'),
    }


def test_an_architecture_that_is_missing_is_refused(tmp_path):
    space = example("dcca")
    save_space(space, tmp_path, manifest_of(space))
    write_tensors(tmp_path, {k: v for k, v in space.tensors().items() if k != ARCHITECTURE})
    with pytest.raises(ArtefactError, match=f"expected a tensor '{ARCHITECTURE}'"):
        load_space(tmp_path)


@pytest.mark.parametrize("damage", sorted(damaged_architectures(example("dcca"))))
@pytest.mark.parametrize("method", sorted(NETWORKS))
def test_a_damaged_architecture_is_refused(tmp_path, method, damage):
    space = example(method)
    save_space(space, tmp_path, manifest_of(space))
    damaged = np.frombuffer(damaged_architectures(space)[damage], dtype=np.uint8)
    write_tensors(tmp_path, {**space.tensors(), ARCHITECTURE: damaged})
    with pytest.raises(ArtefactError, match="does not fit its manifest"):
        load_space(tmp_path)


# ---------------------------------------------------------------- other processes


def run_python(code, *arguments):
    run = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.mark.parametrize("method", ["cca", "transformer"])
def test_a_row_gets_the_same_bits_in_another_process(tmp_path, method):
    made = example(method)
    save_space(made, tmp_path / "run", manifest_of(made))
    _, loaded = load_space(tmp_path / "run")
    rows = rows_of(loaded, "audio")
    np.save(tmp_path / "row.npy", rows[3:4])
    printed = run_python(
        "import sys, numpy as np; from pathlib import Path; from models.spaces import load_space;"
        "_, space = load_space(Path(sys.argv[1]));"
        "sys.stdout.write(space.project('audio', np.load(sys.argv[2])).tobytes().hex())",
        tmp_path / "run",
        tmp_path / "row.npy",
    )
    assert printed == loaded.project("audio", rows)[3].tobytes().hex()


def test_closed_form_spaces_are_opened_without_torch(tmp_path):
    methods = [method for method in METHODS if method in CLOSED_FORM]
    for method in methods:
        space = example(method)
        save_space(space, tmp_path / method, manifest_of(space))
    printed = run_python(
        "import sys, numpy as np; from pathlib import Path; from models.spaces import load_space\n"
        "for folder in map(Path, sys.argv[1:]):\n"
        "    _, space = load_space(folder)\n"
        "    space.project('audio', np.zeros((1, 7), dtype=np.float32))\n"
        "sys.stdout.write(f'{len(sys.argv) - 1} {\"torch\" in sys.modules}')",
        *(tmp_path / method for method in methods),
    )
    assert printed == f"{len(methods)} False"
