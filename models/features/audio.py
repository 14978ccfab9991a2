"""Zero-weight description of a sound: spoken words, scenes and melodies in one row."""

import numpy as np

from models.features.events import EVENT_NUMBERS, event_shape, onset_density
from models.features.extractor import ExtractorSpec
from models.features.layout import RowLayout, Run
from models.features.log_mel import MelSettings, log_mel, mel_power, resampled
from models.features.pitch import PitchSettings, pitch_salience, pitch_statistics
from models.features.sound_shape import (
    WORD_CEPSTRA,
    WORD_SEGMENTS,
    beat,
    tempo,
    time_course,
    word_shape,
)
from models.features.spectral_shape import (
    N_CURVES,
    frame_level,
    onset_strength,
    spectral_curves,
)
from models.features.summaries import NUMBERS_PER_CURVE, curve_summary, mean_std_delta
from models.types import Audio, Float32Array, Float64Array, Modality

_MEL = MelSettings()
_PITCH = PitchSettings()
_PATCH_FRAMES, _PATCH_HOP_FRAMES = 96, 48  # 0.96 s every 0.48 s
_ONSET_GROUPS = 4
_BAND_PERCENTILES = (10.0, 50.0, 90.0)
_FULL_LEVEL = 20.0  # brings the level near [0, 1], like the other curves
_N_CURVES = N_CURVES + 1
_LAYOUT = RowLayout(
    Run("word cepstra", WORD_SEGMENTS * WORD_CEPSTRA, 2.5),
    Run("word length", 1, 0.5),
    Run("band moments", 3 * _MEL.n_bands, 1.5),
    Run("band percentiles", len(_BAND_PERCENTILES) * _MEL.n_bands // 2, 2.0),
    Run("beat spectra", 24 + 12 * _ONSET_GROUPS, 0.08),
    Run("beat periods", 24, 0.15),
    Run("beat powers", 1 + _ONSET_GROUPS, 1.5),
    Run("tempo", 4, 0.3),
    Run("onset rate", 1, 3.0),
    Run("onset count and sharpness", 2, 0.5),
    Run("event", EVENT_NUMBERS - 1, 2.0),
    Run("event count", 1, 0.6),
    Run("curves", _N_CURVES * NUMBERS_PER_CURVE, 0.08),
    Run("pitch shares", 2 * _PITCH.n_pitches, 0.08),
    Run("pitch course", 6, 0.5),
    Run("level course", 16, 1.5),
    Run("onset course", 16, 0.08),
    Run("duration", 1, 0.5),
)


class LogMelStatistics:
    """Extractor ``log-mel-statistics``: statistics of a 64-band log-mel spectrogram and of pitch.

    The pooled row serves spoken words (cepstra of 10 parts of the loud stretch), scenes
    (distribution per band, beat, onsets, the typical event, curves of centre, width, roll-off,
    flatness, dominant band and level) and music (semitones 36..96, course in 16 parts).
    """

    layout = _LAYOUT

    @property
    def spec(self) -> ExtractorSpec:
        """Name, dimensions and parameters."""
        return ExtractorSpec(
            name="log-mel-statistics",
            modality=Modality.AUDIO,
            dimension=_LAYOUT.dimension,
            sequence_dimension=3 * _MEL.n_bands,
            parameters={
                "version": 3,
                "sample_rate_hz": _MEL.sample_rate_hz,
                "n_bands": _MEL.n_bands,
                "patch_seconds": _PATCH_FRAMES / _MEL.frame_rate_hz,
                "patch_hop_seconds": _PATCH_HOP_FRAMES / _MEL.frame_rate_hz,
            },
        )

    def sequence(self, media: Audio) -> Float32Array:
        """Return mean, deviation and mean step per band of patches of 0.96 s, shape (T, 192).

        Patches start every 0.48 s; a sound shorter than a patch is padded with silence.
        """
        log_power = log_mel(mel_power(resampled(media, _MEL.sample_rate_hz), _MEL), _MEL)
        missing = max(0, _PATCH_FRAMES - len(log_power))
        padded = np.pad(log_power, ((0, missing), (0, 0)))
        starts = range(0, len(padded) - _PATCH_FRAMES + 1, _PATCH_HOP_FRAMES)
        patches = [mean_std_delta(padded[k : k + _PATCH_FRAMES]).ravel() for k in starts]
        return np.stack(patches).astype(np.float32)

    def pooled(self, media: Audio) -> Float32Array:
        """Return one row for the sound, shape (939,)."""
        samples = resampled(media, _MEL.sample_rate_hz)
        power = mel_power(samples, _MEL)
        log_power = log_mel(power, _MEL)
        level = frame_level(power)
        curves = [spectral_curves(power, log_power), level[:, None] / _FULL_LEVEL]
        onsets = onset_strength(log_power, n_groups=_ONSET_GROUPS)  # (groups, T)
        onset = onsets.mean(axis=0)
        parts = [
            word_shape(log_power, level),
            _band_distribution(log_power),
            beat(onsets, _MEL.frame_rate_hz),
            tempo(onset, _MEL.frame_rate_hz),
            onset_density(onset, _MEL.frame_rate_hz),
            event_shape(log_power, onset),
            curve_summary(np.concatenate(curves, axis=1)),
            pitch_statistics(pitch_salience(samples, _PITCH)),
            time_course(level, onset),
            np.log([media.duration_seconds + 1e-3]),
        ]
        return _LAYOUT.row(parts)


def _band_distribution(log_power: Float64Array) -> Float64Array:
    """Return moments of every band and percentiles of every pair of bands, shape (288,)."""
    percentiles = np.percentile(log_power, _BAND_PERCENTILES, axis=0)  # (3, n_bands)
    pairs = percentiles.reshape(len(_BAND_PERCENTILES), -1, 2).mean(axis=2)
    return np.concatenate([mean_std_delta(log_power).ravel(), pairs.ravel()])
