"""Ordinary and degenerate media of every modality, the same in every process."""

import numpy as np

from models.types import Audio, Image, Lyrics, Media, Modality, Score, UInt8Array, Video


def _tone(seconds: float, rate_hz: int) -> Audio:
    moments = np.arange(round(seconds * rate_hz)) / rate_hz
    wave = 0.3 * np.sin(2 * np.pi * 440.0 * moments) * (moments % 0.5 < 0.2)
    hiss = 0.01 * np.random.default_rng(0).normal(size=len(moments))
    return Audio((wave + hiss).astype(np.float32), rate_hz)


def _sound(samples: list[float], rate_hz: int = 16_000) -> Audio:
    return Audio(np.array(samples, dtype=np.float32), rate_hz)


def _picture(rows: int, columns: int) -> Image:
    pixels = np.random.default_rng(1).integers(0, 256, (rows, columns, 3), dtype=np.uint8)
    return Image(pixels)


def _plain(rows: int, columns: int, value: int) -> Image:
    return Image(np.full((rows, columns, 3), value, dtype=np.uint8))


def _film(count: int, rows: int, columns: int, rate_hz: float) -> Video:
    frames = np.full((count, rows, columns, 3), 60, dtype=np.uint8)
    for t in range(count):
        left = (3 * t) % max(1, columns - 4)
        frames[t, : rows // 2 + 1, left : left + 5] = (250, 180, 20)
    return Video(frames, rate_hz)


def _page(rows: int, columns: int) -> UInt8Array:
    page = np.full((rows, columns), 255, dtype=np.uint8)
    if rows > 60:
        for line in range(5):
            page[20 + 8 * line, 10:-10] = 0
        page[34:41, 40:50] = 0
        page[26:33, 80:90] = 0
    return page


ORDINARY: dict[Modality, list[Media]] = {
    Modality.AUDIO: [_tone(1.3, 16_000), _tone(0.4, 8_000), _tone(6.0, 22_050)],
    Modality.IMAGE: [_picture(28, 28), _picture(48, 64), _picture(301, 200)],
    Modality.VIDEO: [_film(16, 90, 160, 8.0), _film(5, 32, 32, 30.0), _film(40, 24, 20, 2.5)],
    Modality.LYRICS: [
        Lyrics("the moon is up\nand so am I"),
        Lyrics("月が昇る\n夜が明ける"),
        Lyrics("달이 뜬다\n밤이 간다"),
    ],
    Modality.SCORE: [
        Score((_page(100, 300),), engraved=True),
        Score((_page(120, 200), _page(90, 150)), engraved=False),
        Score((_page(200, 400),), engraved=True),
    ],
}

DEGENERATE: dict[Modality, dict[str, Media]] = {
    Modality.AUDIO: {
        "no sample": _sound([]),
        "one sample": _sound([0.5]),
        "one sample at 1 Hz": _sound([0.5], 1),
        "three samples at 192 kHz": _sound([0.1, -0.2, 0.3], 192_000),
        "silence": _sound([0.0] * 20_000),
        "constant": _sound([1.0] * 20_000),
        "full-scale square": _sound([1.0, -1.0] * 10_000),
        "one click": _sound([0.0] * 9_000 + [1.0] + [0.0] * 9_000),
    },
    Modality.IMAGE: {
        "one pixel": _plain(1, 1, 7),
        "black": _plain(40, 40, 0),
        "white": _plain(40, 40, 255),
        "one row": _plain(1, 500, 90),
        "one column": _plain(500, 1, 90),
    },
    Modality.VIDEO: {
        "one frame": _film(1, 40, 60, 8.0),
        "one pixel": Video(np.zeros((1, 1, 1, 3), dtype=np.uint8), 8.0),
        "two frames": _film(2, 40, 60, 0.1),
        "black": Video(np.zeros((20, 30, 30, 3), dtype=np.uint8), 8.0),
        "fast": _film(30, 20, 20, 240.0),
    },
    Modality.LYRICS: {
        "one letter": Lyrics("a"),
        "one space": Lyrics(" "),
        "line breaks": Lyrics("\n\n\n"),
        "a mark without a letter": Lyrics("\u0301"),
        "beyond the basic plane": Lyrics("\U0001f3b5"),
    },
    Modality.SCORE: {
        "empty page": Score((_page(50, 50),), engraved=False),
        "one pixel": Score((np.zeros((1, 1), dtype=np.uint8),), engraved=False),
        "black page": Score((np.zeros((80, 80), dtype=np.uint8),), engraved=False),
        "staff of nothing": Score((_page(1, 300),), engraved=True),
    },
}
