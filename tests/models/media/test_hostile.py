"""Files that were made to hurt: each gives a MediaError at once, and mutations never more."""

import io
import struct
import time
import zipfile
import zlib
from collections.abc import Callable

import numpy as np
import pytest

from models.errors import MediaError
from models.media.isolated import IsolatedLoader
from models.media.limits import MediaLimits
from models.media.load import default_modality, load
from models.types import Modality
from tests.models.media.media_files import (
    MEI,
    NAMES,
    NOTATION_NAMES,
    expected_modality,
    made,
    midi,
    musicxml,
)

REASONS = {"empty", "unsupported", "mislabelled", "damaged", "too_large", "timeout"}
OUTCOMES = REASONS | {"ok"}
SECONDS_ALLOWED = 3.0
LIMITS = MediaLimits(max_seconds=30, max_pixels=1_000_000, max_pages=4)


def _png_of(width: int, height: int) -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + body
        + struct.pack(">I", zlib.crc32(body))
        + struct.pack(">I", len(pixels))
        + b"IDAT"
        + pixels
        + struct.pack(">I", zlib.crc32(b"IDAT" + pixels))
    )


def _entity_bomb() -> bytes:
    levels = "".join(
        f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" if n else "<!ENTITY l0 'lol'>" for n in range(10)
    )
    return musicxml(doctype=f"<!DOCTYPE score-partwise [{levels}]>").replace(b"The Title", b"&l9;")


def _zip_bomb() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("song.xml", bytes(100_000_000))
    return buffer.getvalue()


def _lying_wav(channels: int, rate_hz: int, n_bytes: int) -> bytes:
    layout = struct.pack("<HHIIHH", 1, channels, rate_hz, rate_hz * 2, channels * 2 % 65536, 16)
    return (
        b"RIFF"
        + struct.pack("<I", 36 + n_bytes)
        + b"WAVEfmt "
        + struct.pack("<I", 16)
        + layout
        + b"data"
        + struct.pack("<I", n_bytes)
        + bytes(200)
    )


def _flac_of_hours() -> bytes:
    data = bytearray(made("flac"))
    data[21] |= 0x0F  # the upper bits of the 36-bit number of samples in STREAMINFO
    return bytes(data)


def _deep_xml() -> bytes:
    return b"<score-partwise>" + b"<a>" * 1_000_000


def _gif_of_size(width: int, height: int) -> bytes:
    data = bytearray(made("gif"))
    data[6:10] = struct.pack("<HH", width, height)
    return bytes(data)


def _midi_of_years() -> bytes:
    return midi(b"\x00\x90\x3c\x40\xff\xff\xff\x7f\x80\x3c\x00", ticks_per_quarter=1)


HOSTILE: dict[str, tuple[bytes, Modality]] = {
    "nothing": (b"", Modality.IMAGE),
    "random": (np.random.default_rng(0).bytes(100_000), Modality.VIDEO),
    "png-of-1e9-pixels": (_png_of(31_623, 31_623), Modality.IMAGE),
    "png-without-area": (_png_of(0, 5), Modality.IMAGE),
    "png-cut": (made("png")[:45], Modality.SCORE),
    "entity-bomb": (_entity_bomb(), Modality.SCORE),
    "deep-xml": (_deep_xml(), Modality.SCORE),
    "zip-bomb": (_zip_bomb(), Modality.SCORE),
    "mp4-cut": (made("mp4")[: len(made("mp4")) // 2], Modality.VIDEO),
    "mp4-cut-as-sound": (made("mp4")[: len(made("mp4")) // 2], Modality.AUDIO),
    "wav-of-2-gigabytes": (_lying_wav(1, 8_000, 2**31), Modality.AUDIO),
    "wav-of-no-channels": (_lying_wav(0, 8_000, 200), Modality.AUDIO),
    "wav-of-65535-channels": (_lying_wav(65_535, 8_000, 200), Modality.AUDIO),
    "wav-at-4-gigahertz": (_lying_wav(1, 2**32 // 2 - 1, 200), Modality.AUDIO),
    "flac-of-hours": (_flac_of_hours(), Modality.AUDIO),
    "gif-of-4e9-pixels": (_gif_of_size(65_535, 65_535), Modality.VIDEO),
    "midi-of-years": (_midi_of_years(), Modality.SCORE),
    "playlist": (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", Modality.VIDEO),
    "concat-script": (b"ffconcat version 1.0\nfile '/etc/passwd'\n", Modality.AUDIO),
    "svg-that-reads-files": (
        b"<?xml version='1.0'?><svg><image href='file:///etc/passwd'/></svg>",
        Modality.IMAGE,
    ),
    "pdf-of-nothing": (b"%PDF-1.7\n%%EOF", Modality.SCORE),
    "mei-of-no-music": (MEI.replace(b"<measure", b"<measured"), Modality.SCORE),
    "nul-bytes": (bytes(1000), Modality.LYRICS),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_quickly(name):
    data, modality = HOSTILE[name]
    began = time.monotonic()
    with pytest.raises(MediaError) as caught:
        load(data, modality)
    assert time.monotonic() - began < SECONDS_ALLOWED
    assert caught.value.reason in REASONS
    assert len(str(caught.value)) > 10


def _mutated(data: bytes, rng: np.random.Generator) -> bytes:
    """Flip, overwrite, cut or double a few places."""
    changed = bytearray(data)
    for _ in range(rng.integers(1, 7)):
        at = int(rng.integers(len(changed)))
        near = at + int(rng.integers(1, 41))
        match rng.integers(5):
            case 0:
                changed[at] ^= 1 << int(rng.integers(8))
            case 1:
                changed[at] = rng.choice([0, 1, 0x7F, 0x80, 0xFF])
            case 2:
                changed[at : at + 4] = [b"\xff\xff\xff\xff", bytes(4)][rng.integers(2)]
            case 3:
                del changed[at + 1 : near]
            case _:
                changed[at:at] = changed[at:near]
    return bytes(changed)


def _outcome(attempt: Callable[..., object], *arguments: object) -> str:
    """``ok`` or the reason of the MediaError; any other error fails the test."""
    try:
        attempt(*arguments)
    except MediaError as error:
        return error.reason
    return "ok"


@pytest.mark.parametrize("name", [name for name in NAMES if name not in NOTATION_NAMES])
def test_mutations_give_media_or_a_media_error(name):
    rng = np.random.default_rng(NAMES.index(name))
    modality = Modality(expected_modality(name))
    for _ in range(60):
        data = _mutated(made(name), rng)
        assert _outcome(load, data, modality, LIMITS) in OUTCOMES
        assert _outcome(default_modality, data) in OUTCOMES


def test_mutated_notation_gives_media_or_a_media_error():
    """In a worker: verovio is C++ that was not written for hostile input."""
    rng = np.random.default_rng(0)
    with IsolatedLoader(LIMITS, workers=2, timeout_seconds=20) as loader:
        outcomes = {
            _outcome(loader.load, data, Modality.SCORE)
            for name in NOTATION_NAMES
            for data in [_mutated(made(name), rng) for _ in range(15)]
        }
    assert "ok" in outcomes
    assert outcomes <= OUTCOMES


@pytest.mark.parametrize("modality", list(Modality))
def test_random_bytes_behind_every_magic_number(modality):
    rng = np.random.default_rng(0)
    heads = [made(name)[:n] for name in NAMES for n in (4, 12, 40) if name not in NOTATION_NAMES]
    for head in heads:
        data = head + rng.bytes(300)
        assert _outcome(load, data, modality, LIMITS) in OUTCOMES
