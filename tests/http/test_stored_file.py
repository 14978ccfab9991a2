"""What becomes of requests for a file that is going, and of ranges that make no sense."""

import anyio
import pytest

from service import previews
from service.previews import Previews
from service.routes.stored_file import is_valid_range
from tests.http.test_errors import problem
from tests.http.test_media import item_of
from tests.service.small_media import sound


def added(client, place):
    return client.post("/items", files={"file": ("x", sound(2, place))}).json()


def stored_path(client, item):
    collection = client.app.state.engines["default"].collection
    return collection.media_path(collection.get(item["id"]))


def preview_path(client, item):
    return client.app.state.engines["default"].settings.previews_folder / f"{item['id']}.png"


@pytest.mark.parametrize("address", ["media_url", "preview_url"])
def test_an_item_whose_stored_file_is_missing_is_unknown(scratch, address):
    item = added(scratch, 0.31)
    path = stored_path(scratch, item)
    path.unlink()
    response = scratch.get(item[address])
    assert item["id"] in problem(response, "unknown-item")
    assert str(path.parent) not in response.text
    assert scratch.delete(f"/items/{item['id']}").status_code == 204


def test_a_file_deleted_between_looking_and_opening_is_unknown(scratch, monkeypatch):
    item = added(scratch, 0.32)
    opening = anyio.open_file

    async def late(path, *arguments, **options):
        await anyio.Path(path).unlink()
        return await opening(path, *arguments, **options)

    monkeypatch.setattr("anyio.open_file", late)
    for headers in ({}, {"Range": "bytes=0-9"}, {"Range": "bytes=0-3,8-9"}):
        path = stored_path(scratch, item)
        path.write_bytes(b"0123456789")
        problem(scratch.get(item["media_url"], headers=headers), "unknown-item")
        assert not path.exists()


def test_a_stored_file_that_no_longer_decodes_is_damaged_and_names_no_path(scratch):
    item = added(scratch, 0.33)
    path = stored_path(scratch, item)
    path.write_bytes(path.read_bytes()[:60])
    response = scratch.get(item["preview_url"])
    problem(response, "damaged")
    assert str(path.parent) not in response.text


def test_a_preview_rendered_during_a_delete_does_not_stay(scratch, monkeypatch):
    item = added(scratch, 0.34)
    rendering = previews.render

    def deleted_meanwhile(media):
        assert scratch.delete(f"/items/{item['id']}").status_code == 204
        return rendering(media)

    monkeypatch.setattr(previews, "render", deleted_meanwhile)
    problem(scratch.get(item["preview_url"]), "unknown-item")
    assert not preview_path(scratch, item).exists()


def test_a_preview_removed_before_it_is_sent_is_unknown(scratch, monkeypatch):
    item = added(scratch, 0.35)
    of = Previews.of

    def removed(self, *known):
        preview = of(self, *known)
        preview.path.unlink()
        return preview

    monkeypatch.setattr(Previews, "of", removed)
    problem(scratch.get(item["preview_url"]), "unknown-item")


INVALID = [
    "foo",
    "",
    "bytes",
    "bytes=",
    "bytes=,",
    "bytes=-",
    "bytes=abc",
    "bytes=5-2",
    "bytes=0-1,5-2",
    "bytes=0-1,x",
    "bytes=1-2-3",
    "bytes=+1-2",
    "bytes=1_0-20",
    "bytes=" + "9" * 5000 + "-",
    "lines=0-1",
]


@pytest.mark.parametrize("asked", INVALID, ids=lambda asked: asked[:20])
def test_an_invalid_range_is_ignored(client, world, asked):
    item = item_of(client, "video", "everyday/c1/2")
    response = client.get(item["media_url"], headers={"Range": asked})
    data = world.file("everyday", "video", 1, 2).read_bytes()
    assert (response.status_code, response.content) == (200, data)
    assert response.headers["content-type"] == "video/mp4"


def test_an_invalid_range_of_a_preview_is_ignored(client):
    item = item_of(client, "audio", "everyday/c3/0")
    response = client.get(item["preview_url"], headers={"Range": "bytes=5-2"})
    assert (response.status_code, response.headers["content-type"]) == (200, "image/png")


@pytest.mark.parametrize(
    "asked", ["bytes=0-0", "bytes=5-", "bytes=-5", "BYTES=0-1", "bytes=0-1, 4-9", "bytes=0-1,,4-"]
)
def test_valid_ranges_are_told_from_invalid_ones(client, asked):
    assert is_valid_range(asked)
    item = item_of(client, "video", "everyday/c1/2")
    assert client.get(item["media_url"], headers={"Range": asked}).status_code == 206


@pytest.mark.parametrize("address", ["/health/live", "/health/ready", "preview"])
def test_head_answers_like_get_without_the_body(client, address):
    if address == "preview":
        address = item_of(client, "audio", "everyday/c3/0")["preview_url"]
    got, head = client.get(address), client.head(address)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers == got.headers
    assert int(head.headers["content-length"]) == len(got.content)


def test_head_of_an_unknown_preview_is_404(client):
    assert client.head("/items/x/preview").status_code == 404
