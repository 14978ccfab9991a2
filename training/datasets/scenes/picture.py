"""From the numbers of a scene to its frames and its still picture."""

import numpy as np

from models.errors import DataError
from models.types import UInt8Array
from training.datasets.scenes.canvas import Canvas
from training.datasets.scenes.kinds.registry import RENDERERS
from training.datasets.scenes.scene import SceneParameters
from training.datasets.scenes.stage import Stage, set_stage

FRAME_RATE_HZ = 15
ROWS = 120
STILL_ROWS = 240

_STRONGEST_GRAIN = 9.0  # standard deviation in grey values at noise level 1


def render_frames(
    scene: SceneParameters, *, rows: int = ROWS, frame_rate_hz: int = FRAME_RATE_HZ
) -> UInt8Array:
    """Draw the moving picture of a scene.

    Args:
        scene: The numbers.
        rows: Height in pixels, a multiple of 6; the width is 4 / 3 of it.
        frame_rate_hz: Frames per second, > 0.

    Returns:
        Frames, shape (T, rows, columns, 3), sRGB 0..255.

    Raises:
        DataError: If the size or the rate cannot be drawn.
    """
    if rows < 6 or rows % 6 or frame_rate_hz < 1:
        raise DataError(
            "expected rows in multiples of 6 and at least 1 frame per second, "
            f"got rows={rows} and frame_rate_hz={frame_rate_hz}"
        )
    stage = set_stage(scene)
    scenery = _scenery(stage, rows)
    count = round(scene.duration_seconds * frame_rate_hz)
    frames = np.stack([_drawn(scenery, stage, t / frame_rate_hz) for t in range(count)])
    return _grainy(frames, scene)


def render_still(scene: SceneParameters, *, rows: int = STILL_ROWS) -> UInt8Array:
    """Draw one telling moment, just after the strongest event, shape (rows, columns, 3)."""
    strongest = max(scene.onsets, key=lambda event: event.strength)
    later = RENDERERS[scene.kind].STILL_SECONDS
    moment = min(strongest.time_seconds + later, scene.duration_seconds)
    stage = set_stage(scene)
    return _grainy(_drawn(_scenery(stage, rows), stage, moment)[None], scene)[0]


def _scenery(stage: Stage, rows: int) -> Canvas:
    """Draw what stands still, once."""
    canvas = Canvas.blank(rows)
    RENDERERS[stage.scene.kind].draw_scenery(canvas, stage)
    return canvas


def _drawn(scenery: Canvas, stage: Stage, seconds: float) -> UInt8Array:
    """Draw one moment over the scenery, shape (rows, columns, 3)."""
    canvas = scenery.copy()
    RENDERERS[stage.scene.kind].draw(canvas, stage, seconds)
    return canvas.pixels()


def _grainy(frames: UInt8Array, scene: SceneParameters) -> UInt8Array:
    """Lay film grain over frames (T, rows, columns, 3), new in every frame.

    Grain is two pixels wide and grey: a video encoder would smooth finer or coloured grain away.
    """
    generator = scene.generator("grain")
    count, rows, columns = frames.shape[:3]
    coarse = generator.standard_normal((count, rows // 2, columns // 2), dtype=np.float32)
    grain = (
        np.repeat(np.repeat(coarse, 2, axis=1), 2, axis=2) * _STRONGEST_GRAIN * scene.noise_level
    )
    noisy = frames.astype(np.int16) + np.rint(grain).astype(np.int16)[..., None]
    return np.clip(noisy, 0, 255).astype(np.uint8)
