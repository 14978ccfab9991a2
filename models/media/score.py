"""Bytes to sheet music: notation is engraved, pictures and PDF pages are taken as they are."""

import numpy as np
from PIL import Image as PillowImage

from models.media import formats
from models.media.engraving import engrave
from models.media.formats import MediaFormat
from models.media.image import open_picture
from models.media.limits import MediaLimits
from models.media.pdf_pages import pdf_pages
from models.types import Score, UInt8Array

LONGER_SIDE_PIXELS = 2_000
_NOTATION = frozenset(
    {formats.MUSICXML, formats.MXL, formats.MEI, formats.MIDI, formats.ABC, formats.HUMDRUM}
)


def is_notation(media_format: MediaFormat) -> bool:
    """Tell whether a format holds notes rather than a picture of them."""
    return media_format in _NOTATION


def decode_score(data: bytes, media_format: MediaFormat, limits: MediaLimits) -> Score:
    """Decode sheet music to grey pages.

    Args:
        data: The whole file.
        media_format: What ``sniff.identify`` said.
        limits: ``max_pages`` and ``max_pixels`` apply before a page is drawn,
            ``max_unpacked_bytes`` before a notation file is read.

    Returns:
        Pages; those of a PDF have a longer side of ``LONGER_SIDE_PIXELS``, pictures at most that.

    Raises:
        MediaError: ``damaged``, ``empty``, ``unsupported`` or ``too_large``.
    """
    if media_format in _NOTATION:
        return Score(engrave(data, limits), engraved=True)
    if media_format is formats.PDF:
        pages = pdf_pages(data, limits, longer_side_pixels=LONGER_SIDE_PIXELS)
        return Score(tuple(_grey(page) for page in pages), engraved=False)
    return Score((_grey(open_picture(data, media_format, limits)),), engraved=False)


def _grey(page: PillowImage.Image) -> UInt8Array:
    """Grey values (rows, columns); a page that is larger than the limit is scaled down."""
    page = page.convert("L")
    scale = LONGER_SIDE_PIXELS / max(page.size)
    if scale < 1.0:
        size = (max(1, round(page.width * scale)), max(1, round(page.height * scale)))
        page = page.resize(size, PillowImage.Resampling.LANCZOS)
    return np.array(page)
