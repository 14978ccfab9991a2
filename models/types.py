"""Words and letters that every package shares.

Letters in shapes: N items, B batch, T time, D features, H hidden, K subspace, C classes,
M modalities. Pixels are written (rows, columns, channels).
"""

from dataclasses import asdict, dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]
Int32Array = NDArray[np.int32]
Int64Array = NDArray[np.int64]
UInt8Array = NDArray[np.uint8]


class Modality(StrEnum):
    """The five kinds of item. A score is sheet music, engraved or scanned."""

    AUDIO = "audio"
    IMAGE = "image"
    VIDEO = "video"
    LYRICS = "lyrics"
    SCORE = "score"


@dataclass(frozen=True, slots=True, eq=False)
class Audio:
    """Decoded sound.

    Attributes:
        samples: Mono samples in [-1, 1], shape (T,), float32. Channels are averaged.
        sample_rate_hz: Samples per second, as stored in the file (not resampled).
    """

    samples: Float32Array
    sample_rate_hz: int

    @property
    def duration_seconds(self) -> float:
        """Length of the sound."""
        return len(self.samples) / self.sample_rate_hz


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """Decoded picture.

    Attributes:
        pixels: sRGB values 0..255, shape (rows, columns, 3), uint8; EXIF orientation applied,
            transparency laid over white.
    """

    pixels: UInt8Array


@dataclass(frozen=True, slots=True, eq=False)
class Video:
    """Decoded moving picture; its sound track is loaded separately as ``Audio``.

    Attributes:
        frames: sRGB values 0..255, shape (T, rows, columns, 3), uint8, T >= 1.
        frame_rate_hz: Frames per second of ``frames``, after sampling at a stated rate.
    """

    frames: UInt8Array
    frame_rate_hz: float

    @property
    def duration_seconds(self) -> float:
        """Length of the picture."""
        return len(self.frames) / self.frame_rate_hz


@dataclass(frozen=True, slots=True, eq=False)
class Lyrics:
    """Words of a song or line.

    Attributes:
        text: NFC normalised, any script, lines separated by a line feed, not empty.
    """

    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """Sheet music as page images.

    Attributes:
        pages: Grey values 0 (ink) .. 255 (paper), each of shape (rows, columns), uint8. Engraved
            pages carry staves and notes only: no lyrics, titles, tempo words or bar numbers.
        engraved: True when rendered from notation, False for a scan, photo or PDF page.
    """

    pages: tuple[UInt8Array, ...]
    engraved: bool


Media = Audio | Image | Video | Lyrics | Score


@dataclass(frozen=True, slots=True)
class Place:
    """Where a window lies in its song; what does not apply to the media is None.

    Attributes:
        first_bar: Of notation, 1 for the first bar of the file.
        last_bar: Of notation, inclusive.
        start_seconds: Of a recording; of notation, at the written tempo without repeats.
        end_seconds: Where it ends.
        page: Of a scan or PDF, from 1.
        staff: Line of music on that page, from 1.
        first_line: Of lyrics, from 1, empty lines counted.
        last_line: Of lyrics, inclusive.
    """

    first_bar: int | None = None
    last_bar: int | None = None
    start_seconds: float | None = None
    end_seconds: float | None = None
    page: int | None = None
    staff: int | None = None
    first_line: int | None = None
    last_line: int | None = None

    @property
    def entries(self) -> dict[str, int | float]:
        """What applies, by name."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """A part of a song that is searched by itself.

    Attributes:
        place: Where it lies.
        media: What is seen or heard there.
    """

    place: Place
    media: Media


@dataclass(frozen=True, slots=True)
class View:
    """One input of a shared space.

    Attributes:
        name: A ``Modality`` value, or any name for features from elsewhere (not servable).
        dimension: D of the feature rows.
        extractor: Name of the extractor that made them, None for features from elsewhere.
        extractor_fingerprint: Its fingerprint at training time, compared at search time.
        steps: T of sequences (N, T, D); None for pooled rows (N, D).
    """

    name: str
    dimension: int
    extractor: str | None = None
    extractor_fingerprint: str | None = None
    steps: int | None = None
