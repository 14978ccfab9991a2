"""The front end of CLIP and SigLIP: a picture at the size of the network, 8 bits a colour.

Follows the image processors of Hugging Face transformers on Pillow: bicubic, either the shorter
side and then the centre (CLIP) or both sides (SigLIP). Scaling to [-1, 1] is left to the device.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image as Pillow

from models.errors import ArtefactError
from models.types import UInt8Array

_LONGEST = 8  # sides of more than 1 : 8 lose their ends first, which the centre never shows


@dataclass(frozen=True, slots=True)
class PictureCrops:
    """Every number of the front end, from ``preprocessor_config.json``.

    Attributes:
        size: Rows and columns that the network takes.
        crop: True: the centre of the picture; False: the whole picture, stretched.
        mean: Of red, green and blue in [0, 1], subtracted on the device.
        deviation: Divides afterwards.
    """

    size: int
    crop: bool
    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> "PictureCrops":
        """Take the settings of a checkpoint.

        Raises:
            ArtefactError: If they are incomplete or ask for something else.
        """
        try:
            crop = bool(config.get("do_center_crop", False))
            crop_size, size = config.get("crop_size"), config["size"]
            side = _side(crop_size if crop else size)
            shorter = size.get("shortest_edge") if isinstance(size, dict) else size
            if config.get("resample", Pillow.Resampling.BICUBIC) != Pillow.Resampling.BICUBIC:
                raise ValueError(f"resample {config['resample']}, expected 3 (bicubic)")
            if crop and shorter != side:
                raise ValueError(f"size {size} with crop_size {crop_size}, expected the same")
            mean, deviation = config["image_mean"], config["image_std"]
            return cls(side, crop, tuple(map(float, mean)), tuple(map(float, deviation)))
        except (KeyError, TypeError, ValueError) as error:
            raise ArtefactError(f"preprocessor_config.json of pictures: {error}") from error

    def piece(self, pixels: UInt8Array) -> UInt8Array:
        """Return a picture (rows, columns, 3) as (size, size, 3)."""
        picture = Pillow.fromarray(_without_ends(pixels) if self.crop else pixels)
        rows, columns = picture.height, picture.width
        sides = (self.size, self.size)
        if self.crop:
            shorter = min(rows, columns)
            sides = (self.size * columns // shorter, self.size * rows // shorter)
        resized = picture.resize(sides, Pillow.Resampling.BICUBIC)
        left, top = (resized.width - self.size) // 2, (resized.height - self.size) // 2
        return np.asarray(resized.crop((left, top, left + self.size, top + self.size)))


def _side(size: Any) -> int:
    """The one side of a square, given as a number or as height and width."""
    if isinstance(size, dict):
        height, width = size.get("height"), size.get("width")
        if height is None or height != width:
            raise ValueError(f"{size}, expected equal height and width")
        return int(height)
    return int(size)


def _without_ends(pixels: UInt8Array) -> UInt8Array:
    """The middle of a picture that is longer than ``_LONGEST`` times its shorter side."""
    longest = _LONGEST * min(pixels.shape[:2])
    rows, columns = (
        slice((n - min(n, longest)) // 2, (n + min(n, longest)) // 2) for n in pixels.shape[:2]
    )
    return np.ascontiguousarray(pixels[rows, columns])
