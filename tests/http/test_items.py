"""``/items``: list, add, read, delete, and the items like a stored one."""

import json

import pytest

from tests.service.small_media import abc_tune, film, lyric, musicxml, picture, sound


def add(client, data=None, **fields):
    files = None if data is None else {"file": ("my rain.bin", data)}
    return client.post("/items", files=files, data=fields)


@pytest.mark.parametrize(
    ("data", "modality"),
    [
        (sound(0, 0.3), "audio"),
        (picture(0, 0.3), "image"),
        (film(0, 0.3), "video"),
        (lyric(0, 7), "lyrics"),
        (musicxml("GFED"), "score"),
    ],
    ids=["audio", "image", "video", "lyrics", "score"],
)
def test_a_file_is_added_as_what_its_content_is_and_finds_itself(scratch, data, modality):
    response = add(scratch, data)
    assert response.status_code == 201, response.text
    item = response.json()
    assert (item["modality"], item["title"]) == (modality, "my rain")
    assert response.headers["location"] == f"/items/{item['id']}"
    assert scratch.get(response.headers["location"]).json() == item
    assert scratch.get(item["media_url"]).content == data
    found = scratch.post(f"/search/{modality}-to-{modality}", files={"file": ("q", data)}).json()
    assert found["results"][0]["item"] == item


def test_the_same_content_again_answers_200_with_the_item_that_is_there(scratch):
    first = add(scratch, sound(1, 0.4), title="One")
    second = add(scratch, sound(1, 0.4), title="Two")
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json() == first.json()
    assert second.headers["location"] == first.headers["location"]


def test_title_label_work_and_metadata_are_kept(scratch):
    fields = {"title": "Rain", "label": "wet", "work_id": "w1"}
    metadata = {"tempo": 90, "loud": True, "place": "Kyōto", "level": -3.5}
    item = add(scratch, sound(1, 0.8), **fields, metadata=json.dumps(metadata)).json()
    assert {key: item[key] for key in fields} == fields
    assert item["metadata"] == {"duration_seconds": 1.0, **metadata}
    listed = scratch.get("/items", params={"filter": ["tempo:90", "label:wet"]}).json()
    assert [found["id"] for found in listed["items"]] == [item["id"]]


def test_text_becomes_a_lyric_titled_by_its_first_line(scratch):
    item = add(scratch, text="\n  Über den Wolken \nweht der Wind").json()
    assert (item["modality"], item["title"]) == ("lyrics", "Über den Wolken")
    assert scratch.get(item["media_url"]).text == "\n  Über den Wolken \nweht der Wind"


def test_a_video_may_be_added_as_a_sound(scratch):
    item = add(scratch, film(2, 0.3), modality="audio").json()
    assert (item["modality"], item["media_type"]) == ("audio", "video/mp4")


def test_text_may_be_added_as_a_score(scratch):
    item = add(scratch, text=abc_tune().decode(), modality="score").json()
    assert (item["modality"], item["media_type"]) == ("score", "text/vnd.abc")


def test_items_are_paged_in_a_stable_order(client):
    whole = client.get("/items", params={"limit": 500}).json()
    assert whole["total"] == len(whole["items"]) == 144
    pages = [client.get("/items", params={"limit": 50, "offset": o}).json() for o in (0, 50, 100)]
    assert [item for page in pages for item in page["items"]] == whole["items"]
    assert {page["total"] for page in pages} == {144}
    assert client.get("/items", params={"offset": 1000}).json()["items"] == []


@pytest.mark.parametrize(
    ("parameters", "count"),
    [
        ({"modality": "audio"}, 48),
        ({"modality": "score"}, 24),
        ({"filter": "label:c0"}, 24),
        ({"filter": ["label:c0", "work_id:everyday/c0/1"]}, 3),
        ({"modality": "lyrics", "filter": "label:c0"}, 4),
        ({"filter": "title:3"}, 36),
        ({"filter": "label:none such"}, 0),
    ],
)
def test_filters_narrow_the_list(client, parameters, count):
    assert client.get("/items", params=parameters).json()["total"] == count


def test_a_deleted_item_is_gone_from_everywhere(scratch):
    item = add(scratch, sound(1, 0.7)).json()
    assert scratch.get(item["preview_url"]).status_code == 200
    assert scratch.delete(f"/items/{item['id']}").status_code == 204
    for address in (f"/items/{item['id']}", item["media_url"], item["preview_url"]):
        assert scratch.get(address).status_code == 404
    assert scratch.delete(f"/items/{item['id']}").status_code == 404
    found = scratch.post("/search/audio-to-audio", files={"file": ("q", sound(1, 0.7))}).json()
    assert item["id"] not in [result["item"]["id"] for result in found["results"]]


def one_item(client, modality, work_id):
    parameters = {"modality": modality, "filter": f"work_id:{work_id}"}
    return client.get("/items", params=parameters).json()["items"][0]


def similar(client, item, **parameters):
    return client.get(f"/items/{item['id']}/similar", params=parameters)


def test_similar_gives_what_a_search_with_the_file_gives(client, world):
    item = one_item(client, "video", "everyday/c2/1")
    answer = similar(client, item, target="audio", k=5).json()
    data = world.file("everyday", "video", 2, 1).read_bytes()
    searched = client.post(
        "/search/video-to-audio", files={"file": ("q", data)}, params={"k": 5}
    ).json()
    assert answer["results"] == searched["results"]
    assert answer["query"]["item_id"] == item["id"]
    assert answer["took_ms"]["decode"] is None


def test_similar_leaves_the_item_itself_out_unless_asked(client):
    item = one_item(client, "image", "everyday/c2/1")
    without = similar(client, item, target="image", k=4).json()["results"]
    including = similar(client, item, target="image", k=5, include_self=True).json()["results"]
    assert including[0]["item"] == item
    assert [r["item"] for r in without] == [r["item"] for r in including[1:]]
    assert [r["rank"] for r in without] == [1, 2, 3, 4]


def test_similar_pages_without_the_item_itself(client):
    item = one_item(client, "image", "everyday/c2/1")
    whole = similar(client, item, target="image", k=23).json()["results"]
    pages = [
        similar(client, item, target="image", k=8, offset=o).json()["results"] for o in (0, 8, 16)
    ]
    assert [result for page in pages for result in page] == whole


def test_similar_takes_a_space_that_the_item_lies_in(client):
    answer = similar(client, one_item(client, "audio", "songs/c1/0"), target="audio").json()
    assert answer["space"] == "songs"


def test_similar_in_a_space_without_the_item_says_so(client):
    item = one_item(client, "audio", "songs/c1/0")
    response = similar(client, item, target="video")
    assert response.status_code == 404
    assert response.json()["type"] == "urn:kyomei:error:no-embedding"


def test_measured_facts_win_over_what_the_client_says(scratch):
    metadata = {"duration_seconds": 99.0, "tempo": 90}
    item = add(scratch, sound(1, 0.85), metadata=json.dumps(metadata)).json()
    assert item["metadata"] == {"duration_seconds": 1.0, "tempo": 90}
