"""Fetching from a server on this machine that speaks the hub's protocol."""

import dataclasses
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import torch

from models.errors import DataError
from models.features.foundation import checkpoints as table
from models.features.foundation.clap import Clap
from models.features.foundation.vision import Clip
from models.features.weights import WEIGHTS_DIR_VARIABLE
from models.types import Audio, Image
from tests.contracts.foundation_checkpoints import write_checkpoints
from training.weights import fetch
from training.weights.fetch import fetch_checkpoint

pytestmark = pytest.mark.slow
COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(ThreadingHTTPServer):
    """Serves repositories: name -> file -> bytes."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repositories: dict[str, dict[str, bytes]] = {}
        self.lies: dict[str, bytes] = {}  # what it hands out in place of a file
        self.endpoint = f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, format, *arguments):  # noqa: A002
        pass

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        name, found = self._repository()
        if found is None:
            self._answer(b"", 404, {"X-Error-Code": "RepoNotFound"})
        elif self.path.startswith("/api/"):
            self._answer(json.dumps(description(name, found)).encode())
        else:
            file = self.path.rsplit("/", 1)[-1]
            content = self.server.lies.get(file, found.get(file))
            if content is None:
                self._answer(b"", 404, {"X-Error-Code": "EntryNotFound"})
            else:
                etag = hashlib.sha256(content).hexdigest()
                self._answer(content, 200, {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT})

    def _repository(self):
        for name, files in self.server.repositories.items():
            if f"/{name}/" in self.path and COMMIT in self.path:
                return name, files
        return None, None

    def _answer(self, content, status=200, headers=None):
        self.send_response(status)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


def description(name, files):
    """What the hub says of a commit, large files by SHA-256."""
    siblings = []
    for file, content in files.items():
        blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()  # noqa: S324
        one = {"rfilename": file, "size": len(content), "blobId": blob}
        if file.startswith("model"):
            digest = hashlib.sha256(content).hexdigest()
            one["lfs"] = {"sha256": digest, "size": len(content), "pointerSize": 1}
        siblings.append(one)
    return {"id": name, "sha": COMMIT, "siblings": siblings}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("written")
    write_checkpoints(folder)
    return folder


@pytest.fixture
def hub(written, monkeypatch):
    """A hub with tiny checkpoints in place of CLAP (as a torch file) and CLIP."""
    server = Hub()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    pins = {}
    for name in ("clap", "clip"):
        real = table.CHECKPOINTS[name]
        files = {path.name: path.read_bytes() for path in (written / name).iterdir()}
        if name == "clap":
            files["pytorch_model.bin"] = torch_file(files.pop("model.safetensors"), written)
        server.repositories[real.repository] = files
        digests = {f: hashlib.sha256(content).hexdigest() for f, content in files.items()}
        known = {f: None if real.files[f] is None else digests[f] for f in real.files}
        pins[name] = dataclasses.replace(real, revision=COMMIT, files=known)
    monkeypatch.setattr(fetch, "CHECKPOINTS", pins)
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def torch_file(data, folder):
    from safetensors.torch import load

    torch.save(load(data), folder / "pytorch_model.bin")
    return (folder / "pytorch_model.bin").read_bytes()


def rows(folder, monkeypatch):
    monkeypatch.setenv(WEIGHTS_DIR_VARIABLE, str(folder))
    picture = np.arange(40 * 30 * 3, dtype=np.uint8).reshape(40, 30, 3)
    sound = np.sin(np.arange(48_000) / 9.0).astype(np.float32)
    return Clip().pooled(Image(picture)), Clap().pooled(Audio(sound, 48_000))


def test_what_was_fetched_gives_the_rows_of_what_was_published(hub, written, tmp_path, monkeypatch):
    for name in ("clip", "clap"):
        weights = fetch_checkpoint(name, tmp_path, progress=False, endpoint=hub.endpoint)
        assert weights.source.endswith(COMMIT)
        weights.verify()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "clap", "clap.json", "clip", "clip.json",
    ]  # fmt: skip
    assert (tmp_path / "clap" / "model.safetensors").exists()
    assert not (tmp_path / "clap" / "pytorch_model.bin").exists()
    fetched, published = rows(tmp_path, monkeypatch), rows(written, monkeypatch)
    assert all(map(np.array_equal, fetched, published))


@pytest.mark.parametrize(
    ("name", "file", "message"),
    [
        ("clap", "pytorch_model.bin", "pytorch_model.bin: expected the pinned sha256 [0-9a-f]{64}"),
        ("clip", "model.safetensors", f"model.safetensors: expected the file of commit {COMMIT}"),
        ("clip", "config.json", f"config.json: expected the file of commit {COMMIT}"),
    ],
)
def test_another_file_than_the_published_one_is_refused(hub, tmp_path, name, file, message):
    hub.lies[file] = b"{}"
    with pytest.raises(DataError, match=message):
        fetch_checkpoint(name, tmp_path, progress=False, endpoint=hub.endpoint)
    assert list(tmp_path.iterdir()) == []


def test_a_refused_fetch_leaves_the_earlier_one(hub, tmp_path):
    earlier = fetch_checkpoint("clip", tmp_path, progress=False, endpoint=hub.endpoint)
    hub.lies["config.json"] = b"{}"
    with pytest.raises(DataError):
        fetch_checkpoint("clip", tmp_path, progress=False, endpoint=hub.endpoint)
    earlier.verify()
    hub.lies.clear()
    fetch_checkpoint("clip", tmp_path, progress=False, endpoint=hub.endpoint).verify()


def test_a_hub_without_the_repository_says_what_to_do(hub, tmp_path):
    hub.repositories.clear()
    with pytest.raises(DataError, match=r"expected to fetch https.*KYOMEI_WEIGHTS_DIR"):
        fetch_checkpoint("clip", tmp_path, progress=False, endpoint=hub.endpoint)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_name_is_refused(tmp_path):
    with pytest.raises(DataError, match="expected a checkpoint of clap, clip"):
        fetch_checkpoint("smell", tmp_path)
