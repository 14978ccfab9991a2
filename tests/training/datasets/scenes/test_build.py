import json
import logging
import os
import subprocess
import sys
import time

import pytest

from models.errors import DataError
from training.datasets.scenes.build import build_scenes
from training.datasets.scenes.description import CITATION, LICENCE, VERSION
from training.datasets.scenes.files import scene_paths
from training.datasets.scenes.manifest import MANIFEST_NAME, check_manifest, write_manifest
from training.datasets.scenes.parameters import KINDS, scene_parameters


def build(out, **changes):
    build_scenes(out, **{"count": 2, "workers": 1, "progress": False, **changes})


def manifest_of(folder):
    return json.loads((folder / MANIFEST_NAME).read_text())


def files_of(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*.*") if path.is_file()}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("built") / "new"
    build(folder, count=3, first=5, seed=2)
    return folder


def test_every_scene_of_the_range_is_written(built):
    scenes = [scene_parameters(2, index) for index in (5, 6, 7)]
    assert all(scene_paths(scene, built).complete() for scene in scenes)
    assert len(files_of(built)) == 3 * 3 + 1


def test_the_manifest_says_what_the_folder_holds(built):
    manifest = manifest_of(built)
    assert {key: manifest[key] for key in ("dataset", "version", "seed", "count")} == {
        "dataset": "scenes", "version": VERSION, "seed": 2, "count": 3,
    }  # fmt: skip
    assert (manifest["licence"], manifest["citation"]) == (LICENCE, CITATION)
    assert manifest["licence"] == "CC0-1.0"
    assert manifest["kinds"] == list(KINDS)
    scene = scene_parameters(2, 6)
    record = manifest["scenes"][1]
    assert record["stem"] == scene.stem
    assert record["hue"] == scene.hue
    assert [e["time_seconds"] for e in record["events"]] == [e.time_seconds for e in scene.events]


def test_a_second_run_writes_only_what_is_missing(tmp_path):
    build(tmp_path, count=2)
    paths = scene_paths(scene_parameters(0, 1), tmp_path)
    original = paths.audio.read_bytes()
    paths.audio.unlink()
    before = files_of(tmp_path)
    build(tmp_path, count=3)
    after = files_of(tmp_path)
    kept = scene_paths(scene_parameters(0, 0), tmp_path)
    assert all(after[path] == before[path] for path in (kept.video, kept.audio, kept.image))
    assert paths.audio.read_bytes() == original
    assert len(after) == 3 * 3 + 1


def test_a_later_range_joins_the_manifest(tmp_path):
    build(tmp_path, count=1, first=3)
    build(tmp_path, count=1, first=1)
    assert [record["index"] for record in manifest_of(tmp_path)["scenes"]] == [1, 3]


def test_several_workers_write_the_same_bytes(tmp_path):
    build(tmp_path / "one", count=9)
    build(tmp_path / "two", count=9, workers=2)
    for path in (tmp_path / "one").rglob("*.*"):
        assert (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes() == (
            path.read_bytes()
        )


def test_the_bar_shows_how_many_scenes_are_done(tmp_path, capsys, caplog):
    with caplog.at_level(logging.INFO):
        build(tmp_path, count=1, progress=True)
    assert "1/1" in capsys.readouterr().err
    assert "1 scenes written, 0 were there" in caplog.text


def test_no_bar_when_none_is_wanted(tmp_path, capsys):
    build(tmp_path, count=1)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "wrong", [{"count": 0}, {"count": -3}, {"first": -1}, {"seed": -1}, {"workers": 0}]
)
def test_impossible_numbers_are_refused_before_anything_is_written(tmp_path, wrong):
    (name, value) = next(iter(wrong.items()))
    with pytest.raises(DataError, match=f"{name}={value}"):
        build(tmp_path / "new", **wrong)
    assert not (tmp_path / "new").exists()


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match="is a file"):
        build(tmp_path / "file")


def test_a_folder_of_another_seed_is_refused_even_after_a_broken_run(tmp_path):
    write_manifest(tmp_path, [], seed=1)
    with pytest.raises(DataError, match="seed 1, expected version 1 and seed 0"):
        build(tmp_path)


def test_a_folder_of_another_version_is_refused(tmp_path):
    write_manifest(tmp_path, [], seed=0)
    manifest = manifest_of(tmp_path) | {"version": 0}
    (tmp_path / MANIFEST_NAME).write_text(json.dumps(manifest))
    with pytest.raises(DataError, match="version 0"):
        check_manifest(tmp_path, seed=0)


@pytest.mark.parametrize(("text", "message"), [("{", "not JSON"), ("[1]", "no manifest")])
def test_a_damaged_manifest_is_refused_with_the_repair(tmp_path, text, message):
    (tmp_path / MANIFEST_NAME).write_text(text)
    with pytest.raises(DataError, match=f"{message}.*delete it"):
        build(tmp_path)


def test_workers_end_when_the_building_process_is_killed():
    """A process that dies without a word, as when killed, leaves no worker behind."""
    code = (
        "import os\n"
        "from training.datasets.scenes.build import _pool\n"
        "if __name__ == '__main__':\n"
        "    with _pool(1) as pool:\n"
        "        print(pool.submit(os.getpid).result(), flush=True)\n"
        "        os._exit(0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    worker = int(done.stdout)
    deadline = time.monotonic() + 20.0
    while time.monotonic() < deadline and _runs(worker):
        time.sleep(0.05)
    assert not _runs(worker)


def _runs(process_id):
    """Whether a process exists; one that nobody has waited for yet has ended all the same."""
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    done = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(process_id)], capture_output=True, text=True, check=False
    )
    return bool(done.stdout.strip()) and not done.stdout.startswith("Z")
