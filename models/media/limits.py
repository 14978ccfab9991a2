"""How much media we are willing to decode. Every limit is a setting of the service and the CLI."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MediaLimits:
    """Upper bounds, checked before or while decoding, never after memory was taken.

    Attributes:
        max_bytes: Size of the encoded file.
        max_unpacked_bytes: Summed uncompressed size of a zipped score (``.mxl``) or of its XML.
        max_seconds: Duration of sound or video.
        max_pixels: rows x columns of one picture, video frame or page.
        max_side_pixels: Rows, and columns, of one picture.
        max_pages: Pages of a score or PDF.
        max_bars: Bars of a notation file.
        max_characters: Length of a lyric text.
    """

    max_bytes: int = 64 * 2**20
    max_unpacked_bytes: int = 32 * 2**20
    max_seconds: float = 900.0
    max_pixels: int = 40_000_000
    max_side_pixels: int = 16_384
    max_pages: int = 32
    max_bars: int = 2_000
    max_characters: int = 100_000
