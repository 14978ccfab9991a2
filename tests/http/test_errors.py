"""Every failure is a problem answer with a stable type, and leaves nothing behind."""

import errno
import json
import tempfile
from concurrent.futures import ThreadPoolExecutor

import pytest

from service.errors import PROBLEM_MEDIA_TYPE, PROBLEMS, TYPE_PREFIX
from tests.service.small_media import film, lyric, picture, score, sound


def problem(response, name):
    """Assert that a response is this problem, and return its detail."""
    body = response.json()
    assert response.headers["content-type"] == PROBLEM_MEDIA_TYPE, response.text
    assert body["type"] == TYPE_PREFIX + name, body
    assert response.status_code == body["status"] == PROBLEMS[name].status
    assert body["title"] == PROBLEMS[name].title
    assert response.headers["x-content-type-options"] == "nosniff"
    return body["detail"]


def post(client, data, pair="audio-to-video", **parameters):
    return client.post(f"/search/{pair}", files={"file": ("x.wav", data)}, params=parameters)


MEDIA_FAILURES = [
    ("empty", "audio", b""),
    ("damaged", "audio", sound(0)[:60]),
    ("damaged", "video", film(0)[:700]),
    ("damaged", "image", picture(0)[:80]),
    ("mislabelled", "audio", picture(0)),
    ("mislabelled", "image", sound(0)),
    ("mislabelled", "video", lyric(0)),
    ("unsupported", "audio", b"\x7fELF" + bytes(500)),
    ("unsupported", "video", b"\x00\x01\x02\x03" * 100),
]


@pytest.mark.parametrize(("name", "source", "data"), MEDIA_FAILURES)
def test_files_that_are_not_such_media_are_refused(client, name, source, data):
    target = "image" if source != "image" else "video"
    detail = problem(post(client, data, f"{source}-to-{target}"), name)
    assert PROBLEMS[name].advice in detail


@pytest.mark.parametrize(("name", "source", "data"), MEDIA_FAILURES)
def test_such_files_do_not_become_items(client, name, source, data):
    before = client.get("/items").json()["total"]
    fields = {"modality": source}
    problem(client.post("/items", files={"file": ("x", data)}, data=fields), name)
    assert client.get("/items").json()["total"] == before


def test_an_item_of_unknown_content_is_refused(client):
    problem(client.post("/items", files={"file": ("x", b"\x7fELF" + bytes(99))}), "unsupported")


@pytest.mark.parametrize(
    ("change", "data", "pair"),
    [
        ({"max_seconds": 0.5}, sound(0), "audio-to-video"),
        ({"max_seconds": 0.5}, film(0), "video-to-audio"),
        ({"max_pixels": 1000}, picture(0), "image-to-video"),
        ({"max_characters": 10}, lyric(0), "lyrics-to-audio"),
    ],
    ids=["sound", "film", "picture", "lyric"],
)
def test_media_over_a_limit_are_refused(start, change, data, pair):
    problem(post(start(**change), data, pair), "too-large")


def test_a_file_one_byte_over_the_limit_is_refused_and_at_the_limit_read(start):
    data = sound(0)
    client = start(max_upload_bytes=len(data))
    assert post(client, data).status_code == 200
    assert str(len(data)) in problem(post(client, data + b"\0"), "too-large")


def test_text_over_the_byte_limit_is_refused(start):
    client = start(max_upload_bytes=100)
    response = client.post("/search/lyrics-to-audio", data={"text": "la " * 100})
    problem(response, "too-large")


def test_a_body_that_declares_too_much_is_refused_unread(start):
    client = start(max_upload_bytes=1000)
    problem(post(client, bytes(200_000)), "too-large")
    problem(client.post("/nowhere", content=bytes(200_000)), "too-large")


def test_a_chunked_body_is_cut_off_at_the_limit(start):
    client = start(max_upload_bytes=1000)
    sent = []

    def chunks():
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'
        for _ in range(100):
            sent.append(1)
            yield bytes(10_000)

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    response = client.post("/search/audio-to-video", content=chunks(), headers=headers)
    problem(response, "too-large")


@pytest.mark.parametrize(
    ("parameters", "where"),
    [
        ({"k": 0}, "query.k"),
        ({"k": 101}, "query.k"),
        ({"k": "many"}, "query.k"),
        ({"offset": -1}, "query.offset"),
        ({"min_score": 2}, "query.min_score"),
        ({"min_score": "nan"}, "query.min_score"),
    ],
)
def test_parameters_out_of_range_are_named(client, parameters, where):
    response = post(client, sound(0), **parameters)
    detail = problem(response, "invalid-request")
    assert where in detail
    assert [entry["location"] for entry in response.json()["errors"]] == [where]


@pytest.mark.parametrize("text", ["label", ":dog", ""])
def test_a_filter_without_key_and_value_is_refused(client, text):
    problem(post(client, sound(0), filter=text), "invalid-request")


def test_a_filter_key_given_twice_is_refused(client):
    problem(post(client, sound(0), filter=["label:a", "label:b"]), "invalid-request")


def test_a_request_without_a_file_is_refused(client):
    problem(client.post("/search/audio-to-video"), "invalid-request")
    problem(client.post("/search/lyrics-to-audio"), "invalid-request")
    problem(client.post("/items"), "invalid-request")


def test_a_file_and_a_text_together_are_refused(client):
    response = client.post(
        "/search/lyrics-to-audio", files={"file": ("x", lyric(0))}, data={"text": "la"}
    )
    assert "both" in problem(response, "invalid-request")


def test_text_of_spaces_only_is_empty(client):
    problem(client.post("/search/lyrics-to-audio", data={"text": " \n "}), "empty")


@pytest.mark.parametrize(
    "fields",
    [
        {"metadata": "not json"},
        {"metadata": "[1]"},
        {"metadata": '{"a": {"b": 1}}'},
        {"metadata": '{"a": NaN}'},
        {"metadata": json.dumps({str(i): i for i in range(65)})},
        {"modality": "smell"},
        {"title": "x" * 501},
    ],
    ids=["no-json", "no-object", "nested", "nan", "too-many", "modality", "title"],
)
def test_wrong_fields_of_an_item_are_refused(client, fields):
    response = client.post("/items", files={"file": ("x", sound(0, 0.9))}, data=fields)
    problem(response, "invalid-request")


def test_a_malformed_form_is_refused(client):
    headers = {"Content-Type": "multipart/form-data"}
    response = client.post("/search/audio-to-video", content=b"x", headers=headers)
    problem(response, "bad-request")


def test_an_unknown_space_is_refused_with_the_names_that_would_do(client):
    assert "everyday" in problem(post(client, sound(0), space="no such"), "unknown-space")
    assert "everyday" in problem(post(client, sound(0), space="songs"), "unknown-space")


@pytest.mark.parametrize("pair", ["audio-to-smell", "image-to-lyrics", "x", "audio-to-"])
def test_a_pair_that_no_space_covers_is_refused_with_the_pairs_that_are(client, pair):
    assert "audio-to-video" in problem(post(client, sound(0), pair), "unknown-pair")


HOSTILE_IDS = [
    "x",
    "0" * 20,
    "0" * 5000,
    "%00",
    "...",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "' OR 1=1",
]


@pytest.mark.parametrize("item_id", HOSTILE_IDS)
@pytest.mark.parametrize("rest", ["", "/media", "/preview", "/similar?target=audio"])
def test_unknown_and_hostile_ids_are_not_found(client, item_id, rest):
    response = client.get(f"/items/{item_id}{rest}")
    assert response.status_code == 404
    assert response.headers["content-type"] == PROBLEM_MEDIA_TYPE


def test_files_of_the_server_cannot_be_reached_through_the_page(client):
    for path in ("/web/../settings.py", "/web/%2e%2e/settings.py", "/docs-static/%2e%2e/core.py"):
        assert client.get(path).status_code == 404


def test_addresses_and_methods_that_are_not_served_are_problems(client):
    problem(client.get("/nowhere"), "not-found")
    response = client.get("/search/audio-to-video")
    problem(response, "method-not-allowed")
    assert response.headers["allow"] == "POST"
    problem(client.put("/items"), "method-not-allowed")


def test_a_foreign_host_name_is_refused(start):
    client = start(allowed_hosts=("localhost", "testserver", "[::1]"))
    assert client.get("/health/live", headers={"Host": "LOCALHOST:8000"}).status_code == 200
    assert client.get("/health/live", headers={"Host": "[::1]:8000"}).status_code == 200
    problem(client.get("/health/live", headers={"Host": "evil.example"}), "untrusted-host")


def test_a_page_of_another_site_cannot_change_the_collection(client):
    headers = {"Sec-Fetch-Site": "cross-site"}
    files = {"file": ("x", sound(0, 0.9))}
    problem(client.post("/items", files=files, headers=headers), "cross-site")
    assert client.get("/items", headers=headers).status_code == 200


def test_a_full_disk_while_storing_is_507_and_stores_nothing(start, monkeypatch):
    client = start()

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("service.collection.media_files.MediaFiles.stage", full)
    response = client.post("/items", files={"file": ("x", sound(0, 0.9))})
    problem(response, "disk-full")
    assert client.get("/items").json()["total"] == 144


def test_a_full_disk_while_receiving_is_507(start, monkeypatch):
    client = start()

    class FullFile(tempfile.SpooledTemporaryFile[bytes]):
        def write(self, *_):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("starlette.formparsers.SpooledTemporaryFile", FullFile)
    problem(post(client, sound(0)), "disk-full")


def test_an_unexpected_error_is_500_without_the_stack_trace(start, monkeypatch):
    client = start()

    def broken(*_, **__):
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("service.embedder.Embedder.features", broken)
    response = post(client, sound(0))
    assert "secret" not in response.text
    assert response.json()["type"] == TYPE_PREFIX + "internal"
    assert response.status_code == 500


def test_busy_workers_are_503_with_a_time_to_wait(start):
    client = start(queue_seconds=0.05)
    with client.app.state.engines["default"].embedder.slot():
        response = post(client, sound(0))
    problem(response, "busy")
    assert int(response.headers["retry-after"]) > 0
    assert post(client, sound(0)).status_code == 200


def test_health_answers_while_every_thread_waits_for_a_worker(start):
    client = start()
    with ThreadPoolExecutor(60) as pool:
        with client.app.state.engines["default"].embedder.slot():
            waiting = [pool.submit(post, client, sound(0)) for _ in range(60)]
            for address in ("/health/live", "/health/ready"):
                assert client.get(address).status_code == 200
            assert not any(future.done() for future in waiting)
        assert {future.result().status_code for future in waiting} == {200}


def test_decoding_that_takes_too_long_is_refused(start):
    client = start(decode_timeout_seconds=0.001)
    detail = problem(post(client, score(0, 200), "score-to-lyrics"), "timeout")
    assert "KYOMEI_DECODE_TIMEOUT_SECONDS" in detail


def test_large_uploads_leave_no_temporary_file(start):
    client = start()
    uploads = client.app.state.engines["default"].settings.uploads_folder
    large = sound(0)[:-2] + bytes(3 * 2**20)
    post(client, large)
    post(client, b"\x7fELF" + large)
    client.post("/items", files={"file": ("x", b"\x7fELF" + large)})
    assert uploads.is_dir()
    assert list(uploads.iterdir()) == []


def test_uploads_of_a_killed_server_are_removed_at_start(start, tmp_path):
    left = tmp_path / "data" / "uploads" / "tmpabc"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    start()
    assert not left.exists()


@pytest.mark.parametrize("address", ["/search/lyrics-to-audio", "/items"])
@pytest.mark.parametrize("form", ["multipart", "urlencoded"])
def test_a_form_field_over_a_mebibyte_is_too_large(client, address, form):
    text = "la " * 400_000
    sent = {"files": {"text": (None, text)}} if form == "multipart" else {"data": {"text": text}}
    detail = problem(client.post(address, **sent), "too-large")
    assert "file" in detail


@pytest.mark.parametrize(
    "key", ["", "a\nb", "\x00", "a\x7f", "\x85", "label", "title", "work_id", "modality"]
)
def test_a_metadata_key_that_no_filter_could_name_is_refused(client, key):
    fields = {"metadata": json.dumps({"tempo": 90, key: "x"})}
    response = client.post("/items", files={"file": ("x", sound(0, 0.9))}, data=fields)
    assert "metadata" in problem(response, "invalid-request")


@pytest.mark.parametrize("address", ["/search/audio-to-video", "/search/lyrics-to-audio", "/items"])
def test_plain_text_in_place_of_a_file_says_how_to_send_one(client, address):
    detail = problem(client.post(address, data={"file": "@rain.wav"}), "invalid-request")
    assert "file upload" in detail
    assert "-F file=@NAME" in detail
    assert "UploadFile" not in detail


def test_similar_for_a_pair_that_no_space_covers_names_the_pairs_that_are(client):
    item = client.get("/items", params={"modality": "image"}).json()["items"][0]
    response = client.get(f"/items/{item['id']}/similar", params={"target": "lyrics"})
    detail = problem(response, "unknown-space")
    assert "image-to-video" in detail
    assert "one of none" not in detail
