from pathlib import Path

import numpy as np
import pytest

from models.errors import MediaError
from models.media import load as load_module
from models.media.limits import MediaLimits
from models.media.load import Probe, default_modality, load, media_type, probe
from models.types import Audio, Image, Lyrics, Modality, Score, Video
from tests.models.media.media_files import NAMES, expected_modality, made

KINDS = {"audio": Audio, "image": Image, "video": Video, "lyrics": Lyrics, "score": Score}


@pytest.mark.parametrize("name", NAMES)
def test_every_file_loads_as_its_default_modality(name):
    modality = Modality(expected_modality(name))
    assert isinstance(load(made(name), modality), KINDS[modality])


def test_a_path_gives_what_its_bytes_give(tmp_path: Path):
    path = tmp_path / "anything.at.all"
    path.write_bytes(made("flac"))
    from_path, from_bytes = load(path, Modality.AUDIO), load(made("flac"), Modality.AUDIO)
    assert isinstance(from_path, Audio)
    assert isinstance(from_bytes, Audio)
    np.testing.assert_array_equal(from_path.samples, from_bytes.samples)


@pytest.mark.parametrize("as_path", [True, False])
def test_files_over_the_limit_are_refused_unread(as_path, tmp_path: Path):
    path = tmp_path / "large"
    path.write_bytes(made("wav"))
    limits = MediaLimits(max_bytes=1000)
    source = path if as_path else made("wav")
    for call in (
        lambda: load(source, Modality.AUDIO, limits),
        lambda: media_type(source, limits),
        lambda: default_modality(source, limits),
        lambda: probe(source, limits),
    ):
        with pytest.raises(MediaError, match="at most 1000 bytes") as caught:
            call()
        assert caught.value.reason == "too_large"


@pytest.mark.parametrize("name", ["absent", "."])
def test_what_cannot_be_read_is_damaged(name, tmp_path: Path):
    with pytest.raises(MediaError, match="readable file") as caught:
        load(tmp_path / name, Modality.AUDIO)
    assert caught.value.reason == "damaged"


@pytest.mark.parametrize("call", [lambda path: load(path, Modality.AUDIO), probe])
def test_the_message_about_an_unreadable_file_names_no_path(call, tmp_path: Path):
    with pytest.raises(MediaError, match="No such file or directory") as caught:
        call(tmp_path / "absent")
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("modality", list(Modality))
def test_no_bytes_are_empty_in_every_modality(modality):
    with pytest.raises(MediaError) as caught:
        load(b"", modality)
    assert caught.value.reason == "empty"


def test_want_of_memory_is_too_large(monkeypatch):
    def hungry(*_):
        raise MemoryError

    monkeypatch.setattr(load_module, "_decode", hungry)
    with pytest.raises(MediaError, match="memory") as caught:
        load(b"x", Modality.LYRICS)
    assert caught.value.reason == "too_large"


def test_a_container_without_streams_has_no_modality():
    with pytest.raises(MediaError) as caught:
        default_modality(b"\x1a\x45\xdf\xa3" + bytes(40))
    assert caught.value.reason == "damaged"


@pytest.mark.parametrize("name", NAMES)
def test_a_probe_tells_modality_and_media_type_at_once(name):
    expected = Probe(default_modality(made(name)), media_type(made(name)))
    assert probe(made(name)) == expected
    assert expected.modality == expected_modality(name)
