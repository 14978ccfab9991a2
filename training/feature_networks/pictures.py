"""Pictures for training: another crop, side and colour in every epoch."""

from collections.abc import Sequence
from typing import cast

import numpy as np
import PIL.Image
import PIL.ImageEnhance

from models.features.compact import SIZE
from models.features.published.pictures import framed
from models.media.load import load
from models.networks.mobilenet_v2 import SIZE as TEACHER_SIZE
from models.types import Image, Modality, UInt8Array
from training.feature_networks.labelled_media import LabelledFile

_MOST_PIXELS = 176  # of the longer side, held in memory
_AREA = (0.45, 1.0)
_RATIO = (0.8, 1.25)
_COLOUR = (0.7, 1.3)


class PicturePieces:
    """Pictures that are held in memory.

    Args:
        files: What to read.
        mirrored: False for each task whose pictures change their meaning in a mirror.
    """

    def __init__(self, files: Sequence[LabelledFile], *, mirrored: Sequence[bool]) -> None:
        self._pictures = [_read(one) for one in files]
        self._mirrored = [mirrored[one.task] for one in files]

    def whole(self, number: int) -> UInt8Array:
        """A picture as the extractor takes it, shape (1, 128, 128, 3)."""
        return framed(self._pictures[number], SIZE, share=None)[None]

    def large(self, number: int) -> UInt8Array:
        """A picture as the teacher takes it, shape (224, 224, 3)."""
        return framed(self._pictures[number], TEACHER_SIZE, share=None)

    def draw(self, number: int, rng: np.random.Generator, *, augment: bool) -> UInt8Array:
        """A picture, changed when asked, shape (1, 128, 128, 3)."""
        if not augment:
            return self.whole(number)
        picture = cropped(self._pictures[number], rng)
        if self._mirrored[number] and rng.random() < 0.5:
            picture = picture[:, ::-1]
        return coloured(framed(np.ascontiguousarray(picture), SIZE, share=None), rng)[None]


def cropped(picture: UInt8Array, rng: np.random.Generator) -> UInt8Array:
    """A part of a picture, 45 to 100 % of its area, proportions kept within a quarter."""
    rows, columns = picture.shape[:2]
    area, ratio = rng.uniform(*_AREA), np.exp(rng.uniform(*np.log(_RATIO)))
    height = min(rows, max(8, round(rows * np.sqrt(area / ratio))))
    width = min(columns, max(8, round(columns * np.sqrt(area * ratio))))
    top, left = rng.integers(rows - height + 1), rng.integers(columns - width + 1)
    return picture[top : top + height, left : left + width]


def coloured(picture: UInt8Array, rng: np.random.Generator) -> UInt8Array:
    """A picture with other brightness, contrast and saturation, each by up to 30 %."""
    changed = PIL.Image.fromarray(picture)
    for enhancer in (
        PIL.ImageEnhance.Brightness,
        PIL.ImageEnhance.Contrast,
        PIL.ImageEnhance.Color,
    ):
        changed = enhancer(changed).enhance(rng.uniform(*_COLOUR))
    return np.array(changed)  # a copy that torch may hold


def _read(file: LabelledFile) -> UInt8Array:
    media = cast("Image", load(file.source, Modality.IMAGE))
    picture = PIL.Image.fromarray(media.pixels)
    picture.thumbnail((_MOST_PIXELS, _MOST_PIXELS))
    return np.asarray(picture)
