import hashlib
import json
import logging
from pathlib import Path
from typing import Any

import pytest
import soundfile

from models.errors import DataError
from training.datasets.folder import open_folder
from training.datasets.songs.build import build_songs
from training.datasets.songs.synthesis import SAMPLE_RATE_HZ

MODALITIES = ("score", "lyrics", "audio")


def build(out: Path, **options: Any) -> dict[str, Any]:
    build_songs(out, **({"workers": 1, "progress": False} | options))
    return json.loads((out / "songs.json").read_text(encoding="utf-8"))


def digests(out: Path) -> dict[str, str]:
    return {
        path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(out.rglob("*"))
        if path.is_file()
    }


def test_each_window_is_a_trio_that_the_manifest_describes(
    music21_folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "songs"
    manifest = build(out)
    assert manifest["music21"] == "10.0.test"
    assert len(manifest["windows"]) == 20
    listed = {file for window in manifest["windows"] for file in window["files"].values()}
    assert listed | {"songs.json"} == set(digests(out))
    for window in manifest["windows"]:
        assert set(window["files"]) == set(MODALITIES)
        assert window["source"].startswith("music21/corpus/bach/song")
        assert window["bars"][1] - window["bars"][0] == 3
        assert window["notes"] == window["syllables"] == 16
        assert "music21 corpus/license.txt" in window["licence"]


def test_sound_and_words_are_those_of_the_score(music21_folder: Path, tmp_path: Path) -> None:
    window = build(tmp_path / "songs")["windows"][0]
    files = {name: tmp_path / "songs" / file for name, file in window["files"].items()}
    info = soundfile.info(files["audio"])
    assert (info.samplerate, info.channels, info.format) == (SAMPLE_RATE_HZ, 1, "FLAC")
    assert 16 * 60 / 132 <= info.duration <= 16 * 60 / 84 + 0.3
    score, words = files["score"].read_text(), files["lyrics"].read_text().split()
    assert [f"<text>{word}</text>" in score for word in words] == [True] * 16


def test_the_folder_data_set_reads_the_split(music21_folder: Path, tmp_path: Path) -> None:
    manifest = build(tmp_path / "songs")
    data = open_folder(tmp_path / "songs")
    assert data.paired
    assert data.classes == ("bach",)
    expected = {(f"{one['split']}/bach/{one['id']}", one["split"]) for one in manifest["windows"]}
    assert {(one.id, one.split) for one in data.examples()} == expected
    assert len(data.examples()) == 60


def test_two_workers_write_the_same_bytes(music21_folder: Path, tmp_path: Path) -> None:
    build(tmp_path / "one")
    build(tmp_path / "two", workers=2)
    assert digests(tmp_path / "one") == digests(tmp_path / "two")


def test_another_seed_gives_another_sound(music21_folder: Path, tmp_path: Path) -> None:
    first = build(tmp_path / "one", seed=0)["windows"][0]
    second = next(
        one for one in build(tmp_path / "two", seed=1)["windows"] if one["id"] == first["id"]
    )
    sounds = [
        (tmp_path / name / window["files"]["audio"]).read_bytes()
        for name, window in (("one", first), ("two", second))
    ]
    assert sounds[0] != sounds[1]


def test_an_interrupted_build_goes_on(music21_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "songs"
    files = build(out)["windows"][0]["files"]
    before = digests(out)
    (out / files["audio"]).unlink()
    kept = (out / files["score"]).with_name("untouched")
    times = {path: path.stat().st_mtime_ns for path in out.rglob("*.txt")}
    del times[out / files["lyrics"]]
    build(out)
    assert digests(out) == before
    assert {path: path.stat().st_mtime_ns for path in times} == times
    assert not kept.exists()


def test_only_the_asked_split_is_written_and_another_can_follow(
    music21_folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "songs"
    assert {one["split"] for one in build(out, split="test")["windows"]} == {"test"}
    assert {path.name for path in out.iterdir()} == {"test", "songs.json"}
    assert len(build(out)["windows"]) == 20


def test_a_limit_bounds_the_windows(music21_folder: Path, tmp_path: Path) -> None:
    assert len(build(tmp_path / "songs", limit=5)["windows"]) == 5


def test_a_damaged_corpus_file_is_named_and_left_out(
    music21_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        build(tmp_path / "songs", limit=1)
    assert "left out: bach/broken.xml is not MusicXML" in caplog.text


def test_a_folder_of_other_settings_is_refused(music21_folder: Path, tmp_path: Path) -> None:
    build(tmp_path / "songs", limit=1)
    with pytest.raises(DataError, match=r"'seed': 0.*'seed': 3"):
        build(tmp_path / "songs", seed=3)


@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_damaged_manifest_is_refused(music21_folder: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "songs.json").write_text(text)
    with pytest.raises(DataError, match="delete it and build again"):
        build(tmp_path)


@pytest.mark.slow
def test_the_real_corpus_gives_what_the_demo_needs(tmp_path: Path) -> None:
    manifest = build(tmp_path / "songs", split="test", limit=45)
    windows = manifest["windows"]
    assert len(windows) == 45
    assert len({one["source"] for one in windows}) >= 40
    assert all(one["syllables"] >= 6 for one in windows)
