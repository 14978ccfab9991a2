"""Zero-weight description of a moving picture: what its frames look like and how they change."""

import numpy as np

from models.features.extractor import ExtractorSpec
from models.features.frames import FRAME_NUMBERS, FRAME_SIZE, frame_rows, small_frames
from models.features.motion import (
    changes,
    motion_curves,
    moving_object,
    place_of_change,
    rhythm,
)
from models.features.pixels import cell_means
from models.features.summaries import curve_summary
from models.types import Float32Array, Float64Array, Modality, UInt8Array, Video

_BLOCK = 256  # frames described at once; bounds the memory of a long video
_MAX_FRAMES = 8192
_CELLS = 4
_N_CURVES = 9
_MOTION_NUMBERS = 70 + 33 + _N_CURVES * 6 + (_N_CURVES * 14 + 26 + 100 + 16) + 1


class FrameMotion:
    """Extractor ``frame-motion``: pooled frame rows, motion, rhythm. Never reads the sound."""

    @property
    def spec(self) -> ExtractorSpec:
        """Name, dimensions and parameters."""
        return ExtractorSpec(
            name="frame-motion",
            modality=Modality.VIDEO,
            dimension=2 * FRAME_NUMBERS + _MOTION_NUMBERS,
            sequence_dimension=FRAME_NUMBERS + _CELLS**2,
            parameters={"version": 1, "size": FRAME_SIZE, "max_frames": _MAX_FRAMES},
        )

    def sequence(self, media: Video) -> Float32Array:
        """Return appearance and change since the frame before on a 4 x 4 grid, shape (T, 249)."""
        colours, rows = _described(media.frames)
        change = np.zeros((len(rows), FRAME_SIZE, FRAME_SIZE))
        change[1:] = changes(colours[..., 0])[: len(rows) - 1]
        cells = cell_means(change[..., None], _CELLS).reshape(len(rows), -1)
        return np.concatenate([rows, np.sqrt(cells)], axis=1).astype(np.float32)

    def pooled(self, media: Video) -> Float32Array:
        """Return one row for the video, shape (892,)."""
        stride = -(-len(media.frames) // _MAX_FRAMES)
        rate_hz = media.frame_rate_hz / stride
        colours, rows = _described(media.frames[::stride])
        luma = colours[..., 0]
        curves = motion_curves(colours)
        blocks = [
            rows.mean(axis=0),
            rows.std(axis=0),
            place_of_change(changes(luma)),
            moving_object(colours),
            curve_summary(curves.T),
            rhythm(curves, luma, rate_hz),
            np.log([media.duration_seconds + 1e-3]),
        ]
        return np.concatenate([block.ravel() for block in blocks]).astype(np.float32)


def _described(frames: UInt8Array) -> tuple[Float64Array, Float64Array]:
    """Return the small frames (T, 32, 32, 3) and their rows (T, FRAME_NUMBERS)."""
    blocks = [small_frames(frames[k : k + _BLOCK]) for k in range(0, len(frames), _BLOCK)]
    rows = [frame_rows(block) for block in blocks]
    return np.concatenate(blocks), np.concatenate(rows)
