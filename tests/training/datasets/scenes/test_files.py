import hashlib
import subprocess
import sys

import av
import numpy as np
import pytest
import soundfile
from PIL import Image

from training.datasets.scenes.files import scene_paths, write_scene
from training.datasets.scenes.parameters import scene_parameters
from training.datasets.scenes.picture import render_frames, render_still
from training.datasets.scenes.sound import render_sound

SCENE = scene_parameters(4, 21)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return write_scene(SCENE, tmp_path_factory.mktemp("scenes"))


def digests(paths):
    return [
        hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (paths.video, paths.audio, paths.image)
    ]


def test_files_lie_in_a_folder_per_modality_and_kind_under_one_stem(written, tmp_path):
    paths = scene_paths(SCENE, tmp_path)
    name = f"{SCENE.kind}/{SCENE.stem}"
    assert paths.video == tmp_path / f"video/{name}.mp4"
    assert paths.audio == tmp_path / f"audio/{name}.flac"
    assert paths.image == tmp_path / f"image/{name}.png"
    assert not paths.complete()
    assert written.complete()


def test_no_unfinished_file_stays_behind(written):
    root = written.video.parents[2]
    assert sum(path.is_file() for path in root.rglob("*")) == 3


@pytest.mark.parametrize("attempt", range(3))
def test_the_same_scene_gives_the_same_bytes_again(written, tmp_path, attempt):
    assert digests(write_scene(SCENE, tmp_path)) == digests(written)


def test_the_same_scene_gives_the_same_bytes_in_another_process(written, tmp_path):
    code = (
        "import sys; from pathlib import Path\n"
        "from training.datasets.scenes.files import write_scene\n"
        "from training.datasets.scenes.parameters import scene_parameters\n"
        "write_scene(scene_parameters(4, 21), Path(sys.argv[1]))"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, timeout=120)
    assert digests(scene_paths(SCENE, tmp_path)) == digests(written)


def test_the_video_has_one_picture_and_one_sound_stream_that_browsers_play(written):
    with av.open(str(written.video)) as container:
        (video,), (audio,) = container.streams.video, container.streams.audio
        assert (video.codec_context.name, video.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (video.width, video.height) == (160, 120)
        assert video.average_rate == 15
        assert (audio.codec_context.name, audio.rate, audio.channels) == ("aac", 16_000, 2)
        for stream in (video, audio):
            assert stream.duration is not None
            assert stream.time_base is not None
            assert float(stream.duration * stream.time_base) == pytest.approx(4.0, abs=1 / 14)


def test_the_video_shows_the_frames(written):
    with av.open(str(written.video)) as container:
        decoded = np.stack([f.to_ndarray(format="rgb24") for f in container.decode(video=0)])
    frames = render_frames(SCENE)
    assert decoded.shape == frames.shape
    error = np.mean((decoded.astype(np.float64) - frames) ** 2)
    assert 10.0 * np.log10(255.0**2 / error) > 25.0  # decibels


def test_the_sound_track_is_the_partner_sound_in_step(written):
    with av.open(str(written.video)) as container:
        blocks = [frame.to_ndarray() for frame in container.decode(audio=0)]
    track = np.concatenate(blocks, axis=1)[:, :64_000].mean(axis=0)
    sound = render_sound(SCENE)[0].mean(axis=1)[: len(track)]
    spectrum = np.fft.rfft(track, 131_072) * np.conj(np.fft.rfft(sound, 131_072))
    lag = int(np.argmax(np.fft.irfft(spectrum)))
    assert min(lag, 131_072 - lag) <= 2_100  # AAC's own delay of one or two blocks
    shifted = np.roll(track, -lag)
    assert np.corrcoef(shifted[:60_000], sound[:60_000])[0, 1] > 0.95


def test_the_sound_file_is_the_rendered_sound(written):
    samples, rate = soundfile.read(written.audio, dtype="float32")
    expected, expected_rate = render_sound(SCENE)
    assert rate == expected_rate
    np.testing.assert_allclose(samples, expected, atol=1.0 / 32_768)


def test_the_still_is_stored_without_loss(written):
    with Image.open(written.image) as image:
        assert image.format == "PNG"
        np.testing.assert_array_equal(np.asarray(image), render_still(SCENE))


def test_a_write_that_fails_leaves_neither_a_file_nor_a_part(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise OSError("disk full")

    monkeypatch.setattr("training.datasets.scenes.files.soundfile.write", fail)
    with pytest.raises(OSError, match="disk full"):
        write_scene(SCENE, tmp_path)
    assert not scene_paths(SCENE, tmp_path).complete()
    assert not list((tmp_path / "audio").rglob("*.*"))
