"""The file that names further collections: what it may say, and what is refused by its place."""

from pathlib import Path

import pytest

from models.errors import DataError
from service.collections import collection_settings, settings_of
from service.settings import Settings


@pytest.fixture
def read(tmp_path):
    def read(text, **base):
        path = tmp_path / "more.toml"
        path.write_text(text, encoding="utf-8")
        return collection_settings(Settings(data=tmp_path / "data", collections=path, **base))

    return read


def test_without_a_file_there_is_the_default_collection():
    settings = Settings()
    assert collection_settings(settings) == {"default": settings}


def test_a_table_takes_the_rest_from_the_service(read, tmp_path):
    found = read(
        '[songs]\ndata = "songs"\nspaces = ["a", "/b"]\nindex_backend = "numpy"\n'
        '[old-2]\ndata = "/old"\n',
        max_k=7,
        threads=3,
        spaces=(Path("/mine"),),
        database_url="sqlite:///x",
    )
    assert list(found) == ["default", "songs", "old-2"]
    songs, old = found["songs"], found["old-2"]
    assert songs.data == tmp_path / "songs"
    assert songs.spaces == (tmp_path / "a", Path("/b"))
    assert (songs.index_backend, songs.max_k, songs.threads) == ("numpy", 7, 3)
    assert (old.data, old.spaces) == (Path("/old"), (Path("/mine"),))
    assert songs.database_url is None
    assert found["default"].database_url == "sqlite:///x"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[songs]\n", "with the key data"),
        ("songs = 3\n", "with the key data"),
        ('["../x"]\ndata = "a"\n', "lower-case letters"),
        ('[default]\ndata = "a"\n', "other than default"),
        ('[songs]\ndata = "a"\nport = 3\n', "got port"),
        ('[songs]\ndata = "a"\nmax_k = 3\n', "got max_k"),
        ('[songs]\ndata = "a"\nthreads = 0\n', r"\[songs\]: threads"),
        ("[songs]\ndata = 3\n", r"\[songs\]: data"),
        ('[songs]\ndata = "data"\n', "default and songs share"),
        ('[a]\ndata = "x"\n[b]\ndata = "./x"\n', "a and b share"),
        ("[songs\n", "expected a TOML file"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused_by_its_place(read, text, said):
    with pytest.raises(DataError, match=said):
        read(text)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(DataError, match="KYOMEI_COLLECTIONS"):
        collection_settings(Settings(collections=tmp_path / "absent.toml"))


def test_one_collection_is_chosen_by_name(tmp_path):
    (tmp_path / "more.toml").write_text('[songs]\ndata = "songs"\n')
    settings = Settings(data=tmp_path, collections=tmp_path / "more.toml")
    assert settings_of(settings, None) is settings
    assert settings_of(settings, "songs").data == tmp_path / "songs"
    with pytest.raises(DataError, match="default, songs, got none"):
        settings_of(settings, "none")
