"""Whole songs over HTTP: cut into windows, found by them, shown and played from there."""

import contextlib
import io
import json
import shutil

import numpy as np
import pytest
import soundfile
from PIL import Image

from models.media.engraving import engrave_strip
from models.media.limits import MediaLimits
from tests.http.conftest import started
from tests.models.media.media_files import SCALE, musicxml

RATE_HZ = 16_000
UP = ("C4", "D4", "E4", "F4")
LEAPS = ("C4", "C5", "E4", "A5")
LOW = ("E4", "E4", "F4", "D4")
SONG = UP * 4 + LEAPS * 4 + LOW * 4  # three windows of four bars
OTHER = SCALE * 6
WORDS = "\n".join(
    f"{word} {word} {word}"
    for word in ["rain", "fire", "wald", "mer", "heart", "lamp", "stone", "bird"]
)


def _recording(pitches_hz, seconds_each=9.0):
    t = np.arange(round(RATE_HZ * seconds_each)) / RATE_HZ
    samples = np.concatenate([0.5 * np.sin(2 * np.pi * pitch * t) for pitch in pitches_hz])
    out = io.BytesIO()
    soundfile.write(out, samples.astype(np.float32), RATE_HZ, format="WAV")
    return out.getvalue()


@pytest.fixture(scope="module")
def spaces(world, tmp_path_factory):
    """The spaces of the tests; the extractors of ``songs`` say that they take windows."""
    folder = tmp_path_factory.mktemp("windows") / "spaces"
    shutil.copytree(world.spaces, folder)
    path = folder / "songs" / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    names = [view["name"] for view in manifest["views"]]
    manifest["extractor_parameters"] = {name: {"windows": 1} for name in names}
    path.write_text(json.dumps(manifest), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def client(world, spaces, tmp_path_factory):
    data = tmp_path_factory.mktemp("songs") / "data"
    with started(world.settings(data, spaces=(spaces,))) as running:
        yield running


def _add(client, data, modality, **fields):
    response = client.post(
        "/items", files={"file": ("song", data)}, data={"modality": modality, **fields}
    )
    assert response.status_code in (200, 201), response.text
    return response.json()


@pytest.fixture(scope="module")
def songs(client):
    return {
        "song": _add(client, musicxml(SONG), "score", title="The song"),
        "other": _add(client, musicxml(OTHER), "score", title="Another"),
        "short": _add(client, musicxml(LEAPS), "score", title="Short"),
        "sound": _add(client, _recording((220, 440, 880)), "audio", title="Tones"),
        "words": _add(client, WORDS.encode(), "lyrics", title="Words"),
    }


def _search(client, pair, data, **parameters):
    response = client.post(
        f"/search/{pair}", files={"file": ("q", data)}, params={"space": "songs", **parameters}
    )
    assert response.status_code == 200, response.text
    return response.json()


@pytest.mark.parametrize("window", [0, 1, 2])
def test_four_bars_find_their_song_once_and_their_place_in_it(client, songs, window):
    query = musicxml(SONG[16 * window : 16 * window + 16])
    answer = _search(client, "score-to-score", query)
    ids = [result["item"]["id"] for result in answer["results"]]
    assert len(set(ids)) == len(ids)
    best = answer["results"][0]
    assert best["item"]["id"] == songs["song"]["id"]
    assert best["score"] == pytest.approx(answer["query"]["typicality"], abs=1e-4)
    excerpt = best["excerpt"]
    assert (excerpt["first_bar"], excerpt["last_bar"]) == (4 * window + 1, 4 * window + 4)
    assert (excerpt["start_seconds"], excerpt["end_seconds"]) == (8 * window, 8 * window + 8)
    assert excerpt["position"] == window + 1
    assert best["query_excerpt"] is None


def test_the_best_part_of_a_long_query_counts_and_is_named(client, songs):
    """Against asking with each of its windows alone."""
    parts = [OTHER[:16], SONG[16:32], LOW * 4]
    alone = [_search(client, "score-to-score", musicxml(part))["results"] for part in parts]
    together = _search(client, "score-to-score", musicxml(sum(parts, ())))["results"]
    assert len(together) == 3
    for result in together:
        scores = [
            next(r["score"] for r in answer if r["item"]["id"] == result["item"]["id"])
            for answer in alone
        ]
        assert result["score"] == pytest.approx(max(scores), abs=1e-5)
        named = result["query_excerpt"]["first_bar"] // 4
        assert scores[named] == pytest.approx(max(scores), abs=1e-5)
    order = [result["score"] for result in together]
    assert order == sorted(order, reverse=True)


def test_the_preview_of_an_excerpt_shows_its_bars(client, songs):
    excerpt = _search(client, "score-to-score", musicxml(SONG[16:32]))["results"][0]["excerpt"]
    shown = client.get(excerpt["preview_url"])
    assert shown.headers["content-type"] == "image/png"
    whole = client.get(songs["song"]["preview_url"])
    assert shown.content != whole.content
    strip = engrave_strip(musicxml(SONG[16:32]), MediaLimits())
    picture = np.asarray(Image.open(io.BytesIO(shown.content)).convert("L"))
    ratio = picture.shape[1] / picture.shape[0]
    assert ratio == pytest.approx(strip.shape[1] / strip.shape[0], rel=0.1)


def test_an_excerpt_that_is_not_there_is_named(client, songs):
    response = client.get(songs["song"]["preview_url"], params={"excerpt": 4})
    assert response.status_code == 404
    assert response.json()["type"] == "urn:kyomei:error:unknown-excerpt"
    assert client.get(songs["song"]["preview_url"], params={"excerpt": 0}).status_code == 422


def test_a_recording_is_played_from_where_it_matched(client, songs):
    answer = _search(client, "audio-to-audio", _recording((440,)))
    best = next(r for r in answer["results"] if r["item"]["id"] == songs["sound"]["id"])
    excerpt = best["excerpt"]
    assert (excerpt["start_seconds"], excerpt["end_seconds"]) == (9.0, 18.0)
    assert excerpt["media_url"] == f"{songs['sound']['media_url']}#t=9,18"
    assert client.get(excerpt["preview_url"]).headers["content-type"] == "image/png"


def test_lines_of_a_lyric_name_their_lines(client, songs):
    query = "\n".join(WORDS.split("\n")[4:])
    answer = _search(client, "lyrics-to-lyrics", query.encode())
    excerpt = answer["results"][0]["excerpt"]
    assert (excerpt["first_line"], excerpt["last_line"]) == (5, 8)
    assert client.get(excerpt["preview_url"]).text == query


def test_what_is_one_window_lies_there_whole(client, songs):
    answer = _search(client, "score-to-score", musicxml(LEAPS))
    short = next(r for r in answer["results"] if r["item"]["id"] == songs["short"]["id"])
    assert short["excerpt"] is None


def test_the_everyday_space_does_not_cut(client, songs):
    response = client.post(
        "/search/audio-to-audio",
        files={"file": ("q", _recording((440,)))},
        params={"space": "everyday"},
    )
    assert [r["excerpt"] for r in response.json()["results"]] == [None]


def test_a_stored_song_finds_its_neighbours_by_its_best_part(client, songs):
    answer = client.get(
        f"/items/{songs['song']['id']}/similar",
        params={"target": "score", "space": "songs", "include_self": True},
    ).json()
    assert answer["results"][0]["item"]["id"] == songs["song"]["id"]
    others = client.get(
        f"/items/{songs['song']['id']}/similar", params={"target": "score", "space": "songs"}
    ).json()
    assert songs["song"]["id"] not in [r["item"]["id"] for r in others["results"]]


def test_spaces_count_songs_and_indexes_count_windows(client, songs):
    songs_space = next(s for s in client.get("/spaces").json() if s["name"] == "songs")
    score = next(view for view in songs_space["views"] if view["modality"] == "score")
    assert (score["items"], score["index"]["vectors"]) == (3, 3 + 3 + 1)


def test_a_deleted_song_leaves_nothing(world, spaces, tmp_path):
    with contextlib.ExitStack() as stack:
        client = stack.enter_context(started(world.settings(tmp_path, spaces=(spaces,))))
        item = _add(client, musicxml(SONG), "score")
        excerpt = _search(client, "score-to-score", musicxml(SONG[:16]))["results"][0]["excerpt"]
        assert client.get(excerpt["preview_url"]).status_code == 200
        assert client.delete(f"/items/{item['id']}").status_code == 204
        assert _search(client, "score-to-score", musicxml(SONG[:16]))["results"] == []
        assert client.get(excerpt["preview_url"]).status_code == 404
    left = [path.name for path in tmp_path.rglob("*") if item["id"] in path.name]
    assert left == []
