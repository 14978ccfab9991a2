"""The CPU container with the demo collection, asked over HTTP like any other server.

Build it first: docker build -f docker/Dockerfile --target cpu -t kyomei:cpu .
"""

import json
import shutil
import socket
import subprocess
import time

import httpx
import pytest

IMAGE = "kyomei:cpu"


def _docker(*arguments):
    run = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    return run.stdout.strip() if run.returncode == 0 else None


def _image_is_there():
    return shutil.which("docker") is not None and bool(_docker("image", "inspect", IMAGE))


pytestmark = [
    pytest.mark.docker,
    pytest.mark.slow,
    pytest.mark.skipif(not _image_is_there(), reason=f"no Docker engine with an image {IMAGE}"),
]


@pytest.fixture(scope="module")
def container():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    name = _docker(
        "run", "--detach", "--rm", "--network", "host", "--env", f"KYOMEI_PORT={port}", IMAGE
    )
    assert name
    yield name, f"http://127.0.0.1:{port}"
    _docker("rm", "--force", name)


@pytest.fixture(scope="module")
def client(container):
    name, url = container
    deadline = time.monotonic() + 600
    while _docker("inspect", "--format", "{{.State.Health.Status}}", name) != "healthy":
        assert time.monotonic() < deadline, _docker("logs", "--tail", "20", name)
        time.sleep(2)
    with httpx.Client(base_url=url, timeout=60) as running:
        yield running


def test_the_process_is_not_root(container):
    assert _docker("exec", container[0], "id", "-u") == "10001"


def test_the_demo_collection_holds_all_five_modalities(client):
    assert client.get("/items").json()["total"] >= 300
    for modality in ("audio", "image", "video", "lyrics", "score"):
        assert client.get("/items", params={"modality": modality}).json()["total"] > 0


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("audio", "video"),
        ("image", "audio"),
        ("video", "image"),
        ("lyrics", "score"),
        ("score", "audio"),
    ],
)
def test_every_modality_is_a_query_and_a_stored_file_finds_itself(client, source, target):
    item = client.get("/items", params={"modality": source, "limit": 1}).json()["items"][0]
    media = client.get(item["media_url"]).content
    for wanted in (target, source):
        answer = client.post(f"/search/{source}-to-{wanted}", files={"file": ("query", media)})
        assert answer.status_code == 200, answer.text
        results = answer.json()["results"]
        assert len(results) == 10
        assert {result["item"]["modality"] for result in results} == {wanted}
    first = client.get(
        f"/items/{item['id']}/similar", params={"target": source, "include_self": True}
    )
    assert first.json()["results"][0]["item"]["id"] == item["id"]


def test_a_bad_file_is_a_clear_problem(client):
    answer = client.post("/search/audio-to-video", files={"file": ("x.wav", b"RIFF....WAVEbroken")})
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert json.loads(answer.text)["detail"]
