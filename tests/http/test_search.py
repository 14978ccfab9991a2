"""``POST /search/{source}-to-{target}`` on every pair, from upload to answer."""

import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soundfile

from tests.service.small_media import N_CLASSES, abc_tune, film, lyric, musicxml, sound
from tests.service.small_world import SPACE_VIEWS

PAIRS = [
    (part, source, target)
    for part, views in SPACE_VIEWS.items()
    for source in views
    for target in views
]


def ask(client, source, target, data, **parameters):
    response = client.post(
        f"/search/{source}-to-{target}", files={"file": ("query", data)}, params=parameters
    )
    assert response.status_code == 200, response.text
    return response.json()


def ids(answer):
    return [result["item"]["id"] for result in answer["results"]]


@pytest.mark.parametrize(("part", "source", "target"), PAIRS)
def test_every_pair_answers_with_items_of_the_target_and_mostly_of_the_class(
    client, world, part, source, target
):
    right = 0
    for label in range(N_CLASSES):
        data = world.file(part, source, label, 1).read_bytes()
        answer = ask(client, source, target, data, space=part, k=4)
        assert {r["item"]["modality"] for r in answer["results"]} == {target}
        right += answer["results"][0]["item"]["label"] == f"c{label}"
    assert right >= N_CLASSES - 1


@pytest.mark.parametrize(
    ("part", "modality"), [(p, m) for p, views in SPACE_VIEWS.items() for m in views]
)
def test_every_item_finds_itself_first_in_its_own_modality(client, world, part, modality):
    for path in sorted((world.media / part / modality).rglob("*.*")):
        answer = ask(client, modality, modality, path.read_bytes(), space=part, k=1)
        best = answer["results"][0]
        assert best["item"]["sha256"] == answer["query"]["sha256"]
        assert best["score"] == pytest.approx(1.0, abs=1e-5)


def test_the_answer_has_the_documented_shape(client, world):
    data = world.file("everyday", "audio", 2).read_bytes()
    answer = ask(client, "audio", "video", data, k=2)
    assert set(answer) == {"query", "space", "took_ms", "results", "next"}
    assert answer["space"] == "everyday"
    assert set(answer["took_ms"]) == {"decode", "features", "project", "search", "total"}
    assert answer["took_ms"]["total"] >= answer["took_ms"]["features"] > 0
    query = answer["query"]
    assert (query["modality"], query["media_type"], query["bytes"]) == (
        "audio",
        "audio/wav",
        len(data),
    )
    assert query["duration_seconds"] == 1.0
    assert (query["typicality"], query["note"]) == (1.0, None)
    first = answer["results"][0]
    assert set(first) == {"rank", "score", "item", "excerpt", "query_excerpt"}
    assert (first["excerpt"], first["query_excerpt"]) == (None, None)
    assert [result["rank"] for result in answer["results"]] == [1, 2]
    item = first["item"]
    assert item["media_url"] == f"/items/{item['id']}/media"
    assert item["preview_url"] == f"/items/{item['id']}/preview"
    assert item["work_id"].startswith("everyday/c2/")
    assert item["metadata"]["duration_seconds"] == 1.0


def test_scores_fall_from_best_to_worst(client, world):
    answer = ask(client, "image", "video", world.file("everyday", "image", 0).read_bytes(), k=24)
    scores = [result["score"] for result in answer["results"]]
    assert len(scores) == 24
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("parameters", [{}, {"filter": "label:c1"}, {"min_score": 0.2}])
def test_the_first_k_answers_are_the_start_of_the_first_k_plus_m(client, world, parameters):
    data = world.file("everyday", "audio", 1).read_bytes()
    long = ask(client, "audio", "image", data, k=20, **parameters)["results"]
    for k in (1, 3, 7):
        assert ask(client, "audio", "image", data, k=k, **parameters)["results"] == long[:k]


def test_offset_pages_through_the_same_ranking(client, world):
    data = world.file("everyday", "audio", 1).read_bytes()
    whole = ask(client, "audio", "image", data, k=9)["results"]
    pages = [ask(client, "audio", "image", data, k=3, offset=o)["results"] for o in (0, 3, 6)]
    assert [result for page in pages for result in page] == whole


def test_the_same_bytes_give_the_same_scores_twice(client, world):
    data = world.file("songs", "score", 3).read_bytes()
    first, second = (ask(client, "score", "lyrics", data, k=24) for _ in range(2))
    assert first["results"] == second["results"]


def test_concurrent_requests_get_the_answers_of_single_ones(client, world):
    queries = [world.file("everyday", "audio", label, 2).read_bytes() for label in range(6)] * 3
    alone = [ask(client, "audio", "video", data)["results"] for data in queries[:6]] * 3
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda data: ask(client, "audio", "video", data), queries))
    assert [answer["results"] for answer in together] == alone


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["label:c4"], {"c4"}),
        (["work_id:everyday/c3/2"], {"c3"}),
        (["label:c4", "work_id:everyday/c3/2"], set()),
        (["path:everyday/image/c5/0.png"], {"c5"}),
        (["width:96"], {f"c{label}" for label in range(6)}),
        (["width:97"], set()),
    ],
)
def test_a_filter_keeps_exactly_the_items_that_pass(client, world, texts, expected):
    data = world.file("everyday", "audio", 0).read_bytes()
    answer = ask(client, "audio", "image", data, k=24, filter=texts)
    assert {result["item"]["label"] for result in answer["results"]} == expected


def test_a_filter_that_keeps_one_item_returns_exactly_that_item(client, world):
    data = world.file("everyday", "audio", 0).read_bytes()
    answer = ask(client, "audio", "video", data, k=10, filter="work_id:everyday/c5/3")
    assert [r["item"]["work_id"] for r in answer["results"]] == ["everyday/c5/3"]


def test_min_score_leaves_out_what_scores_lower(client, world):
    data = world.file("everyday", "audio", 0).read_bytes()
    whole = ask(client, "audio", "image", data, k=24)["results"]
    floor = whole[5]["score"]
    kept = ask(client, "audio", "image", data, k=24, min_score=floor)["results"]
    assert kept == [result for result in whole if result["score"] >= floor]
    assert 6 <= len(kept) < 24


def test_a_query_far_from_all_training_data_scores_low_and_says_so(client):
    noise = np.random.default_rng(0).uniform(-1, 1, 16_000).astype(np.float32)
    out = io.BytesIO()
    soundfile.write(out, noise, 16_000, format="WAV")
    answer = ask(client, "audio", "video", out.getvalue())
    assert answer["query"]["typicality"] < 0.5
    assert answer["query"]["note"].startswith("far from what this space was trained on")
    assert answer["results"][0]["score"] < 0.5
    assert ask(client, "audio", "video", out.getvalue(), min_score=0.5)["results"] == []


def test_the_score_is_the_cosine_times_the_typicality(client, world):
    """The engine's own embedding, found again from what the answer says."""
    answer = ask(client, "audio", "audio", sound(1, 0.5), space="everyday", k=24)
    engine = client.app.state.engines["default"]
    media = engine.embedder.decode(sound(1, 0.5), "audio")
    row = engine.embedder.features(media, "everyday", "audio")
    placed = engine.embedder.project(row, "everyday", "audio")
    for result in answer["results"]:
        item = engine.collection.get(result["item"]["id"])
        stored = engine.collection.embedding(item, "everyday").vector.astype(np.float64)
        expected = float(stored @ placed.vector.astype(np.float64)) * placed.typicality
        assert result["score"] == pytest.approx(expected, abs=1e-6)


def test_a_video_is_accepted_as_a_sound(client):
    answer = ask(client, "audio", "image", film(3, 1))
    assert (answer["query"]["modality"], answer["query"]["media_type"]) == ("audio", "video/mp4")
    assert answer["query"]["duration_seconds"] == pytest.approx(1.0, abs=0.1)


def test_a_lyric_may_be_typed_or_sent_as_a_file(client):
    text = lyric(2, 1).decode()
    typed = client.post("/search/lyrics-to-score", data={"text": text})
    assert typed.status_code == 200, typed.text
    sent = ask(client, "lyrics", "score", text.encode())
    assert typed.json()["results"] == sent["results"]
    assert typed.json()["query"]["lines"] == text.count("\n")


def test_musicxml_and_abc_and_a_picture_of_a_page_are_scores(client):
    assert ask(client, "score", "lyrics", musicxml())["query"]["pages"] == 1
    assert ask(client, "score", "lyrics", abc_tune())["query"]["media_type"] == "text/vnd.abc"
    page = client.get(
        client.get("/items", params={"modality": "score"}).json()["items"][0]["preview_url"]
    )
    answer = ask(client, "score", "audio", page.content)
    assert answer["query"]["media_type"] == "image/png"


def test_the_named_space_answers_and_the_first_that_fits_otherwise(client, world):
    data = world.file("songs", "audio", 0).read_bytes()
    assert ask(client, "audio", "audio", data)["space"] == "everyday"
    answer = ask(client, "audio", "audio", data, space="songs")
    assert answer["space"] == "songs"
    assert {r["item"]["work_id"].split("/")[0] for r in answer["results"]} == {"songs"}
