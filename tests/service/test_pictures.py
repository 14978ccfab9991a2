"""Previews against media whose picture is known."""

import io

import numpy as np
import pytest
from PIL import Image as Picture

from models.types import Audio, Image, Lyrics, Score, Video
from service.pictures import HEIGHT, WIDTH, frame_strip, spectrogram, staff, thumbnail
from service.previews import render

RATE_HZ = 16_000


def tone(*pitches_hz, seconds=2.0):
    t = np.arange(round(RATE_HZ * seconds)) / RATE_HZ
    parts = np.split(t, len(pitches_hz))
    sounds = [np.sin(2 * np.pi * hz * p) for hz, p in zip(pitches_hz, parts, strict=True)]
    return Audio(np.concatenate(sounds).astype(np.float32), RATE_HZ)


def brightness(picture):
    return np.asarray(picture, dtype=float).sum(axis=2)


def loudest_hz(column):
    """The frequency of the brightest row; rows are log-spaced from 8,000 down to 50 Hz."""
    return np.geomspace(RATE_HZ / 2, 50, HEIGHT)[column.argmax()]


def test_a_tone_is_bright_at_its_frequency_and_time():
    picture = brightness(spectrogram(tone(300, 2400)))
    assert picture.shape == (HEIGHT, WIDTH)
    assert loudest_hz(picture[:, WIDTH // 4]) == pytest.approx(300, rel=0.08)
    assert loudest_hz(picture[:, 3 * WIDTH // 4]) == pytest.approx(2400, rel=0.08)


def test_louder_is_brighter():
    quiet = tone(1000, 1000).samples * np.repeat([1.0, 0.05], RATE_HZ).astype(np.float32)
    picture = brightness(spectrogram(Audio(quiet, RATE_HZ)))
    assert picture[:, WIDTH // 4].max() > picture[:, 3 * WIDTH // 4].max() + 100


@pytest.mark.parametrize("n", [1, 10, 801, 100_000])
def test_sounds_of_any_length_and_silence_have_a_spectrogram(n):
    assert spectrogram(Audio(np.zeros(n, np.float32), RATE_HZ)).size == (WIDTH, HEIGHT)


def test_frames_stand_side_by_side_in_order():
    greys = np.linspace(0, 240, 9).astype(np.uint8)
    frames = np.tile(greys[:, None, None, None], (1, 30, 40, 3))
    strip = np.asarray(frame_strip(Video(frames, 8.0)))
    assert strip.shape[0] == HEIGHT
    step = (strip.shape[1] + 3) // 5
    shown = [strip[80, place * step + step // 2, 0] for place in range(5)]
    assert shown == [greys[i] for i in (0, 2, 4, 6, 8)]


@pytest.mark.parametrize("shape", [(1, 8, 8), (2, 500, 4), (3, 4, 500)])
def test_videos_of_any_shape_have_a_strip(shape):
    strip = frame_strip(Video(np.zeros((*shape, 3), np.uint8), 1.0))
    assert strip.size[1] == HEIGHT
    assert strip.size[0] <= 5 * (3 * HEIGHT + 3)


@pytest.mark.parametrize(
    ("shape", "size"), [((100, 1000), (480, 48)), ((960, 480), (240, 480)), ((5, 7), (7, 5))]
)
def test_a_thumbnail_keeps_its_proportions_and_never_grows(shape, size):
    assert thumbnail(Image(np.zeros((*shape, 3), np.uint8))).size == size


def test_a_staff_is_cut_to_its_ink():
    page = np.full((400, 800), 255, np.uint8)
    page[100:140, 200:600] = 0
    picture = np.asarray(staff(Score((page,), engraved=True)))
    scale = 720 / (400 + 24)
    assert picture.shape == (round((40 + 24) * scale), 720)
    assert (picture < 128).mean() == pytest.approx(40 * 400 / (64 * 424), abs=0.02)


def test_a_long_page_shows_its_upper_part_and_an_empty_one_paper():
    long = np.full((3000, 300), 255, np.uint8)
    long[50:2900, 50:250] = 0
    assert staff(Score((long,), engraved=False)).size == (720, 420)
    empty = staff(Score((np.full((60, 60), 255, np.uint8),), engraved=False))
    assert np.asarray(empty).min() == 255


def test_lyrics_are_shown_by_their_first_lines():
    text = "\n".join(f"Zeile {n}" for n in range(50))
    assert render(Lyrics(text)).decode() == "\n".join(f"Zeile {n}" for n in range(12))
    assert len(render(Lyrics("ü" * 5000)).decode()) == 600


def test_pictures_are_written_as_png_with_the_same_bytes_each_time():
    image = Image(np.arange(300, dtype=np.uint8).reshape(10, 10, 3))
    first, second = render(image), render(image)
    assert first == second
    assert np.array_equal(np.asarray(Picture.open(io.BytesIO(first))), image.pixels)
