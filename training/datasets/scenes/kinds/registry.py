"""The table of kinds."""

from typing import Protocol

from models.types import Float64Array
from training.datasets.scenes.canvas import Canvas
from training.datasets.scenes.kinds import (
    ball,
    bell,
    bird,
    clock,
    cricket,
    drum,
    engine,
    fireworks,
    frog,
    helicopter,
    rain,
    sea,
    siren,
    train,
    typing,
    xylophone,
)
from training.datasets.scenes.scene import SceneParameters
from training.datasets.scenes.stage import Stage


class Kind(Protocol):
    """What a module of this package holds."""

    TEMPO_HZ: tuple[float, float]
    """Slowest and fastest tempo, events per second."""
    PITCH_HZ: tuple[float, float]
    """Lowest and highest main frequency."""
    JITTER: float
    """How far events stray from the beat: 0 regular .. 1 by half a period either way."""
    STILL_SECONDS: float
    """How long after an event the kind looks most like itself."""

    def sound(self, scene: SceneParameters, /) -> Float64Array:
        """Synthesise the sound of the thing alone at any level, shape (T,)."""
        ...

    def draw_scenery(self, canvas: Canvas, stage: Stage, /) -> None:
        """Draw what stands still, over the whole canvas."""
        ...

    def draw(self, canvas: Canvas, stage: Stage, seconds: float, /) -> None:
        """Draw what moves, as it is at a moment of the scene."""
        ...


RENDERERS: dict[str, Kind] = {
    "ball": ball,
    "bell": bell,
    "bird": bird,
    "clock": clock,
    "cricket": cricket,
    "drum": drum,
    "engine": engine,
    "fireworks": fireworks,
    "frog": frog,
    "helicopter": helicopter,
    "rain": rain,
    "sea": sea,
    "siren": siren,
    "train": train,
    "typing": typing,
    "xylophone": xylophone,
}
