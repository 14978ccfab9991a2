"""From the numbers of a scene to its stereo sound."""

import math

import numpy as np

from models.types import Float32Array, Float64Array
from training.datasets.scenes.kinds.registry import RENDERERS
from training.datasets.scenes.scene import SceneParameters
from training.datasets.scenes.synthesis import SAMPLE_RATE_HZ, band, filtered, noise

_PEAK = 0.85
_LIMIT = 0.98
_AMBIENCE_RMS = 0.006
_DARKEST_DB_PER_OCTAVE, _BRIGHTEST_DB_PER_OCTAVE = -4.0, 2.0
_TILT_FROM_HZ, _TILT_PIVOT_HZ = 80.0, 800.0
_FAR_LOSS_DB = 11.0
_NEAR_CUT_HZ, _FAR_CUT_HZ = 7_500.0, 2_200.0
_QUIETEST_HISS, _LOUDEST_HISS = 0.0004, 0.008


def render_sound(scene: SceneParameters) -> tuple[Float32Array, int]:
    """Synthesise the sound of a scene.

    The thing itself is tilted towards low or high frequencies by the hue, made soft and dull by the
    distance, and placed between the loudspeakers; rumble or air (background) and hiss (noise
    level) lie under it.

    Args:
        scene: The numbers.

    Returns:
        Samples in [-1, 1], shape (T, 2), columns left and right, and the sample rate in hertz.
    """
    thing = _placed(_thing(scene), scene.place_x)  # (T, 2)
    samples = thing + _surroundings(scene)[:, None]
    peak = float(np.abs(samples).max())
    return (samples * min(1.0, _LIMIT / peak)).astype(np.float32), SAMPLE_RATE_HZ


def _thing(scene: SceneParameters) -> Float64Array:
    """Sound of the kind, levelled, then coloured by hue and distance, shape (T,)."""
    raw = RENDERERS[scene.kind].sound(scene)
    dark, bright = _DARKEST_DB_PER_OCTAVE, _BRIGHTEST_DB_PER_OCTAVE
    tilt_db = dark + (bright - dark) * scene.hue
    cut_hz = _NEAR_CUT_HZ * (_FAR_CUT_HZ / _NEAR_CUT_HZ) ** scene.distance

    def colour(frequencies: Float64Array) -> Float64Array:
        octaves = np.log2(np.maximum(frequencies, _TILT_FROM_HZ) / _TILT_PIVOT_HZ)
        return np.power(10.0, tilt_db * octaves / 20.0) / (1.0 + (frequencies / cut_hz) ** 2)

    coloured = filtered(raw, colour)
    level = _PEAK * 10.0 ** (-_FAR_LOSS_DB * scene.distance / 20.0)
    return coloured * level / max(float(np.abs(coloured).max()), 1e-9)


def _placed(samples: Float64Array, place_x: float) -> Float64Array:
    """Pan with constant power, shape (T,) -> (T, 2); the edges keep some sound on both sides."""
    angle = 0.5 * math.pi * (0.12 + 0.76 * place_x)
    return samples[:, None] * np.array([math.cos(angle), math.sin(angle)])


def _surroundings(scene: SceneParameters) -> Float64Array:
    """Ambience whose pitch follows the background, and hiss, shape (T,)."""
    generator = scene.generator("surroundings")
    centre_hz = 110.0 * 2.0 ** (4.2 * scene.background)
    ambience = noise(generator, scene.duration_seconds, 0.8 * centre_hz, 1.25 * centre_hz)
    quiet, loud = _QUIETEST_HISS, _LOUDEST_HISS
    hiss = filtered(generator.standard_normal(len(ambience)), band(3_000.0, 20_000.0))
    return _AMBIENCE_RMS * ambience + quiet * (loud / quiet) ** scene.noise_level * hiss
