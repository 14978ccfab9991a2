import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image as PillowImage

from models.errors import MediaError
from models.media.limits import MediaLimits
from models.media.load import load
from models.types import Image, Modality
from tests.models.media.media_files import (
    IMAGE_NAMES,
    animated_gif,
    colour_picture,
    made,
    picture_file,
)


def _pixels(data: bytes, limits: MediaLimits | None = None) -> np.ndarray:
    image = load(data, Modality.IMAGE, limits or MediaLimits())
    assert isinstance(image, Image)
    return image.pixels


@pytest.mark.parametrize("name", ["png", "bmp", "tif", "still-gif"])
def test_lossless_pictures_give_the_pixels_themselves(name):
    np.testing.assert_array_equal(_pixels(made(name)), colour_picture())


@pytest.mark.parametrize("name", ["jpg", "webp"])
def test_lossy_pictures_are_near(name):
    away_from_the_edge = np.r_[0:12, 20:32]
    np.testing.assert_allclose(
        _pixels(made(name))[:, away_from_the_edge].astype(int),
        colour_picture()[:, away_from_the_edge],
        atol=12,
    )


@pytest.mark.parametrize(
    ("orientation", "turn"),
    [
        (1, lambda p: p),
        (2, np.fliplr),
        (3, lambda p: np.rot90(p, 2)),
        (4, np.flipud),
        (5, lambda p: p.transpose(1, 0, 2)),
        (6, lambda p: np.rot90(p, -1)),
        (7, lambda p: np.rot90(p, 2).transpose(1, 0, 2)),
        (8, lambda p: np.rot90(p, 1)),
    ],
)
def test_exif_orientation_is_applied(orientation, turn):
    pixels = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    exif = PillowImage.Exif()
    exif[0x0112] = orientation
    data = picture_file(pixels, "PNG", exif=exif)
    np.testing.assert_array_equal(_pixels(data), turn(pixels))


def test_transparency_is_laid_over_white():
    pixels = np.zeros((1, 3, 4), np.uint8)
    pixels[0, :, 3] = 0, 128, 255
    np.testing.assert_array_equal(_pixels(picture_file(pixels, "PNG"))[0, :, 0], [255, 127, 0])


def test_a_transparent_palette_colour_is_laid_over_white():
    buffer = io.BytesIO()
    picture = PillowImage.new("P", (2, 1), 0)
    picture.putpalette([10, 20, 30, 40, 50, 60])
    picture.putpixel((1, 0), 1)
    picture.save(buffer, format="PNG", transparency=0)
    np.testing.assert_array_equal(_pixels(buffer.getvalue()), [[[255, 255, 255], [40, 50, 60]]])


def test_grey_with_alpha_is_laid_over_white():
    buffer = io.BytesIO()
    PillowImage.new("LA", (1, 1), (50, 0)).save(buffer, format="PNG")
    np.testing.assert_array_equal(_pixels(buffer.getvalue()), [[[255, 255, 255]]])


@pytest.mark.parametrize("name", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_to_eight(name):
    deep = np.array([[0, 0x7FFF, 0xFFFF, 0x0100]], np.uint16)
    np.testing.assert_array_equal(_pixels(picture_file(deep, name))[0, :, 0], [0, 0x7F, 0xFF, 1])


def test_floating_point_pixels_are_unsupported():
    with pytest.raises(MediaError, match="mode 'F'") as caught:
        _pixels(picture_file(np.zeros((2, 2), np.float32), "TIFF"))
    assert caught.value.reason == "unsupported"


def test_printing_colours_become_rgb():
    buffer = io.BytesIO()
    PillowImage.new("CMYK", (8, 8), (0, 255, 255, 0)).save(buffer, format="TIFF")
    red, green, blue = _pixels(buffer.getvalue())[0, 0]
    assert red > 200
    assert max(green, blue) < 60


def test_an_animation_gives_its_first_frame():
    assert (_pixels(animated_gif([30, 90], [100, 100])) == 30).all()


def test_pixels_may_be_written_to():
    assert _pixels(made("png")).flags.writeable


@pytest.mark.parametrize("name", IMAGE_NAMES)
def test_large_pictures_are_refused(name):
    with pytest.raises(MediaError, match="32 x 24") as caught:
        _pixels(made(name), MediaLimits(max_pixels=700))
    assert caught.value.reason == "too_large"


def _png_header(width: int, height: int) -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    end = struct.pack(">I", 0) + b"IEND" + struct.pack(">I", zlib.crc32(b"IEND"))
    return b"\x89PNG\r\n\x1a\n" + chunk + end


@pytest.mark.parametrize("side", [7_000, 10_000, 31_623])
def test_a_huge_picture_is_refused_from_its_header(side):
    with pytest.raises(MediaError, match="at most 40000000 pixels") as caught:
        _pixels(_png_header(side, side))
    assert caught.value.reason == "too_large"


@pytest.mark.parametrize("name", IMAGE_NAMES)
@pytest.mark.parametrize("share", [0.3, 0.7, 0.9])
def test_cut_pictures_are_damaged(name, share):
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)
    pillow_name = {"still-gif": "GIF", "jpg": "JPEG", "tif": "TIFF"}.get(name, name.upper())
    data = picture_file(noise, pillow_name)
    with pytest.raises(MediaError) as caught:
        _pixels(data[: int(share * len(data))])
    assert caught.value.reason == "damaged"


@pytest.mark.parametrize("name", ["wav", "mp4", "pdf", "txt", "mei"])
def test_other_media_are_mislabelled_as_picture(name):
    with pytest.raises(MediaError, match="expected image, got") as caught:
        _pixels(made(name))
    assert caught.value.reason == "mislabelled"
