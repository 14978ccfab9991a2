import pytest

from models.errors import DataError
from tests.training.datasets.tiny_packs import write_songs
from training.datasets.registry import DATASETS, open_dataset


def test_the_table_holds_the_documented_names():
    media = {"folder", "fsdd-mnist", "av-animals", "esc10", "tiny-imagenet", "caltech101"}
    media |= {"scenes", "songs", "musictm", "musictm-sung"}
    media |= {"lieder", "lieder-accompanied", "lieder-sung"}
    features = {"vegas", "ave", "feature-file"}
    assert set(DATASETS) == media | features
    assert {name for name, entry in DATASETS.items() if entry.open is None} == features


def test_a_path_opens_a_folder(tmp_path):
    for number in range(3):
        path = tmp_path / f"audio/dog/{number}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")

    by_path, by_name = open_dataset(str(tmp_path)), open_dataset("folder", tmp_path)

    assert by_path == by_name
    assert by_path.name == "folder"
    assert open_dataset(str(tmp_path), seed=1).examples() != by_path.examples()


def test_a_name_goes_before_a_folder_of_that_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "songs").mkdir()

    assert open_dataset("songs", write_songs(tmp_path / "songs")).name == "songs"
    with pytest.raises(DataError, match="expected the folder of the songs"):
        open_dataset("songs")


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(DataError, match=r"esc50: expected a folder or one of av-animals, .*songs"):
        open_dataset("esc50")


def test_a_feature_file_is_no_media(tmp_path):
    (tmp_path / "f.h5").write_bytes(b"x")

    for name in ("feature-file", str(tmp_path / "f.h5")):
        with pytest.raises(DataError, match="kyomei train --data"):
            open_dataset(name, tmp_path)


def test_folder_without_a_root_says_how_to_lay_it_out():
    with pytest.raises(DataError, match="put media into FOLDER/MODALITY/CLASS/FILE"):
        open_dataset("folder")
