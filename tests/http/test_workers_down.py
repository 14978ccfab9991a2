"""Decoding processes that die or cannot start: the rest answers, and health says so."""

import multiprocessing
import sys
from multiprocessing import spawn

import pytest

from tests.http.test_errors import problem
from tests.service.small_media import picture, sound


def _kill_workers():
    children = multiprocessing.active_children()
    assert children
    for child in children:
        child.kill()
        child.join()


@pytest.fixture
def no_worker_starts():
    """A Python for new processes that ends at once; the right one comes back afterwards."""
    spawn.set_executable("/bin/false")
    yield
    spawn.set_executable(sys.executable)


def _ask(client, data=None):
    return client.post(
        "/search/audio-to-video", files={"file": ("query.wav", data or sound(1))}, params={"k": 3}
    )


def test_killed_workers_are_replaced_and_no_request_fails(start):
    client = start()
    before = _ask(client).json()["results"]
    for _ in range(3):
        _kill_workers()
        answer = _ask(client)
        assert answer.status_code == 200, answer.text
        assert answer.json()["results"] == before
    assert client.get("/health/ready").json()["status"] == "ok"


def test_without_decoders_stored_items_still_answer_and_health_says_degraded(
    start, no_worker_starts
):
    client = start_while_workers_start(start)
    item = client.get("/items", params={"modality": "audio", "limit": 1}).json()["items"][0]
    _kill_workers()
    refused = _ask(client)
    assert "do not start" in problem(refused, "decoders-down")
    degraded = client.get("/health/ready")
    assert degraded.status_code == 200
    assert degraded.json()["status"] == "degraded"
    assert "decod" in degraded.json()["reason"]
    assert client.get("/health/live").json()["status"] == "ok"
    similar = client.get(f"/items/{item['id']}/similar", params={"target": "video"})
    assert similar.status_code == 200
    assert similar.json()["results"]
    assert client.get(item["media_url"]).status_code == 200
    assert client.post("/items", files={"file": ("x.png", picture(2))}).status_code == 503
    spawn.set_executable(sys.executable)
    assert _ask(client).status_code == 200
    assert client.get("/health/ready").json()["status"] == "ok"


def start_while_workers_start(start):
    """The application with its first workers; later ones meet ``no_worker_starts``."""
    spawn.set_executable(sys.executable)
    client = start()
    spawn.set_executable("/bin/false")
    return client
