from pathlib import Path

import pytest
from pydantic import ValidationError

from models.media.limits import MediaLimits
from service.settings import Settings, shipped_spaces


def test_the_defaults_serve_this_machine_only():
    settings = Settings()
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert "*" not in settings.allowed_hosts
    assert settings.media_limits == MediaLimits()


def test_variables_of_the_environment_are_read(monkeypatch):
    monkeypatch.setenv("KYOMEI_DATA", "/somewhere")
    monkeypatch.setenv("KYOMEI_PORT", "0")
    monkeypatch.setenv("KYOMEI_SPACES", "/a/everyday, /b/songs,")
    monkeypatch.setenv("KYOMEI_ALLOWED_HOSTS", "*")
    monkeypatch.setenv("KYOMEI_MAX_PIXELS", "99")
    settings = Settings()
    assert settings.data == Path("/somewhere")
    assert settings.port == 0
    assert settings.spaces == (Path("/a/everyday"), Path("/b/songs"))
    assert settings.allowed_hosts == ("*",)
    assert settings.media_limits.max_pixels == 99


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ('["a", "b"]', ("a", "b")),
        ("a,b", ("a", "b")),
        ("[::1]", ("[::1]",)),
        ("[::1],a,[::2]", ("[::1]", "a", "[::2]")),
        ("", ()),
    ],
)
def test_lists_are_read_from_commas_or_json(monkeypatch, text, hosts):
    monkeypatch.setenv("KYOMEI_ALLOWED_HOSTS", text)
    assert Settings().allowed_hosts == hosts


def test_every_limit_of_media_is_a_setting():
    settings = Settings(
        max_upload_bytes=1,
        max_unpacked_bytes=2,
        max_seconds=3,
        max_pixels=4,
        max_side_pixels=5,
        max_pages=6,
        max_bars=7,
        max_characters=8,
    )
    assert settings.media_limits == MediaLimits(1, 2, 3, 4, 5, 6, 7, 8)


@pytest.mark.parametrize(
    "change",
    [{"port": 70000}, {"decode_workers": 0}, {"max_seconds": 0}, {"index_device": "tpu"}],
)
def test_values_out_of_range_are_refused(change):
    with pytest.raises(ValidationError):
        Settings(**change)


def test_uploads_and_previews_lie_in_the_data_folder():
    settings = Settings(data=Path("/d"))
    assert settings.uploads_folder == Path("/d/uploads")
    assert settings.previews_folder == Path("/d/previews")


def test_the_shipped_spaces_are_beside_the_models():
    assert shipped_spaces().parts[-2:] == ("models", "pretrained")
