import struct

import numpy as np
import pytest

from models.errors import MediaError
from models.media.limits import MediaLimits
from models.media.load import load
from models.media.sniff import identify
from models.media.video import decode_video
from models.types import Modality, Video
from tests.models.media.media_files import (
    FILM_NAMES,
    FRAME_RATE_HZ,
    FRAME_SIZE,
    N_FRAMES,
    animated_gif,
    film,
    made,
)


def _load(data: bytes, limits: MediaLimits | None = None) -> Video:
    video = load(data, Modality.VIDEO, limits or MediaLimits())
    assert isinstance(video, Video)
    return video


def _decode(data: bytes, **options: float) -> Video:
    return decode_video(data, identify(data), MediaLimits(), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["mp4", "mov", "mkv", "webm"])
@pytest.mark.parametrize("rate_hz", [3.0, 8.0, 10.0, 24.0])
def test_frames_are_those_on_show_at_the_sampling_times(name, rate_hz):
    video = _decode(made(name), frame_rate_hz=rate_hz)
    n_expected = int(np.ceil(N_FRAMES / FRAME_RATE_HZ * rate_hz))
    shown = [min(int(k / rate_hz * FRAME_RATE_HZ + 1e-6), N_FRAMES - 1) for k in range(n_expected)]
    levels = video.frames.mean(axis=(1, 2, 3))
    assert video.frame_rate_hz == rate_hz
    assert video.frames.shape == (n_expected, FRAME_SIZE[1], FRAME_SIZE[0], 3)
    assert video.frames.dtype == np.uint8
    np.testing.assert_allclose(levels, 20.0 * np.array(shown), atol=7)


def test_the_last_frame_of_an_avi_comes_last():
    """FFmpeg writes a gap after the first frame of an AVI; all frames are there, in order."""
    levels = _decode(made("avi"), frame_rate_hz=10.0).frames.mean(axis=(1, 2, 3))
    assert len(levels) in (N_FRAMES, N_FRAMES + 1)
    assert (np.diff(levels) > -2).all()
    assert levels[[0, -1]] == pytest.approx([0, 180], abs=7)


def test_uneven_frame_durations_are_followed():
    """Levels 0, 100 and 200 for 0.1, 0.5 and 0.2 s, seen every 0.1 s."""
    video = _decode(made("gif"), frame_rate_hz=10.0)
    levels = video.frames[:, 0, 0, 0]
    np.testing.assert_allclose(levels, [0, 100, 100, 100, 100, 100, 200, 200], atol=3)


def test_a_short_video_gives_at_least_one_frame():
    video = _decode(animated_gif([10, 20], [20, 20]), frame_rate_hz=0.5)
    assert len(video.frames) == 1


@pytest.mark.parametrize(
    ("size", "longer_side", "expected"),
    [
        ((320, 200), 160, (100, 160)),
        ((200, 320), 160, (160, 100)),
        ((64, 48), 160, (48, 64)),
        ((320, 16), 16, (1, 16)),
    ],
)
def test_large_frames_are_scaled_to_the_longer_side(size, longer_side, expected):
    frames = [np.full((size[1], size[0], 3), 128, np.uint8)] * 3
    video = _decode(film("mp4", "libx264", None, frames=frames), longer_side_pixels=longer_side)
    assert video.frames.shape[1:3] == expected


def test_scaling_down_averages_areas():
    """A checkerboard of single pixels becomes grey, not black or white."""
    board = (np.indices((64, 64)).sum(axis=0) % 2 * 255).astype(np.uint8)
    frames = [np.repeat(board[..., None], 3, axis=2)] * 2
    video = _decode(film("matroska", "libx264", None, frames=frames), longer_side_pixels=16)
    np.testing.assert_allclose(video.frames[0], 127, atol=12)


def test_colours_stay_what_they_are():
    red = np.zeros((48, 64, 3), np.uint8)
    red[..., 0] = 255
    frame = _load(film("mp4", "libx264", None, frames=[red] * 3)).frames[0]
    np.testing.assert_allclose(frame.mean(axis=(0, 1)), [255, 0, 0], atol=12)


@pytest.mark.parametrize(
    ("matrix", "white"),
    [
        ((1, 0, 0, 1), "left"),
        ((0, 1, -1, 0), "top"),  # a quarter turn clockwise
        ((-1, 0, 0, -1), "right"),
        ((0, -1, 1, 0), "bottom"),
    ],
)
def test_the_rotation_of_the_track_is_applied(matrix, white):
    half = np.zeros((48, 64, 3), np.uint8)
    half[:, :32] = 255
    data = bytearray(film("mp4", "libx264", None, frames=[half] * 3))
    at = data.index(b"tkhd") + 44
    a, b, c, d = (value * 65536 for value in matrix)
    struct.pack_into(">9i", data, at, a, b, 0, c, d, 0, 0, 0, 1 << 30)
    frame = _load(bytes(data)).frames[0].mean(axis=2)
    edges = {
        "left": frame[:, :8],
        "right": frame[:, -8:],
        "top": frame[:8],
        "bottom": frame[-8:],
    }
    bright = [edge for edge, pixels in edges.items() if pixels.mean() > 200]
    assert bright == [white]


def test_transparent_frames_are_laid_over_white():
    import io

    from PIL import Image as PillowImage

    clear = PillowImage.new("RGBA", (20, 20), (0, 0, 0, 0))
    blue = PillowImage.new("RGBA", (20, 20), (0, 0, 255, 255))
    buffer = io.BytesIO()
    clear.save(buffer, format="GIF", save_all=True, append_images=[blue], duration=500, disposal=2)
    frames = _load(buffer.getvalue()).frames
    np.testing.assert_array_equal(frames[0, 0, 0], [255, 255, 255])
    np.testing.assert_allclose(frames[-1, 0, 0].astype(int), [0, 0, 255], atol=3)


@pytest.mark.parametrize("name", FILM_NAMES)
def test_the_same_bytes_give_the_same_bits(name):
    np.testing.assert_array_equal(_load(made(name)).frames, _load(made(name)).frames)


@pytest.mark.parametrize("name", [*FILM_NAMES, "gif"])
def test_long_videos_are_too_large(name):
    with pytest.raises(MediaError, match=r"at most 0\.3 s") as caught:
        _load(made(name), MediaLimits(max_seconds=0.3))
    assert caught.value.reason == "too_large"


@pytest.mark.parametrize("name", [*FILM_NAMES, "gif"])
def test_large_frames_are_refused(name):
    with pytest.raises(MediaError, match="at most 1000 pixels") as caught:
        _load(made(name), MediaLimits(max_pixels=1000))
    assert caught.value.reason == "too_large"


def test_a_header_that_states_less_does_not_help():
    data = bytearray(film("mp4", "libx264", None))
    for box, offset in ((b"mvhd", 20), (b"tkhd", 24), (b"mdhd", 20)):
        struct.pack_into(">I", data, data.index(box) + offset, 1)
    data = data.replace(b"elst", b"free")
    with pytest.raises(MediaError) as caught:
        _load(bytes(data), MediaLimits(max_seconds=0.5))
    assert caught.value.reason == "too_large"


def test_a_video_that_breaks_off_gives_its_first_frames():
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, (48, 64, 3), dtype=np.uint8) for _ in range(20)]
    data = film("matroska", "mpeg4", None, frames=noise)
    whole, part = _load(data), _load(data[: len(data) // 2])
    assert 1 <= len(part.frames) < len(whole.frames)
    np.testing.assert_array_equal(part.frames[0], whole.frames[0])


@pytest.mark.parametrize("name", [*FILM_NAMES, "gif"])
def test_a_video_cut_in_its_header_is_damaged(name):
    with pytest.raises(MediaError) as caught:
        load(made(name)[:60], Modality.VIDEO)
    assert caught.value.reason in ("damaged", "mislabelled")


def test_an_mp4_whose_index_at_the_end_is_lost_is_damaged():
    data = made("mp4")
    with pytest.raises(MediaError, match="does not open") as caught:
        _load(data[: int(0.8 * len(data))])
    assert caught.value.reason == "damaged"


def test_a_video_of_which_no_frame_decodes_is_damaged():
    data = bytearray(film("mp4", "libx264", None))
    start = data.index(b"mdat")
    end = start - 4 + struct.unpack_from(">I", data, start - 4)[0]
    data[start + 4 : end] = bytes(end - start - 4)
    with pytest.raises(MediaError, match="not one frame") as caught:
        _load(bytes(data))
    assert caught.value.reason == "damaged"


@pytest.mark.parametrize("name", ["m4a", "weba", "mka"])
def test_a_container_with_sound_only_is_no_video(name):
    with pytest.raises(MediaError, match="without picture") as caught:
        _load(made(name))
    assert caught.value.reason == "mislabelled"


@pytest.mark.parametrize("name", ["png", "still-gif", "wav", "pdf", "txt"])
def test_other_media_are_mislabelled_as_video(name):
    with pytest.raises(MediaError, match="expected video, got") as caught:
        _load(made(name))
    assert caught.value.reason == "mislabelled"
