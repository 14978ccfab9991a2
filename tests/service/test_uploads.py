import io
from pathlib import Path

import pytest
from fastapi import UploadFile

from service.errors import ProblemError
from service.settings import Settings
from service.uploads import received, remove_leftovers


@pytest.fixture
def settings(tmp_path):
    return Settings(data=tmp_path / "data", max_upload_bytes=3 * 2**20)


def upload(data):
    return UploadFile(io.BytesIO(data))


def test_a_small_file_stays_in_memory(settings):
    with received(upload(b"abc"), None, settings) as source:
        assert source == b"abc"
    assert not settings.uploads_folder.exists()


def test_a_large_file_lies_on_disk_while_it_is_used(settings):
    data = bytes(range(256)) * 2**13
    with received(upload(data), None, settings) as source:
        assert isinstance(source, Path)
        assert source.parent == settings.uploads_folder
        assert source.read_bytes() == data
    assert list(settings.uploads_folder.iterdir()) == []


def test_a_large_file_is_removed_after_an_error(settings):
    with pytest.raises(ZeroDivisionError), received(upload(bytes(2**21)), None, settings):
        raise ZeroDivisionError
    assert list(settings.uploads_folder.iterdir()) == []


def test_text_becomes_utf_8(settings):
    with received(None, "Größe 夜", settings) as source:
        assert source == "Größe 夜".encode()
    with received(None, "a\ud800b", settings) as source:
        assert source == b"a?b"


@pytest.mark.parametrize(
    ("data", "text", "name"),
    [
        (None, None, "invalid-request"),
        (b"x", "y", "invalid-request"),
        (b"", None, "empty"),
        (None, " \n", "empty"),
        (bytes(3 * 2**20 + 1), None, "too-large"),
        (None, "x" * (3 * 2**20 + 1), "too-large"),
    ],
    ids=["neither", "both", "empty-file", "blank-text", "large-file", "large-text"],
)
def test_what_cannot_be_a_query_is_refused(settings, data, text, name):
    sent = None if data is None else upload(data)
    with pytest.raises(ProblemError) as refusal, received(sent, text, settings):
        pass
    assert refusal.value.name == name


def test_leftovers_are_removed_and_counted(settings):
    assert remove_leftovers(settings) == 0
    settings.uploads_folder.mkdir(parents=True)
    (settings.uploads_folder / "tmp1").write_bytes(b"x")
    (settings.uploads_folder / "tmp2").write_bytes(b"y")
    assert remove_leftovers(settings) == 2
    assert list(settings.uploads_folder.iterdir()) == []


def test_an_upload_is_read_from_its_start(settings):
    sent = UploadFile(io.BytesIO(b"abc"))
    sent.file.read()
    with received(sent, None, settings) as source:
        assert source == b"abc"
