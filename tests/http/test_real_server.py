"""``kyomei serve`` in a process of its own, talked to over TCP with httpx."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.http.test_errors import problem
from tests.service.small_media import picture, sound

ROOT = Path(__file__).parents[2]
LIMIT_BYTES = 300_000


class Server:
    """A running service; ``url`` is its address and ``process`` its process."""

    def __init__(self, world, data, **environment):
        settings = {
            "KYOMEI_DATA": str(data),
            "KYOMEI_SPACES": str(world.spaces),
            "KYOMEI_INDEX_DEVICE": "cpu",
            "KYOMEI_DECODE_WORKERS": "1",
            "KYOMEI_MAX_UPLOAD_BYTES": str(LIMIT_BYTES),
            "KYOMEI_LOG_LEVEL": "warning",
            "PYTHONUNBUFFERED": "1",
        }
        self.process = subprocess.Popen(
            [sys.executable, "kyomei.py", "serve", "--port", "0"],
            cwd=ROOT,
            env={**os.environ, **settings, **environment},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self._stdout = self.process.stdout
        self.said = [self._stdout.readline() for _ in range(3)]
        self.url = self.said[-1].partition("API:")[2].strip().removesuffix("/docs")
        try:
            self._wait()
        except BaseException:
            self.stop(by=signal.SIGKILL)
            raise

    def _wait(self):
        deadline = time.monotonic() + 60
        while self.process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{self.url}/health/ready").status_code == 200:
                    return
            time.sleep(0.05)
        raise AssertionError(f"not ready, exit code {self.process.poll()}")

    def stop(self, by=signal.SIGTERM):
        self.process.send_signal(by)
        self._stdout.close()
        return self.process.wait(timeout=30)


@pytest.fixture(scope="module")
def server(world, indexed, tmp_path_factory):
    data = shutil.copytree(indexed, tmp_path_factory.mktemp("real") / "data")
    running = Server(world, data)
    yield running
    running.stop()


@pytest.fixture
def http(server):
    with httpx.Client(base_url=server.url, timeout=60) as client:
        yield client


def search(http, data, **parameters):
    response = http.post("/search/audio-to-video", files={"file": ("q", data)}, params=parameters)
    assert response.status_code == 200, response.text
    return response.json()


def test_it_says_where_it_listens(server):
    assert server.said[0] == "144 items, spaces: everyday, songs\n"
    assert server.said[1] == f"  page: {server.url}/\n"
    assert server.said[2] == f"  API:  {server.url}/docs\n"


def test_another_process_gives_the_same_bits(http, client, world):
    data = world.file("everyday", "audio", 3, 1).read_bytes()
    here = client.post("/search/audio-to-video", files={"file": ("q", data)}).json()
    there = search(http, data)
    without_times = [
        [(r["rank"], r["score"], r["item"]["id"]) for r in answer["results"]]
        for answer in (here, there)
    ]
    assert without_times[0] == without_times[1]
    assert here["query"] == there["query"]


def test_ranges_work_over_a_connection(http):
    item = http.get("/items", params={"modality": "video"}).json()["items"][0]
    whole = http.get(item["media_url"]).content
    part = http.get(item["media_url"], headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole[10:20])


def test_a_file_at_the_limit_is_read_and_one_byte_more_is_refused(http):
    data = sound(0)
    at_the_limit = data + bytes(LIMIT_BYTES - len(data))
    assert search(http, at_the_limit)["query"]["bytes"] == LIMIT_BYTES
    response = http.post("/search/audio-to-video", files={"file": ("q", at_the_limit + b"\0")})
    problem(response, "too-large")


def test_chunked_bodies_are_read_up_to_the_limit(http):
    def body(n_bytes):
        head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'
        yield head + sound(0)
        for _ in range(n_bytes // 10_000):
            yield bytes(10_000)
        yield b"\r\n--b--\r\n"

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    address = "/search/audio-to-video"
    assert http.post(address, content=body(0), headers=headers).status_code == 200
    problem(http.post(address, content=body(500_000), headers=headers), "too-large")


def test_many_clients_at_once_get_their_own_answers(http, server, world):
    queries = [world.file("everyday", "audio", label, 0).read_bytes() for label in range(6)] * 4
    alone = [search(http, data)["results"] for data in queries[:6]] * 4

    def one(data):
        with httpx.Client(base_url=server.url, timeout=60) as own:
            return search(own, data)["results"]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(one, queries)) == alone


def test_searching_while_items_come_and_go_never_fails(server, world):
    query = world.file("everyday", "image", 2, 0).read_bytes()

    def change(n):
        with httpx.Client(base_url=server.url, timeout=60) as own:
            added = own.post("/items", files={"file": ("x", picture(2, 5 + n))})
            assert added.status_code == 201, added.text
            return own.delete(added.headers["location"]).status_code

    def look(_):
        with httpx.Client(base_url=server.url, timeout=60) as own:
            response = own.post("/search/image-to-image", files={"file": ("q", query)})
            return response.json()["results"][0]["item"]["work_id"]

    with ThreadPoolExecutor(8) as pool:
        changes, looks = pool.map(change, range(8)), pool.map(look, range(16))
        assert set(changes) == {204}
        assert set(looks) == {"everyday/c2/0"}


def test_the_shown_curl_line_works(server, http, world):
    if shutil.which("curl") is None:
        pytest.skip("needs curl")
    from models.types import Modality
    from service.routes.examples import curl_line

    strange = world.media / "a 'strange' name.wav"
    strange.write_bytes(sound(1))
    line = curl_line(Modality.AUDIO, Modality.VIDEO, file=str(strange), base_url=server.url)
    run = subprocess.run(["sh", "-c", f"{line} --silent"], capture_output=True, check=True)
    strange.unlink()
    assert httpx.Response(200, content=run.stdout).json()["results"][0]["item"]["label"] == "c1"


@pytest.mark.slow
def test_an_acknowledged_item_survives_kill_9(world, indexed, tmp_path):
    data = Path(shutil.copytree(indexed, tmp_path / "data"))
    first = Server(world, data)
    added = httpx.post(f"{first.url}/items", files={"file": ("x", sound(2, 0.7))}, timeout=60)
    assert added.status_code == 201
    assert first.stop(by=signal.SIGKILL) == -signal.SIGKILL
    second = Server(world, data)
    try:
        item = httpx.get(second.url + added.headers["location"]).json()
        assert item == added.json()
        assert httpx.get(second.url + item["media_url"]).content == sound(2, 0.7)
        found = httpx.post(
            f"{second.url}/search/audio-to-audio",
            files={"file": ("q", sound(2, 0.7))},
            timeout=60,
        ).json()
        assert found["results"][0]["item"]["id"] == item["id"]
    finally:
        assert second.stop() in {0, -signal.SIGTERM}
