"""Filters by tag, number and date, pages and works, as a client of the HTTP surface sees them."""

import json
from datetime import UTC, datetime

import pytest

from service.catalog.records import Range
from service.errors import ProblemError
from service.routes.filters import parse_filter
from tests.service.small_media import sound


def moment(day, month=5, year=2020, hour=0):
    return datetime(year, month, day, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    ("texts", "ranges"),
    [
        (["tempo>=100"], [Range("tempo", ">=", 100.0)]),
        (["tempo>100", "tempo<=120.5"], [Range("tempo", ">", 100.0), Range("tempo", "<=", 120.5)]),
        (["level<-3e-2"], [Range("level", "<", -0.03)]),
        (["made>=2020-05-17"], [Range("made", ">=", moment(17))]),
        (["made>2020-05-17"], [Range("made", ">=", moment(18))]),
        (["made<=2020-05-17"], [Range("made", "<", moment(18))]),
        (["made<2020-05-17"], [Range("made", "<", moment(17))]),
        (["made<=2020-05-17T05:00+02:00"], [Range("made", "<=", moment(17, hour=3))]),
        (
            ["created_at:2020-05-17"],
            [Range("created_at", ">=", moment(17)), Range("created_at", "<", moment(18))],
        ),
    ],
)
def test_bounds_are_read_as_numbers_or_dates(texts, ranges):
    assert list(parse_filter(texts).ranges) == ranges


def test_values_may_hold_signs_of_comparison():
    told = parse_filter(["title:a>=b", "x:2<3", "tag:a:b"])
    assert (told.title, told.metadata, told.tags) == ("a>=b", {"x": "2<3"}, ("a:b",))


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["tempo>=fast"], "a number or a date"),
        (["tempo>=nan"], "a number or a date"),
        (["tempo>=inf"], "a number or a date"),
        (["tempo>="], "a number or a date"),
        (["made>=2020-02-30"], "a number or a date"),
        (["created_at>=3"], "expected a date"),
        (["created_at:today"], "expected a date"),
        (["label>=a"], "compared with `:` only"),
        (["tag<a"], "compared with `:` only"),
        (["tempo>=1", "tempo>2"], "given twice"),
        (["a:1", "a:2"], "given twice"),
        (["tempo"], "expected key:value"),
        (["tempo=>3"], "expected >= and not =>"),
        ([":1"], "expected key:value"),
        ([">=1"], "expected key:value"),
        (["made>9999-12-31"], "before 9999"),
    ],
)
def test_what_is_no_condition_is_refused(texts, said):
    with pytest.raises(ProblemError, match=said) as caught:
        parse_filter(texts)
    assert caught.value.name == "invalid-request"


FACTS: list[dict[str, object]] = [
    {"tempo": 60, "made": "2020-01-31"},
    {"tempo": 90.5, "made": "2020-02-01"},
    {"tempo": 120, "made": "2020-02-02"},
    {"tempo": "fast"},
]


@pytest.fixture(scope="module")
def marked(scratch):
    """Four sounds with facts and tags of their own; ids in the order of adding."""
    ids = []
    for number, facts in enumerate(FACTS):
        fields = {
            "metadata": json.dumps({**facts, "case": "marked"}),
            "tags": "loud, live," if number % 2 else "live",
            "work_id": f"pair {number // 2}",
        }
        files = {"file": ("q", sound(number, 0.123))}
        response = scratch.post("/items", data=fields, files=files)
        assert response.status_code == 201, response.text
        ids.append(response.json()["id"])
    yield ids
    for item_id in ids:
        scratch.delete(f"/items/{item_id}")


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["tempo>=60"], [0, 1, 2]),
        (["tempo>60", "tempo<=120"], [1, 2]),
        (["made<=2020-02-01"], [0, 1]),
        (["made>2020-01-31", "tempo<100"], [1]),
        (["tag:loud"], [1, 3]),
        (["tag:loud", "tag:live", "made<2030-01-01"], [1]),
        (["created_at>=2020-01-01"], [0, 1, 2, 3]),
        (["created_at<2020-01-01"], []),
    ],
)
def test_items_and_searches_keep_exactly_what_a_filter_says(scratch, marked, texts, expected):
    texts = [*texts, "case:marked"]
    listed = scratch.get("/items", params={"filter": texts}).json()
    assert [item["id"] for item in listed["items"]] == [marked[n] for n in expected]
    assert listed["total"] == len(expected)
    files = {"file": ("q", sound(0, 0.5))}
    answer = scratch.post(
        "/search/audio-to-audio", files=files, params={"filter": texts, "k": 4, "space": "everyday"}
    ).json()
    found = {result["item"]["id"] for result in answer["results"]}
    assert found == {marked[n] for n in expected}


def test_tags_are_told(scratch, marked):
    assert scratch.get(f"/items/{marked[1]}").json()["tags"] == ["live", "loud"]
    assert scratch.get(f"/items/{marked[0]}").json()["tags"] == ["live"]


@pytest.mark.parametrize("tags", [",".join(map(str, range(65))), "x" * 101, "a\tb"])
def test_tags_that_nobody_can_use_are_refused(scratch, tags):
    files = {"file": ("q", sound(0, 0.77))}
    response = scratch.post("/items", data={"tags": tags}, files=files)
    assert response.status_code == 422
    assert response.json()["errors"][0]["location"] == "body.tags"


def test_a_bound_that_is_none_is_a_422_on_every_address(client):
    for response in (
        client.get("/items", params={"filter": "tempo>=fast"}),
        client.post(
            "/search/audio-to-audio",
            files={"file": ("q", sound(0))},
            params={"filter": "tempo>=fast"},
        ),
    ):
        assert response.status_code == 422
        assert "a number or a date" in response.json()["detail"]


def ask(client, **parameters):
    files = {"file": ("q", sound(1, 0.55))}
    response = client.post("/search/audio-to-audio", files=files, params=parameters)
    assert response.status_code == 200, response.text
    return response.json()


def pages(client, **parameters):
    answer = ask(client, **parameters)
    yield answer["results"]
    while answer["next"] is not None:
        answer = ask(client, cursor=answer["next"], **parameters)
        yield answer["results"]


@pytest.mark.parametrize("more", [{}, {"group_by": "work"}, {"filter": "label:c1"}])
def test_pages_by_cursor_are_the_whole_ranking(client, more):
    whole = ask(client, k=100, **more)["results"]
    together = [hit for page in pages(client, k=7, **more) for hit in page]
    assert together == whole
    assert [hit["rank"] for hit in together] == list(range(1, len(whole) + 1))


def test_each_work_is_shown_by_its_best_item(client):
    whole = ask(client, k=100)["results"]
    best: dict[str, str] = {}
    for hit in whole:
        best.setdefault(hit["item"]["work_id"], hit["item"]["id"])
    grouped = ask(client, k=100, group_by="work")["results"]
    assert [hit["item"]["id"] for hit in grouped] == list(best.values())
    assert ask(client, k=5, group_by="work")["results"] == grouped[:5]


def test_min_score_ends_the_pages(client):
    whole = ask(client, k=24)["results"]
    floor = whole[9]["score"]
    together = [hit for page in pages(client, k=4, min_score=floor) for hit in page]
    assert together == [hit for hit in whole if hit["score"] >= floor]


def test_a_page_stays_right_while_items_come_and_go(scratch):
    first = ask(scratch, k=4)
    expected = ask(scratch, k=12)["results"][4:]
    newcomer = scratch.post("/items", files={"file": ("q", sound(1, 0.55))}).json()
    gone = scratch.post("/items", files={"file": ("q", sound(1, 0.56))}).json()
    assert ask(scratch, k=1)["results"][0]["item"]["id"] == newcomer["id"]
    scratch.delete(f"/items/{gone['id']}")
    second = ask(scratch, k=8, cursor=first["next"])["results"]
    scratch.delete(f"/items/{newcomer['id']}")
    assert second == expected


def test_similar_goes_on_by_cursor_and_by_work(client):
    item = client.get("/items", params={"modality": "image"}).json()["items"][0]
    address = f"/items/{item['id']}/similar"
    whole = client.get(address, params={"target": "image", "k": 23}).json()["results"]
    first = client.get(address, params={"target": "image", "k": 9}).json()
    cursor = {"cursor": first["next"]}
    second = client.get(address, params={"target": "image", "k": 14, **cursor}).json()
    assert first["results"] + second["results"] == whole
    assert second["next"] is None


@pytest.mark.parametrize(
    "parameters",
    [
        {"cursor": "x"},
        {"cursor": "99999999.3f000000.1.1"},
        {"cursor": "1.3f000000.1.1", "offset": 2},
        {"group_by": "label"},
    ],
)
def test_pages_that_make_no_sense_are_refused(client, parameters):
    files = {"file": ("q", sound(1))}
    response = client.post("/search/audio-to-audio", files=files, params=parameters)
    assert response.status_code == 422
    assert response.json()["type"] == "urn:kyomei:error:invalid-request"


def test_a_list_goes_on_behind_its_last_item(scratch):
    first = scratch.get("/items", params={"limit": 100}).json()
    added = scratch.post("/items", files={"file": ("q", sound(1, 0.57))}).json()
    second = scratch.get("/items", params={"limit": 500, "cursor": first["next"]}).json()
    ids = [item["id"] for item in first["items"] + second["items"]]
    assert len(ids) == len(set(ids)) == first["total"] + 1
    assert ids[-1] == added["id"]
    assert second["next"] is None
    scratch.delete(f"/items/{added['id']}")
    refused = scratch.get("/items", params={"cursor": "x"})
    assert (refused.status_code, "cursor" in refused.json()["detail"]) == (422, True)
