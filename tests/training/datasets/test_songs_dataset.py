import json
from pathlib import Path

import pytest

from models.errors import DataError
from models.types import Modality
from tests.training.datasets.tiny_packs import write_songs
from training.datasets.scenes_dataset import open_scenes
from training.datasets.songs_dataset import open_songs


def test_a_window_is_a_trio_without_class(tmp_path):
    dataset = open_songs(write_songs(tmp_path))

    window = [one for one in dataset.examples() if one.id == "bach/bwv3-bar001"]
    assert [one.modality for one in window] == [Modality.AUDIO, Modality.LYRICS, Modality.SCORE]
    assert all(Path(str(one.path)).is_file() for one in window)
    assert dataset.paired
    assert dataset.classes == ()


def test_the_manifest_gives_the_split(tmp_path):
    splits = {one.id: one.split for one in open_songs(write_songs(tmp_path)).examples()}

    assert [splits[f"bach/bwv{n}-bar001"] for n in range(4)] == [
        "train",
        "train",
        "validation",
        "test",
    ]


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ("{", "expected JSON with a list of windows"),
        ("[]", "expected JSON with a list of windows"),
        ("{}", "expected JSON with a list of windows"),
        ('{"windows": 3}', "expected a list of windows, found int"),
        ('{"windows": []}', "expected at least one example"),
        ('{"windows": [3]}', "expected windows with id, split and files"),
        ('{"windows": [{"id": "a", "split": "train"}]}', "expected windows with id"),
        ('{"windows": [{"id": "a", "split": "dev", "files": {"audio": "a"}}]}', "found 'dev'"),
        (
            json.dumps({"windows": [{"id": "a", "split": "train", "files": {"song": "a"}}]}),
            "expected windows with id",
        ),
    ],
)
def test_a_damaged_manifest_is_refused(tmp_path, manifest, message):
    (tmp_path / "songs.json").write_text(manifest)

    with pytest.raises(DataError, match=message):
        open_songs(tmp_path)


def test_a_folder_without_manifest_says_how_to_build_it(tmp_path):
    with pytest.raises(DataError, match=r"songs.json: expected the manifest.*build_songs"):
        open_songs(tmp_path)


@pytest.mark.parametrize(
    ("opened", "how"), [(open_songs, "build_songs"), (open_scenes, "build-sc")]
)
def test_no_folder_says_how_to_build_one(opened, how):
    with pytest.raises(DataError, match=how):
        opened(None)


def test_scenes_are_read_as_a_folder(tmp_path):
    for kind in ("audio/rain/1.flac", "video/rain/1.mp4", "image/rain/1.png", "audio/drum/2.flac"):
        (tmp_path / kind).parent.mkdir(parents=True)
        (tmp_path / kind).write_bytes(b"x")

    dataset = open_scenes(tmp_path)

    assert dataset.name == "scenes"
    assert dataset.classes == ("drum", "rain")
    assert dataset.paired
    assert {one.id for one in dataset.examples()} == {"rain/1", "drum/2"}
