"""Files of items with ranges, and their previews."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.service.small_media import lyric, musicxml, picture, sound


def item_of(client, modality, work_id):
    parameters = {"modality": modality, "filter": f"work_id:{work_id}"}
    return client.get("/items", params=parameters).json()["items"][0]


@pytest.fixture
def video(client, world):
    return item_of(client, "video", "everyday/c1/2"), world.file(
        "everyday", "video", 1, 2
    ).read_bytes()


def test_the_file_comes_back_as_it_was_sent(client, video):
    item, data = video
    response = client.get(item["media_url"])
    assert response.content == data
    assert response.headers["content-type"] == "video/mp4"
    assert response.headers["content-length"] == str(len(data))
    assert response.headers["etag"] == f'"{item["sha256"]}"'
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["accept-ranges"] == "bytes"


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [("bytes=0-99", 0, 100), ("bytes=100-", 100, None), ("bytes=-50", -50, None)],
)
def test_a_range_gives_exactly_those_bytes(client, video, asked, start, stop):
    item, data = video
    response = client.get(item["media_url"], headers={"Range": asked})
    assert response.status_code == 206
    assert response.content == data[start:stop]
    first = start % len(data)
    last = first + len(response.content) - 1
    assert response.headers["content-range"] == f"bytes {first}-{last}/{len(data)}"


def test_several_ranges_come_as_parts(client, video):
    item, data = video
    response = client.get(item["media_url"], headers={"Range": "bytes=0-3,10-13"})
    assert response.status_code == 206
    assert response.headers["content-type"].startswith("multipart/byteranges")
    assert data[0:4] in response.content
    assert data[10:14] in response.content


def test_a_range_outside_the_file_is_refused(client, video):
    item, data = video
    response = client.get(item["media_url"], headers={"Range": f"bytes={len(data)}-"})
    assert response.status_code == 416
    assert response.headers["content-range"] == f"bytes */{len(data)}"


def test_a_range_of_another_version_gives_the_whole_file(client, video):
    item, data = video
    headers = {"Range": "bytes=0-9", "If-Range": '"another"'}
    response = client.get(item["media_url"], headers=headers)
    assert (response.status_code, response.content) == (200, data)


def test_a_known_file_is_not_sent_again(client, video):
    item, _ = video
    headers = {"If-None-Match": f'"x", W/"{item["sha256"]}"'}
    response = client.get(item["media_url"], headers=headers)
    assert (response.status_code, response.content) == (304, b"")


def test_head_gives_the_size_without_the_file(client, video):
    item, data = video
    response = client.head(item["media_url"])
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-length"] == str(len(data))


@pytest.mark.parametrize(
    ("data", "disposition"),
    [
        (sound(0, 0.6), "inline"),
        (picture(0, 0.6), "inline"),
        (lyric(0, 9), "inline"),
        (musicxml("AGFE"), "attachment"),
    ],
    ids=["wav", "png", "text", "musicxml"],
)
def test_only_harmless_types_are_shown_in_the_browser(scratch, data, disposition):
    item = scratch.post(
        "/items", files={"file": ("x", data)}, data={"title": 'a/b"\r\nX: <é>'}
    ).json()
    headers = scratch.get(item["media_url"]).headers
    assert headers["content-disposition"].startswith(f"{disposition}; filename")
    assert "/" not in headers["content-disposition"]
    assert '"\r' not in headers["content-disposition"]
    assert "sandbox" in headers["content-security-policy"]


def opened(response):
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "image/png"
    return np.asarray(Image.open(io.BytesIO(response.content)).convert("RGB"))


def test_the_preview_of_a_sound_is_a_spectrogram(client):
    pixels = opened(client.get(item_of(client, "audio", "everyday/c3/0")["preview_url"]))
    assert pixels.shape == (160, 480, 3)
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 50


def test_the_preview_of_a_video_is_a_strip_of_frames(client):
    pixels = opened(client.get(item_of(client, "video", "everyday/c3/0")["preview_url"]))
    assert pixels.shape[0] == 160
    assert pixels.shape[1] > 3 * pixels.shape[0]


def test_the_preview_of_an_image_is_a_thumbnail(client):
    pixels = opened(client.get(item_of(client, "image", "everyday/c3/0")["preview_url"]))
    assert pixels.shape == (72, 96, 3)


def test_the_preview_of_a_score_shows_ink_on_paper(client):
    pixels = opened(client.get(item_of(client, "score", "songs/c3/0")["preview_url"]))
    assert pixels.shape[1] == 720
    assert 0.005 < (pixels < 128).mean() < 0.5


def test_the_preview_of_lyrics_is_their_first_lines(client, world):
    response = client.get(item_of(client, "lyrics", "songs/c5/2")["preview_url"])
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    whole = world.file("songs", "lyrics", 5, 2).read_text(encoding="utf-8")
    assert whole.startswith(response.text)
    assert "夜" in response.text


def test_a_preview_is_rendered_again_after_the_cache_was_deleted(client):
    item = item_of(client, "audio", "everyday/c4/1")
    first = client.get(item["preview_url"]).content
    cached = client.app.state.engines["default"].settings.previews_folder / f"{item['id']}.png"
    assert cached.read_bytes() == first
    cached.unlink()
    assert client.get(item["preview_url"]).content == first


def test_a_known_preview_is_not_sent_again(client):
    item = item_of(client, "audio", "everyday/c4/1")
    etag = client.get(item["preview_url"]).headers["etag"]
    response = client.get(item["preview_url"], headers={"If-None-Match": etag})
    assert (response.status_code, response.content) == (304, b"")
