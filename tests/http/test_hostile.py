"""Files that were made to hurt, sent to a real server: a clear 4xx in seconds, and it goes on."""

import io
import shutil
import struct
import time
import zipfile
import zlib

import httpx
import pytest

from tests.http.test_real_server import Server
from tests.models.media.media_files import musicxml

SECONDS_ALLOWED = 5.0
SCALE = ("C4", "D4", "E4", "F4", "G4", "A4", "B4", "C5")


def _entity_bomb():
    levels = "".join(
        f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" if n else "<!ENTITY l0 'lol'>" for n in range(10)
    )
    return musicxml(doctype=f"<!DOCTYPE score-partwise [{levels}]>").replace(b"The Title", b"&l9;")


def _zip_bomb():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("song.xml", bytes(400_000_000))
    return out.getvalue()


def _million_notes():
    """A whole and right MIDI file: a million notes, one after the other."""
    note = b"\x00\x90\x3c\x40\x01\x80\x3c\x00"
    track = note * 1_000_000 + b"\x00\xff\x2f\x00"
    head = b"MThd" + struct.pack(">IHHH", 6, 0, 1, 4)
    return head + b"MTrk" + struct.pack(">I", len(track)) + track


def _white_png(width, height):
    """A whole and right picture of one bit a pixel."""
    row = b"\x00" + b"\xff" * -(-width // 8)
    pack = zlib.compressobj(1)
    pixels = b"".join(pack.compress(row) for _ in range(height)) + pack.flush()

    def chunk(name, data):
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def _pdf(n_pages):
    kids = " ".join(f"{n + 3} 0 R" for n in range(n_pages))
    page = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>"
    bodies = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {n_pages} >>",
        *[page] * n_pages,
    ]
    out, places = "%PDF-1.4\n", []
    for number, body in enumerate(bodies, start=1):
        places.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size = len(bodies) + 1
    start = len(out)
    out += f"xref\n0 {size}\n0000000000 65535 f \n{table}"
    out += f"trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"
    return out.encode()


HOSTILE = {
    "corrupt MusicXML": (lambda: musicxml(SCALE * 4)[:-400], "damaged"),
    "entity bomb": (_entity_bomb, "unsupported"),
    "zip bomb": (_zip_bomb, "too-large"),
    "million notes": (_million_notes, "too-large"),
    "20,000 x 20,000": (lambda: _white_png(20_000, 20_000), "too-large"),
    "20,000 x 100": (lambda: _white_png(20_000, 100), "too-large"),
    "10,000 bars": (lambda: musicxml(SCALE * 5_000), "too-large"),
    "deep nesting": (lambda: b"<score-partwise>" + b"<a>" * 1_000_000, "damaged"),
    "PDF of 500 pages": (lambda: _pdf(500), "too-large"),
    "ABC of endless repeats": (
        lambda: b"X:1\nM:4/4\nL:1/4\nK:C\n" + b"|:[1CDEF:|[2GABc:|" * 50_000 + b"\n",
        "too-large",
    ),
    "Humdrum of 100,000 bars": (
        lambda: b"**kern\n*M4/4\n" + b"4c\n=\n" * 100_000 + b"*-\n",
        "too-large",
    ),
}


@pytest.fixture(scope="module")
def server(world, indexed, tmp_path_factory):
    """With the limits that a user has, and one worker, so that a hung one would be noticed."""
    data = shutil.copytree(indexed, tmp_path_factory.mktemp("hostile") / "data")
    running = Server(world, data, KYOMEI_MAX_UPLOAD_BYTES=str(64 * 2**20))
    yield running
    running.stop()


@pytest.mark.parametrize("address", ["/search/score-to-audio", "/items"])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_clear_refusal_within_seconds_and_the_server_goes_on(server, name, address):
    make, expected = HOSTILE[name]
    form = {"modality": "score"} if address == "/items" else {}
    with httpx.Client(base_url=server.url, timeout=60) as http:
        total = http.get("/items", params={"limit": 1}).json()["total"]
        data = make()
        began = time.monotonic()
        response = http.post(address, files={"file": ("song", data)}, data=form)
        seconds = time.monotonic() - began
        assert response.headers["content-type"] == "application/problem+json", response.text
        body = response.json()
        assert body["type"] == f"urn:kyomei:error:{expected}", body
        assert 400 <= body["status"] == response.status_code < 500
        assert len(body["detail"]) > 20
        assert seconds < SECONDS_ALLOWED, seconds
        assert http.get("/health/ready").json()["status"] == "ok"
        good = http.post("/search/score-to-audio", files={"file": ("q", musicxml(SCALE))})
        assert good.status_code == 200
        assert good.json()["results"]
        assert http.get("/items", params={"limit": 1}).json()["total"] == total
