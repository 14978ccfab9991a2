import hashlib

import pytest

from models.media.load import load, probe
from models.types import Modality
from service.facts import describe, sha256_of
from tests.service.small_media import film, lyric, musicxml, picture, sound


@pytest.mark.parametrize(
    ("data", "modality", "media_type", "measures"),
    [
        (sound(0), "audio", "audio/wav", {"duration_seconds": 1.0}),
        (picture(0), "image", "image/png", {"width": 96, "height": 72}),
        (musicxml(), "score", "application/vnd.recordare.musicxml+xml", {"pages": 1}),
        (lyric(0), "lyrics", "text/plain", {"lines": 3, "characters": len(lyric(0))}),
    ],
)
def test_the_facts_are_those_of_the_file(data, modality, media_type, measures):
    media = load(data, Modality(modality))
    facts = describe(data, Modality(modality), media, probe(data).media_type)
    assert (facts.modality, facts.media_type, facts.bytes) == (modality, media_type, len(data))
    assert facts.sha256 == hashlib.sha256(data).hexdigest()
    assert facts.measures == measures


def test_a_video_has_size_and_duration():
    facts = describe(film(0), Modality.VIDEO, load(film(0), Modality.VIDEO), "video/mp4")
    assert facts.media_type == "video/mp4"
    assert (facts.width, facts.height) == (96, 72)
    assert facts.duration_seconds == pytest.approx(1.0, abs=0.3)


def test_a_file_and_its_bytes_have_the_same_hash(tmp_path):
    data = bytes(range(256)) * 10_000
    (tmp_path / "f").write_bytes(data)
    expected = (hashlib.sha256(data).hexdigest(), len(data))
    assert sha256_of(tmp_path / "f") == sha256_of(data) == expected
