"""Folders as a stream: order, hidden files, links, and folders that cannot be listed."""

import os

import pytest

from service.ingest import sources
from service.ingest.sources import list_folder


def make(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def names(folder):
    return [source.name for source in list_folder(folder).sources()]


@pytest.mark.parametrize("run", [10_000, 1])
def test_all_files_come_and_names_are_sorted_within_a_run(tmp_path, monkeypatch, run):
    monkeypatch.setattr(sources, "_SORTED_TOGETHER", run)
    expected = ["a/1.wav", "a/b/2.wav", "a/c.wav", "b.wav", "z/0.wav"]
    make(tmp_path, *reversed(expected), ".hidden/x.wav", "a/.y.wav")
    found = names(tmp_path)
    assert sorted(found) == expected
    assert list_folder(tmp_path).count == len(expected)
    if run > 1:
        assert found == expected


def test_links_to_files_are_followed_and_links_to_folders_are_not(tmp_path):
    make(tmp_path, "in/a.wav", "other/b.wav")
    (tmp_path / "in" / "link.wav").symlink_to(tmp_path / "other" / "b.wav")
    (tmp_path / "in" / "folder").symlink_to(tmp_path / "other")
    (tmp_path / "in" / "loop").symlink_to(tmp_path / "in")
    os.mkfifo(tmp_path / "in" / "pipe.wav")
    assert names(tmp_path / "in") == ["a.wav", "link.wav"]


def test_a_folder_that_cannot_be_listed_is_a_problem_of_its_own(tmp_path, monkeypatch):
    make(tmp_path, "good/a.wav", "shut/b.wav")
    scandir = os.scandir

    def refuse(folder):
        if folder.name == "shut":
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    told = {source.name: source.problem for source in list_folder(tmp_path).sources()}
    assert told == {"good/a.wav": None, "shut": "cannot be listed: Permission denied"}
