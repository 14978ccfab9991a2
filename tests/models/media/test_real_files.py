"""Real videos, sounds, pictures and songs decode or give a named reason (needs ../shared/data)."""

import itertools
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from models.media.isolated import IsolatedLoader
from models.media.limits import MediaLimits
from models.media.load import default_modality, load, media_type
from models.types import Audio, Image, Modality, Score, Video

DATA = Path(__file__).parents[4] / "shared" / "data"
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not DATA.is_dir(), reason="no ../shared/data beside the checkout"),
]


def _members(archive: str, suffix: str, n: int) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(DATA / archive) as members:
        chosen = (member for member in members if member.name.endswith(suffix))
        for member in itertools.islice(chosen, n):
            file = members.extractfile(member)
            assert file is not None
            yield member.name, file.read()


def test_real_videos_give_frames_and_sound(tmp_path: Path):
    with IsolatedLoader(MediaLimits()) as loader:
        for number, (name, data) in enumerate(_members("videos_with_sound.tar", ".mp4", 100)):
            path = tmp_path / f"{number}.dat"
            path.write_bytes(data)
            assert (media_type(path), default_modality(path)) == ("video/mp4", "video"), name
            video, audio = (loader.load(path, m) for m in (Modality.VIDEO, Modality.AUDIO))
            assert isinstance(video, Video)
            assert isinstance(audio, Audio)
            assert max(video.frames.shape[1:3]) == 160
            assert video.duration_seconds == pytest.approx(audio.duration_seconds, abs=1.5), name
            assert np.abs(audio.samples).max() > 0


@pytest.mark.parametrize(
    ("archive", "suffix", "mime"),
    [
        ("esc10.tar", ".ogg", "audio/ogg"),
        ("animal_sounds.tar", ".ogg", "audio/ogg"),
        ("fsdd.tar", ".flac", "audio/flac"),
    ],
)
def test_real_sounds_are_read(archive, suffix, mime):
    for name, data in _members(archive, suffix, 40):
        audio = load(data, Modality.AUDIO)
        assert isinstance(audio, Audio)
        assert media_type(data) == mime, name
        assert 0.05 < audio.duration_seconds < 30, name


@pytest.mark.parametrize(
    ("archive", "suffix"),
    [("caltech101_subset.tar", ".jpg"), ("tiny_imagenet_subset.tar.xz", ".JPEG")],
)
def test_real_pictures_are_read(archive, suffix):
    for name, data in _members(archive, suffix, 40):
        image = load(data, Modality.IMAGE)
        assert isinstance(image, Image)
        assert image.pixels.std() > 0, name
        assert default_modality(data) == "image"


def test_real_songs_are_engraved():
    for name, data in _members("openscore_lieder.tar.xz", ".xml", 3):
        score = load(data, Modality.SCORE)
        assert isinstance(score, Score)
        assert score.engraved, name
        assert all(0.001 < (page < 128).mean() < 0.5 for page in score.pages), name
