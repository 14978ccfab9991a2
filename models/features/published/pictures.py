"""MobileNetV2 and Inception V3: pictures and frames through a network trained for ImageNet."""

import math
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from PIL import Image as Pillow

from models.features.published.base import PublishedExtractor
from models.features.sampled_frames import FRAMES_PER_SECOND, MAX_FRAMES, sampled_frames
from models.types import Float32Array, Image, Modality, UInt8Array, Video

if TYPE_CHECKING:
    from torch import Tensor

    from models.networks.inception_v3 import InceptionV3
    from models.networks.mobilenet_v2 import MobileNetV2

    Network = Callable[[Tensor], Tensor]

_INCEPTION_SHARE = 299 / 342  # the shorter side becomes 342, the central 299 are taken

_FRAMES = {"frames_per_second": FRAMES_PER_SECOND, "max_frames": MAX_FRAMES}


def framed(pixels: UInt8Array, size: int, *, share: float | None) -> UInt8Array:
    """Return a picture as a square, shape (size, size, 3), by Pillow's bilinear filter.

    Args:
        pixels: Shape (rows, columns, 3).
        size: Rows and columns of the result.
        share: Side of the central square that is taken, as a share of the shorter side; None
            stretches the whole picture.
    """
    picture = Pillow.fromarray(pixels)
    box = None
    if share is not None:
        side = min(picture.size) * share
        left, top = (picture.width - side) / 2, (picture.height - side) / 2
        box = (left, top, left + side, top + side)
    return np.asarray(picture.resize((size, size), Pillow.Resampling.BILINEAR, box))


class _Pictures(PublishedExtractor[Image]):
    """A step is one of the places of the last layer in reading order; a row is their mean."""

    modality = Modality.IMAGE
    size: ClassVar[int]
    share: ClassVar[float | None] = None

    def prepare(self, media: Image, *, sequence: bool = False) -> UInt8Array:  # noqa: ARG002
        """Return the picture at the size of the network, shape (1, size, size, 3)."""
        return framed(media.pixels, self.size, share=self.share)[None]

    def network(self, *, sequence: bool) -> "Network":
        """Return the map from pictures to rows (B, D), or to places (B, T, D)."""
        network: Any = self.module()
        return _of_pixels(network.cells if sequence else network)


class _Frames(PublishedExtractor[Video]):
    """A step is a frame; a row is the mean of the frames. The sound is never read."""

    modality = Modality.VIDEO
    size: ClassVar[int]
    share: ClassVar[float | None] = None

    def prepare(self, media: Video, *, sequence: bool = False) -> UInt8Array:  # noqa: ARG002
        """Return one frame a second at the size of the network, shape (P, size, size, 3)."""
        frames = sampled_frames(media)
        return np.stack([framed(frame, self.size, share=self.share) for frame in frames])

    def network(self, *, sequence: bool) -> "Network":  # noqa: ARG002
        """Return the map from frames to rows (B, D)."""
        return _of_pixels(self.module())


class MobileNetV2Pictures(_Pictures):
    """Extractor ``mobilenet-v2``: the whole picture, stretched; places 7 x 7.

    Stretched rather than cropped as published: that was better on AV-11, see docs/extractors.md.
    """

    name = weights_name = "mobilenet-v2"
    dimension, size = 1280, 224
    parameters = {"version": 1, "size": 224}  # noqa: RUF012

    def module(self) -> "MobileNetV2":
        """Return the network with its weights, on the device."""
        return _mobilenet_v2(self)


class MobileNetV2Frames(_Frames):
    """Extractor ``mobilenet-v2-frames``: ``mobilenet-v2`` on one frame a second."""

    name, weights_name = "mobilenet-v2-frames", "mobilenet-v2"
    dimension, size = 1280, 224
    parameters = {"version": 1, "size": 224, **_FRAMES}  # noqa: RUF012

    def module(self) -> "MobileNetV2":
        """Return the network with its weights, on the device."""
        return _mobilenet_v2(self)


class InceptionV3Pictures(_Pictures):
    """Extractor ``inception-v3``: the central square, as published; places 8 x 8."""

    name = weights_name = "inception-v3"
    dimension, size, share = 2048, 299, _INCEPTION_SHARE
    parameters = {"version": 1, "size": 299}  # noqa: RUF012

    def module(self) -> "InceptionV3":
        """Return the network with its weights, on the device."""
        return _inception_v3(self)


class InceptionV3Frames(_Frames):
    """Extractor ``inception-v3-frames``: ``inception-v3`` on one frame a second."""

    name, weights_name = "inception-v3-frames", "inception-v3"
    dimension, size, share = 2048, 299, _INCEPTION_SHARE
    parameters = {"version": 1, "size": 299, **_FRAMES}  # noqa: RUF012

    def module(self) -> "InceptionV3":
        """Return the network with its weights, on the device."""
        return _inception_v3(self)


class InceptionV3Projected(InceptionV3Frames):
    """Extractor ``inception-v3-frames-1024``: frames in 1,024 numbers, as in VEGAS and AVE.

    The published features of these sets have 1,024 numbers; how they came down from 2,048 is not
    published, so here it is a fixed random projection, which keeps angles and distances nearly
    (`random_signs`). Such features do not mix with the published ones.
    """

    name = "inception-v3-frames-1024"
    dimension = 1024

    def network(self, *, sequence: bool) -> "Network":
        """Return the map from frames to rows (B, 1024)."""
        import torch

        run = super().network(sequence=sequence)
        signs = torch.from_numpy(random_signs(InceptionV3Frames.dimension, self.dimension))
        projection = (signs / math.sqrt(self.dimension)).to(self.device)
        return lambda pieces: run(pieces) @ projection


@cache
def random_signs(rows: int, columns: int) -> Float32Array:
    """Return 1 and -1, each with probability 1/2, the same for ever, shape (rows, columns).

    With them, ``x @ signs / sqrt(columns)`` keeps distances within a few percent (Achlioptas,
    "Database-friendly random projections", JCSS 2003). The bits are those of PCG64 with seed 0,
    whose stream NumPy never changes.
    """
    words = np.random.PCG64(0).random_raw(rows * columns // 64).astype("<u8")
    bits = np.unpackbits(words.view(np.uint8), bitorder="little").reshape(rows, columns)
    return (2.0 * bits - 1.0).astype(np.float32)


def _of_pixels(run: "Network") -> "Network":
    """Let a network of values -1 .. 1 take pixels (B, rows, columns, 3), 0 .. 255."""
    return lambda pieces: run(pieces.permute(0, 3, 1, 2).float() / 127.5 - 1.0)


def _mobilenet_v2(extractor: PublishedExtractor[Any]) -> "MobileNetV2":
    from models.networks.mobilenet_v2 import MobileNetV2

    return extractor.loaded(MobileNetV2)


def _inception_v3(extractor: PublishedExtractor[Any]) -> "InceptionV3":
    from models.networks.inception_v3 import InceptionV3

    return extractor.loaded(InceptionV3)
