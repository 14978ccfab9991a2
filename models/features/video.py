"""Zero-weight description of a moving picture: what its frames look like and how they change."""

import numpy as np

from models.features.extractor import ExtractorSpec
from models.features.frames import FRAME_NUMBERS, FRAME_SIZE, frame_rows, small_frames
from models.features.layout import RowLayout, Run
from models.features.motion import (
    N_CURVES,
    changes,
    motion_curves,
    moving_object,
    place_of_change,
    rhythm,
)
from models.features.pixels import cell_means
from models.features.summaries import NUMBERS_PER_CURVE, curve_summary
from models.types import Float32Array, Float64Array, Modality, UInt8Array, Video

_BLOCK = 256  # frames described at once; bounds the memory of a long video
_MAX_FRAMES = 8192
_CELLS = 4
_LAYOUT = RowLayout(
    Run("frame means", FRAME_NUMBERS, 0.1),
    Run("frame deviations", FRAME_NUMBERS, 0.012),
    Run("change shares", 64, 0.05),
    Run("change place", 5, 0.05),
    Run("change amount", 1, 0.5),
    Run("object colour", 3, 0.1),
    Run("object course", 5 * NUMBERS_PER_CURVE, 0.08),
    Run("curves", N_CURVES * NUMBERS_PER_CURVE, 0.1),
    Run("curve spectra", N_CURVES * 13, 0.12),
    Run("curve powers", N_CURVES, 1.7),
    Run("place spectrum", 25, 0.09),
    Run("place power", 1, 1.4),
    Run("periods", 4 * 25, 0.2),
    Run("change course", 16, 0.03),
    Run("duration", 1, 0.5),
)


class FrameMotion:
    """Extractor ``frame-motion``: pooled frame rows, motion, rhythm. Never reads the sound."""

    layout = _LAYOUT

    @property
    def spec(self) -> ExtractorSpec:
        """Name, dimensions and parameters."""
        return ExtractorSpec(
            name="frame-motion",
            modality=Modality.VIDEO,
            dimension=_LAYOUT.dimension,
            sequence_dimension=FRAME_NUMBERS + _CELLS**2,
            parameters={"version": 2, "size": FRAME_SIZE, "max_frames": _MAX_FRAMES},
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
        parts = [
            rows.mean(axis=0),
            rows.std(axis=0),
            place_of_change(changes(luma)),
            moving_object(colours),
            curve_summary(curves.T),
            rhythm(curves, luma, rate_hz),
            np.log([media.duration_seconds + 1e-3]),
        ]
        return _LAYOUT.row(parts)


def _described(frames: UInt8Array) -> tuple[Float64Array, Float64Array]:
    """Return the small frames (T, 32, 32, 3) and their rows (T, FRAME_NUMBERS)."""
    blocks = [small_frames(frames[k : k + _BLOCK]) for k in range(0, len(frames), _BLOCK)]
    rows = [frame_rows(block) for block in blocks]
    return np.concatenate(blocks), np.concatenate(rows)
