import io
import struct

import av
import numpy as np
import pytest
import soundfile
from av.container import InputContainer
from scipy.signal import fftconvolve

from models.errors import MediaError
from models.media.limits import MediaLimits
from models.media.load import default_modality, load
from models.types import Audio, Modality
from tests.models.media.media_files import (
    AUDIO_NAMES,
    FILM_NAMES,
    RATE_HZ,
    SECONDS,
    film,
    made,
    picture_file,
    sound_file,
    tone,
)


def _load(data: bytes, limits: MediaLimits | None = None) -> Audio:
    audio = load(data, Modality.AUDIO, limits or MediaLimits())
    assert isinstance(audio, Audio)
    return audio


def _best_correlation(samples: np.ndarray, rate_hz: int) -> float:
    """Correlation with the tone at the best lag: lossy codecs add a delay."""
    reference = tone(rate_hz, 0.5)
    lags = fftconvolve(samples, reference[::-1], mode="valid")
    energies = fftconvolve(samples**2, np.ones(len(reference)), mode="valid")
    norms = np.sqrt(np.maximum(energies, 1e-9)) * np.linalg.norm(reference)
    return float((lags / norms).max())


@pytest.mark.parametrize("name", [*AUDIO_NAMES, *FILM_NAMES])
def test_every_format_gives_the_tone_that_was_written(name):
    audio = _load(made(name))
    assert audio.samples.dtype == np.float32
    assert audio.samples.ndim == 1
    assert audio.sample_rate_hz == (48_000 if name in ("opus", "weba", "webm") else RATE_HZ)
    assert audio.duration_seconds == pytest.approx(SECONDS, abs=0.15)
    assert _best_correlation(audio.samples, audio.sample_rate_hz) > 0.98
    assert np.abs(audio.samples).max() == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize(("name", "step"), [("wav", 1e-7), ("flac", 2**-22)])
def test_lossless_formats_give_the_samples_themselves(name, step):
    np.testing.assert_allclose(_load(made(name)).samples, tone(), atol=step)


@pytest.mark.parametrize("name", AUDIO_NAMES)
def test_the_same_bytes_give_the_same_bits(name):
    np.testing.assert_array_equal(_load(made(name)).samples, _load(made(name)).samples)


@pytest.mark.parametrize("container", ["WAV", "FLAC"])
def test_channels_are_averaged(container):
    left, right = tone(), np.full(RATE_HZ, 0.25, np.float32)
    data = sound_file(np.stack([left, right], axis=1), RATE_HZ, container, None)
    np.testing.assert_allclose(_load(data).samples, (left + right) / 2, atol=1e-4)


def test_channels_are_averaged_by_ffmpeg_too():
    buffer = io.BytesIO()
    stereo = np.stack([tone(48_000), np.zeros(48_000, np.float32)])
    with av.open(buffer, "w", format="matroska") as output:
        stream = output.add_stream("pcm_f32le", rate=48_000, layout="stereo")
        packed = np.ascontiguousarray(stereo.T).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(packed, format="flt", layout="stereo")
        frame.sample_rate = 48_000
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    np.testing.assert_allclose(_load(buffer.getvalue()).samples, stereo.mean(axis=0), atol=1e-6)


def test_samples_beyond_full_scale_are_clipped():
    loud = sound_file(np.array([0.0, 3.0, -3.0, 0.5], np.float32), RATE_HZ, "WAV", "FLOAT")
    np.testing.assert_array_equal(_load(loud).samples, [0.0, 1.0, -1.0, 0.5])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_are_damage(value):
    broken = sound_file(np.array([0.0, value], np.float32), RATE_HZ, "WAV", "FLOAT")
    with pytest.raises(MediaError, match="NaN") as caught:
        _load(broken)
    assert caught.value.reason == "damaged"


def test_no_samples_are_empty():
    with pytest.raises(MediaError) as caught:
        _load(sound_file(np.zeros(0, np.float32), RATE_HZ, "WAV", "PCM_16"))
    assert caught.value.reason == "empty"


@pytest.mark.parametrize("name", [*AUDIO_NAMES, *FILM_NAMES])
def test_long_sounds_are_too_large(name):
    with pytest.raises(MediaError, match=r"at most 0\.3 s") as caught:
        _load(made(name), MediaLimits(max_seconds=0.3))
    assert caught.value.reason == "too_large"


def test_a_header_that_states_less_does_not_help():
    """An M4A whose duration fields say a few samples but that holds a second of sound."""
    data = bytearray(made("m4a").replace(b"elst", b"free"))
    for box, offset in ((b"mvhd", 20), (b"tkhd", 24), (b"mdhd", 20)):
        struct.pack_into(">I", data, data.index(box) + offset, 1)
    assert _load(bytes(data)).duration_seconds > 0.9
    with pytest.raises(MediaError, match="or more") as caught:
        _load(bytes(data), MediaLimits(max_seconds=0.5))
    assert caught.value.reason == "too_large"


@pytest.mark.parametrize("name", AUDIO_NAMES)
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6])
def test_cut_sounds_are_damaged(name, share):
    data = made(name)
    with pytest.raises(MediaError) as caught:
        _load(data[: int(share * len(data))])
    assert caught.value.reason in ("damaged", "empty")


def test_a_wav_header_that_lies_about_its_length_is_damaged():
    data = bytearray(made("wav"))
    at = data.index(b"data")
    struct.pack_into("<I", data, at + 4, 2**31)
    with pytest.raises(MediaError, match="header states") as caught:
        _load(bytes(data))
    assert caught.value.reason == "damaged"


def test_a_wav_written_to_a_pipe_states_no_length_and_is_accepted():
    data = bytearray(made("wav"))
    for field in (b"RIFF", b"data"):
        struct.pack_into("<I", data, data.index(field) + 4, 0xFFFF_FFFF)
    np.testing.assert_allclose(_load(bytes(data)).samples, tone(), atol=1e-7)


def test_a_wav_without_samples_chunk_is_damaged():
    with pytest.raises(MediaError, match="data chunk") as caught:
        _load(made("wav").replace(b"data", b"LIST"))
    assert caught.value.reason == "damaged"


def test_a_big_endian_wav_is_read():
    buffer = io.BytesIO()
    soundfile.write(buffer, tone(), RATE_HZ, format="WAV", subtype="PCM_24", endian="BIG")
    assert buffer.getvalue().startswith(b"RIFX")
    np.testing.assert_allclose(_load(buffer.getvalue()).samples, tone(), atol=1e-6)


@pytest.mark.parametrize("rate_hz", [8, 2_000_000])
def test_sample_rates_that_no_sound_has_are_damage(rate_hz):
    with pytest.raises(MediaError, match="sample rate") as caught:
        _load(sound_file(tone(), rate_hz, "WAV", "PCM_16"))
    assert caught.value.reason == "damaged"


def test_a_video_without_sound_is_no_sound():
    with pytest.raises(MediaError, match="without sound track") as caught:
        _load(film("mp4", "libx264", None))
    assert caught.value.reason == "mislabelled"


def test_a_sound_track_shorter_than_the_picture_is_whole():
    """Matroska states one duration for both: the missing rest of the sound is no damage."""
    frames = [np.zeros((48, 64, 3), np.uint8)] * 40
    assert _load(film("matroska", "libx264", "aac", frames=frames)).duration_seconds < 1.2


def test_an_mp3_with_a_cover_picture_is_a_sound():
    cover = picture_file(np.zeros((64, 64, 3), np.uint8), "JPEG")
    body = b"\x00image/jpeg\x00\x03\x00" + cover
    frame = b"APIC" + struct.pack(">I", len(body)) + b"\x00\x00" + body
    size = len(frame)
    length = bytes((size >> shift) & 0x7F for shift in (21, 14, 7, 0))
    tagged = b"ID3\x03\x00\x00" + length + frame + made("mp3")
    assert default_modality(tagged) == "audio"
    np.testing.assert_array_equal(_load(tagged).samples, _load(made("mp3")).samples)


def _opened(data: bytes) -> InputContainer:
    return av.open(io.BytesIO(data), "r")


def test_an_m4a_with_a_cover_picture_is_a_sound():
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as output, _opened(made("m4a")) as plain:
        cover = output.add_stream("mjpeg", rate=1)
        assert isinstance(cover, av.VideoStream)
        cover.width, cover.height, cover.pix_fmt = 64, 64, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        track = output.add_stream_from_template(plain.streams.audio[0])
        picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
        output.mux(cover.encode(picture))
        output.mux(cover.encode(None))
        for packet in plain.demux(audio=0):
            if packet.dts is not None:
                packet.stream = track
                output.mux(packet)
    assert default_modality(buffer.getvalue()) == "audio"
    with pytest.raises(MediaError, match="without picture") as caught:
        load(buffer.getvalue(), Modality.VIDEO)
    assert caught.value.reason == "mislabelled"


@pytest.mark.parametrize("name", ["png", "pdf", "musicxml", "txt", "mid", "gif"])
def test_other_media_are_mislabelled_as_sound(name):
    with pytest.raises(MediaError, match="expected audio, got") as caught:
        _load(made(name))
    assert caught.value.reason == "mislabelled"
