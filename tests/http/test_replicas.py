"""Two servers on one PostgreSQL, one Milvus and one folder: each sees what the other does."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from models.errors import ArtefactError
from service.collection.lock import FolderLock
from service.engine import Engine
from tests.http.test_real_server import Server
from tests.service.small_media import picture, sound

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def milvus(tmp_path_factory):
    """Milvus Lite as a server of its own, which any number of processes may use."""
    folder = tmp_path_factory.mktemp("milvus")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "milvus_lite", "server", "--data-dir", str(folder / "data")]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--port", str(port)], stdout=log, stderr=subprocess.STDOUT
        )
    deadline = time.monotonic() + 60
    while True:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        assert process.poll() is None, (folder / "log").read_text()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(timeout=30)


@pytest.fixture(scope="module")
def place(milvus, postgresql, tmp_path_factory):
    """What all replicas share: the data folder and the environment."""
    return tmp_path_factory.mktemp("replicas") / "data", {
        "KYOMEI_DATABASE_URL": postgresql.new_catalog(),
        "KYOMEI_INDEX_BACKEND": "milvus",
        "KYOMEI_MILVUS_URI": milvus,
    }


@pytest.fixture(scope="module")
def replicas(world, place):
    data, environment = place
    with ThreadPoolExecutor(2) as pool:
        started = [pool.submit(Server, world, data, **environment) for _ in range(2)]
    servers = [future.result() for future in started]
    yield servers
    for server in servers:
        server.stop()


def add(server, data):
    return httpx.post(f"{server.url}/items", files={"file": ("x", data)}, timeout=60)


def found(server, data):
    answer = httpx.post(
        f"{server.url}/search/audio-to-audio", files={"file": ("q", data)}, timeout=60
    )
    assert answer.status_code == 200, answer.text
    return [result["item"]["id"] for result in answer.json()["results"]]


def test_what_one_replica_adds_the_other_finds_and_deletes(replicas):
    first, second = replicas
    data = sound(1, 0.4)
    added = add(first, data)
    assert added.status_code == 201, added.text
    item = added.json()
    assert found(second, data) == [item["id"]]
    assert add(second, data).status_code == 200
    assert httpx.get(second.url + item["media_url"]).content == data
    assert httpx.delete(f"{second.url}/items/{item['id']}").status_code == 204
    assert found(first, data) == []
    assert httpx.get(first.url + item["media_url"]).status_code == 404
    assert add(first, data).status_code == 201
    assert found(second, data) == [item["id"]]


def test_the_same_files_sent_to_both_at_once_become_one_item_each(replicas):
    files = [picture(label, place) for label in range(3) for place in range(2)]

    def send(number):
        return add(replicas[number % 2], files[number // 2])

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(send, range(2 * len(files))))
    assert {answer.status_code for answer in answers} == {200, 201}
    ids = [answer.json()["id"] for answer in answers]
    created = [answer.json()["id"] for answer in answers if answer.status_code == 201]
    assert sorted(created) == sorted(set(ids))
    for server in replicas:
        listed = httpx.get(f"{server.url}/items", params={"modality": "image"}).json()
        assert sorted(item["id"] for item in listed["items"]) == sorted(created)
        for item in listed["items"]:
            assert httpx.get(server.url + item["media_url"]).status_code == 200


def test_a_replica_that_was_killed_comes_back_and_the_other_went_on(replicas, world, place):
    data, environment = place
    first, second = replicas
    before = sound(3, 0.1)
    assert add(first, before).status_code == 201
    assert first.stop(by=signal.SIGKILL) == -signal.SIGKILL
    after = sound(4, 0.2)
    added = add(second, after)
    assert added.status_code == 201
    replicas[0] = Server(world, data, **environment)
    assert found(replicas[0], after)[0] == added.json()["id"]
    assert found(replicas[0], before) == found(second, before)


def test_who_does_not_share_is_told_so(replicas, world, place, monkeypatch):
    data, environment = place
    with pytest.raises(ArtefactError, match="open in another process"):
        FolderLock(data)
    settings = world.settings(data, database_url=environment["KYOMEI_DATABASE_URL"])
    with pytest.raises(ArtefactError, match="open in another process"):
        Engine.open(settings)
    assert os.environ.get("KYOMEI_DATABASE_URL") is None
