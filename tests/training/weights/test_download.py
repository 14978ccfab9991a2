"""Files come whole and checked or not at all; bytes travel over a real local connection."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import urlopen

import numpy as np
import pytest
from typer.testing import CliRunner

from kyomei import app
from models.checkpoint import save_tensors
from models.errors import DataError
from models.features.weights import find_weights
from models.networks import vggish
from models.networks.vggish import VGGish
from tests.contracts.extractor_weights import random_tensors, weights_in
from training.weights import commands
from training.weights import download as module
from training.weights.download import PinnedFile, download
from training.weights.published import PUBLISHED, PublishedNetwork

CONTENT = np.random.default_rng(0).bytes(3_000_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
FILES = {"/weights.bin": CONTENT}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        content = FILES.get(self.path)
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format, *arguments):  # noqa: A002
        pass


@pytest.fixture(scope="module")
def opener():
    """Opens https://example.org/... on this machine, without TLS."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    base = f"http://127.0.0.1:{server.server_port}/"
    yield lambda url, timeout: urlopen(url.replace("https://example.org/", base), timeout=timeout)  # noqa: S310
    server.shutdown()
    server.server_close()
    thread.join()


def pinned(sha256=SHA256, name="weights.bin", length=None):
    return PinnedFile(f"https://example.org/{name}", sha256, length)


@pytest.mark.parametrize("sha256", [SHA256, SHA256[:8]])
def test_the_pinned_file_is_kept(tmp_path, opener, sha256):
    found = download(pinned(sha256, length=len(CONTENT)), tmp_path, progress=False, opener=opener)
    assert found == tmp_path / "weights.bin"
    assert found.read_bytes() == CONTENT
    assert list(tmp_path.iterdir()) == [found]


@pytest.mark.parametrize("wrong", [{"sha256": "0" * 64}, {"length": 5}])
def test_another_file_is_refused_with_both_hashes_and_not_kept(tmp_path, opener, wrong):
    with pytest.raises(DataError) as caught:
        download(pinned(**wrong), tmp_path, progress=False, opener=opener)
    assert SHA256 in str(caught.value)
    assert wrong.get("sha256", SHA256) in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_an_address_that_does_not_answer_is_refused(tmp_path, opener):
    with pytest.raises(DataError, match="404"):
        download(pinned(name="gone.bin"), tmp_path, progress=False, opener=opener)
    with pytest.raises(DataError, match="expected an https address"):
        download(PinnedFile("http://example.org/a", SHA256), tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_command_fetches_checks_and_converts(tmp_path, opener, monkeypatch):
    monkeypatch.setattr(vggish, "HIDDEN", 4)
    tensors = random_tensors(VGGish)
    digest = save_tensors(tmp_path / "v.safetensors", tensors)
    monkeypatch.setitem(FILES, "/v.safetensors", (tmp_path / "v.safetensors").read_bytes())
    file = PinnedFile("https://example.org/v.safetensors", digest)
    network = PublishedNetwork((VGGish,), "paper", files=(file,), licence="MIT")
    monkeypatch.setitem(PUBLISHED, "vggish", network)
    monkeypatch.setattr(module.download, "__kwdefaults__", {"progress": True, "opener": opener})
    out = tmp_path / "out"
    done = CliRunner().invoke(app, ["fetch-weights", "vggish", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "licence: MIT" in done.output
    with weights_in(out):
        found = find_weights("vggish")
    assert found.source == file.url
    assert found.sha256 in done.output
    np.testing.assert_array_equal(
        found.tensors()["embeddings.0.bias"], tensors["embeddings.0.bias"]
    )
    assert sorted(one.name for one in out.iterdir()) == ["vggish.json", "vggish.safetensors"]


def test_the_command_lists_the_names_that_it_knows(tmp_path):
    with pytest.raises(DataError, match=r"clap, .*inception-v3, .*yamnet, got 'resnet'"):
        commands.fetch_weights_command("resnet", tmp_path)


def test_the_command_converts_into_the_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(vggish, "HIDDEN", 4)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    save_tensors(tmp_path / "v.safetensors", random_tensors(VGGish))
    done = CliRunner().invoke(app, ["convert-weights", "vggish", str(tmp_path / "v.safetensors")])
    assert done.exit_code == 0, done.output
    assert find_weights("vggish").folder == tmp_path / "cache" / "kyomei" / "weights"
