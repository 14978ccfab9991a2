import importlib.util
import zipfile
from pathlib import Path

import pytest

from models.errors import DataError
from training.datasets.songs.corpus import LICENCE_OF_THE_CORPUS, find_corpus, licence


def test_the_corpus_is_found_without_importing_music21(music21_folder: Path) -> None:
    corpus = find_corpus()  # the package raises when it is imported
    assert corpus.folder == music21_folder
    assert corpus.version == "10.0.test"


def test_files_are_sorted_and_leave_out_what_is_no_song(music21_folder: Path) -> None:
    files = find_corpus().files()
    assert list(files) == sorted(files)
    assert "bach/zipped.mxl" in files
    assert not any(name.startswith("demos/") for name in files)


def test_a_zipped_file_is_unpacked(music21_folder: Path) -> None:
    assert find_corpus().read("bach/zipped.mxl").startswith(b"<score-partwise>")


def test_a_missing_package_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(DataError, match=r"kyomei\[demo\]"):
        find_corpus()


def test_a_package_without_its_corpus_is_told_apart(music21_folder: Path) -> None:
    music21_folder.rename(music21_folder.with_name("elsewhere"))
    with pytest.raises(DataError, match="without its corpus"):
        find_corpus()


def test_a_damaged_zip_is_refused(music21_folder: Path) -> None:
    (music21_folder / "bach" / "bad.mxl").write_bytes(b"PK\x03\x04 not a zip")
    with pytest.raises(DataError, match="not a readable"):
        find_corpus().read("bach/bad.mxl")


def test_a_zip_without_a_score_is_refused(music21_folder: Path) -> None:
    with zipfile.ZipFile(music21_folder / "bach" / "empty.mxl", "w") as archive:
        archive.writestr("META-INF/container.xml", "<container/>")
        archive.writestr("readme.txt", "nothing")
    with pytest.raises(DataError, match="holds no MusicXML"):
        find_corpus().read("bach/empty.mxl")


def test_a_zip_that_unpacks_to_too_much_is_refused(
    music21_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.datasets.songs.corpus.MAX_SCORE_BYTES", 10)
    with pytest.raises(DataError, match="too much"):
        find_corpus().read("bach/zipped.mxl")


@pytest.mark.parametrize("rights", ["", "Copyright © ", "  "])
def test_a_file_without_a_statement_has_the_licence_of_the_corpus(rights: str) -> None:
    stated = licence(rights)
    assert stated is not None
    assert stated.endswith(LICENCE_OF_THE_CORPUS)


@pytest.mark.parametrize(
    "rights", ["Public Domain", "released as CC0", "Creative Commons License (CC-BY)", "P.D. (EU)"]
)
def test_free_licences_are_quoted(rights: str) -> None:
    assert licence(rights) == f"stated in the file: {rights}"


@pytest.mark.parametrize("rights", ["All Rights Reserved", "UT ORPHEUS EDIZIONI 2003"])
def test_reserved_rights_are_not_a_licence(rights: str) -> None:
    assert licence(rights) is None
