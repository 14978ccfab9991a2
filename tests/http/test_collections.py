"""Several collections in one service: own folders, own spaces, own items."""

import pytest

from tests.http.conftest import started
from tests.service.small_media import sound


@pytest.fixture(scope="module")
def client(world, indexed, tmp_path_factory):
    """The filled collection, and an empty one of the songs only."""
    import shutil

    folder = tmp_path_factory.mktemp("several")
    shutil.copytree(indexed, folder / "data")
    shutil.copytree(world.spaces / "songs", folder / "spaces" / "songs")
    (folder / "more.toml").write_text(
        '[songs]\ndata = "songs_data"\nspaces = ["spaces/songs"]\nindex_backend = "numpy"\n'
    )
    with started(world.settings(folder / "data", collections=folder / "more.toml")) as running:
        yield running


@pytest.fixture
def added(client):
    response = client.post(
        "/items", params={"collection": "songs"}, files={"file": ("q", sound(1, 0.4))}
    )
    assert response.status_code == 201, response.text
    yield response
    client.delete(response.headers["location"])


def test_the_collections_are_listed_with_what_they_hold(client, added):
    default, songs = client.get("/collections").json()
    assert (default["name"], songs["name"]) == ("default", "songs")
    assert sum(default["items"].values()) == 144
    assert songs["items"] == {"audio": 1}
    assert (default["spaces"], songs["spaces"]) == (["everyday", "songs"], ["songs"])
    assert default["collection_id"] != songs["collection_id"]
    assert songs["media_bytes"] == added.json()["bytes"]
    assert songs["sequence"] >= 1
    assert default["schema_version"] == 3


def test_an_item_is_in_its_collection_only_and_its_addresses_say_so(client, added):
    item = added.json()
    assert client.get(f"/items/{item['id']}").status_code == 404
    assert client.get(added.headers["location"]).json() == item
    assert client.get(item["media_url"]).content == sound(1, 0.4)
    assert client.get(item["preview_url"]).headers["content-type"] == "image/png"
    listed = client.get("/items", params={"collection": "songs"}).json()
    assert [found["id"] for found in listed["items"]] == [item["id"]]


def test_a_search_stays_in_its_collection(client, added):
    query = {"files": {"file": ("q", sound(1, 0.4))}}
    address = "/search/audio-to-audio"
    answer = client.post(address, params={"collection": "songs"}, **query).json()
    assert [hit["item"] for hit in answer["results"]] == [added.json()]
    assert answer["space"] == "songs"
    others = client.post(address, params={"k": 100}, **query).json()["results"]
    assert added.json()["id"] not in [hit["item"]["id"] for hit in others]
    similar = client.get(
        f"/items/{added.json()['id']}/similar",
        params={"collection": "songs", "target": "audio", "include_self": True},
    ).json()
    assert [hit["item"] for hit in similar["results"]] == [added.json()]


def test_a_pair_that_the_collection_does_not_cover_says_so(client):
    response = client.post(
        "/search/audio-to-video",
        params={"collection": "songs"},
        files={"file": ("q", sound(1))},
    )
    assert response.status_code == 422
    assert response.json()["type"] == "urn:kyomei:error:unknown-space"


def test_the_spaces_of_a_collection_are_listed(client):
    spaces = client.get("/spaces", params={"collection": "songs"}).json()
    assert [space["name"] for space in spaces] == ["songs"]
    assert len(client.get("/spaces").json()) == 2


def test_a_space_says_what_made_its_vectors_and_what_searches_them(client, added, world):
    from models.spaces import read_manifest

    (space,) = client.get("/spaces", params={"collection": "songs"}).json()
    manifest = read_manifest(world.spaces / "songs")
    assert space["weights_sha256"] == manifest.weights_sha256
    made_by = {view["modality"]: view["extractor_fingerprint"] for view in space["views"]}
    assert made_by == {view.name: view.extractor_fingerprint for view in manifest.views}
    audio = next(view for view in space["views"] if view["modality"] == "audio")
    assert (audio["items"], audio["index"]["vectors"], audio["index"]["recall"]) == (1, 1, 1.0)


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("GET", "/items"),
        ("GET", "/spaces"),
        ("GET", "/items/0/media"),
        ("GET", "/items/0/preview"),
        ("GET", "/items/0/similar?target=audio"),
        ("GET", "/items/0"),
        ("DELETE", "/items/0"),
        ("POST", "/items"),
        ("POST", "/search/audio-to-audio"),
    ],
)
def test_an_unknown_collection_is_a_404_everywhere(client, method, address):
    files = {"file": ("q", sound(1))} if method == "POST" else None
    response = client.request(method, address, params={"collection": "none", "target": "audio"},
                              files=files)  # fmt: skip
    assert response.status_code == 404
    problem = response.json()
    assert problem["type"] == "urn:kyomei:error:unknown-collection"
    assert "default, songs" in problem["detail"]
