"""Bytes to a picture: PNG, JPEG, WebP, BMP, TIFF and GIF by Pillow."""

import struct
import zlib
from io import BytesIO

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageOps

from models.errors import MediaError
from models.media.formats import GIF, GIF_FILM, MediaFormat
from models.media.limits import MediaLimits
from models.types import Image

# What Pillow's decoders raise on damaged content.
_DECODE_FAILURES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    Warning,
    struct.error,
    zlib.error,
)
_BOMBS = (PillowImage.DecompressionBombError, PillowImage.DecompressionBombWarning)
_WITH_TRANSPARENCY = frozenset({"RGBA", "LA", "PA", "La", "RGBa"})
_SIXTEEN_BITS = frozenset({"I;16", "I;16B", "I;16L", "I;16N"})


def decode_image(data: bytes, media_format: MediaFormat, limits: MediaLimits) -> Image:
    """Decode a picture; of an animated one, the first frame.

    Colours are taken as sRGB: an embedded colour profile is not applied.

    Args:
        data: The whole file.
        media_format: What ``sniff.identify`` said.
        limits: ``max_pixels`` and ``max_side_pixels`` apply to the header, before anything is
            decoded.

    Returns:
        Upright pixels (rows, columns, 3).

    Raises:
        MediaError: ``too_large`` for too many pixels, ``damaged`` when it does not decode.
    """
    return Image(np.array(open_picture(data, media_format, limits)))


def open_picture(data: bytes, media_format: MediaFormat, limits: MediaLimits) -> PillowImage.Image:
    """Decode to an upright RGB picture of Pillow; arguments and errors as ``decode_image``."""
    decoder = "GIF" if media_format in (GIF, GIF_FILM) else media_format.name.upper()
    try:
        with PillowImage.open(BytesIO(data), formats=[decoder]) as picture:
            _refuse_large(picture.width, picture.height, limits)
            picture.load()
            return _opaque_rgb(ImageOps.exif_transpose(picture))
    except _BOMBS as error:
        raise MediaError(
            "too_large", f"expected at most {limits.max_pixels} pixels: {error}"
        ) from None
    except _DECODE_FAILURES as error:
        raise MediaError(
            "damaged", f"expected a whole {media_format.name} picture, it does not decode: {error}"
        ) from None


def _refuse_large(width: int, height: int, limits: MediaLimits) -> None:
    if width * height > limits.max_pixels:
        raise MediaError(
            "too_large",
            f"expected at most {limits.max_pixels} pixels, got {width} x {height} = "
            f"{width * height}",
        )
    if max(width, height) > limits.max_side_pixels:
        raise MediaError(
            "too_large",
            f"expected sides of at most {limits.max_side_pixels} pixels, got {width} x {height}",
        )


def _opaque_rgb(picture: PillowImage.Image) -> PillowImage.Image:
    if picture.mode in _SIXTEEN_BITS:
        # Pillow's own conversion clips at 255 instead of scaling.
        grey = (np.asarray(picture).astype(np.uint16) >> 8).astype(np.uint8)
        return PillowImage.fromarray(grey).convert("RGB")
    if picture.mode in ("I", "F"):
        raise MediaError(
            "unsupported", f"expected 8 or 16 bits a channel, got pixels of mode {picture.mode!r}"
        )
    if picture.mode in _WITH_TRANSPARENCY or "transparency" in picture.info:
        coloured = picture.convert("RGBA")
        paper = PillowImage.new("RGBA", coloured.size, (255, 255, 255, 255))
        return PillowImage.alpha_composite(paper, coloured).convert("RGB")
    return picture.convert("RGB")
