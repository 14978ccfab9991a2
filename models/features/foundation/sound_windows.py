"""The front end of CLAP: fixed windows of a sound as log-mel pictures, never a random crop.

Follows ``ClapFeatureExtractor`` of Hugging Face transformers for checkpoints without fusion: power
spectrogram with a periodic Hann window around every hop, mirrored ends, Slaney mel bands of equal
area, decibels. Written out so that bits depend on no BLAS, and that long sounds are read whole.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from scipy import sparse

from models.errors import ArtefactError
from models.features.log_mel import resampled
from models.types import Audio, Float32Array, Float64Array

MAX_WINDOWS = 32
_FLOOR = 1e-10
_BREAK_HZ, _BREAK_MEL, _LOG_STEP = 1000.0, 15.0, np.log(6.4) / 27.0  # Slaney's mel scale
_MEL_PER_HZ = 3.0 / 200.0


@dataclass(frozen=True, slots=True)
class SoundWindows:
    """Every number of the front end, from ``preprocessor_config.json``.

    Attributes:
        sample_rate_hz: Rate that sounds are resampled to.
        fft_size: Length of a frame and of its transform.
        hop_samples: Distance between frames.
        n_bands: Mel bands.
        min_hz: Lower edge of the first band.
        max_hz: Upper edge of the last band.
        window_seconds: What the network sees at once.
    """

    sample_rate_hz: int
    fft_size: int
    hop_samples: int
    n_bands: int
    min_hz: float
    max_hz: float
    window_seconds: float

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> "SoundWindows":
        """Take the settings of a checkpoint.

        Raises:
            ArtefactError: If they are incomplete or of a checkpoint with fusion.
        """
        if config.get("truncation") != "rand_trunc" or config.get("padding") != "repeatpad":
            raise ArtefactError(
                "expected a CLAP checkpoint without fusion (truncation 'rand_trunc', padding "
                f"'repeatpad'), got {config.get('truncation')!r} and {config.get('padding')!r}"
            )
        try:
            return cls(
                sample_rate_hz=int(config["sampling_rate"]),
                fft_size=int(config["fft_window_size"]),
                hop_samples=int(config["hop_length"]),
                n_bands=int(config["feature_size"]),
                min_hz=float(config["frequency_min"]),
                max_hz=float(config["frequency_max"]),
                window_seconds=float(config["max_length_s"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ArtefactError(f"preprocessor_config.json of CLAP: {error!r}") from error

    @property
    def window_samples(self) -> int:
        """Samples of a window."""
        return round(self.window_seconds * self.sample_rate_hz)

    def pieces(self, audio: Audio) -> Float32Array:
        """Return the log-mel pictures of a sound, shape (P, 1, frames, n_bands), in dB.

        A sound up to one window is repeated as often as it fits whole, then padded with silence.
        A longer one is covered by windows at equal distances, the first at its begin and the last
        at its end; above ``MAX_WINDOWS`` they leave gaps.
        """
        samples = resampled(audio, self.sample_rate_hz)
        windows = [self._log_mel(samples[start:end]) for start, end in self._places(len(samples))]
        return np.stack(windows).astype(np.float32)[:, None]

    def _places(self, length: int) -> list[tuple[int, int]]:
        size = self.window_samples
        count = min(max(1, -(-length // size)), MAX_WINDOWS)
        starts = np.linspace(0, max(0, length - size), count).round().astype(int)
        return [(start, start + size) for start in starts.tolist()]

    def _log_mel(self, samples: Float64Array) -> Float64Array:
        """Decibels of a window, shape (frames, n_bands)."""
        if len(samples) < self.window_samples:
            whole = np.tile(samples, self.window_samples // max(1, len(samples)))
            samples = np.pad(whole, (0, self.window_samples - len(whole)))
        padded = np.pad(samples, self.fft_size // 2, mode="reflect")
        frames = np.lib.stride_tricks.sliding_window_view(padded, self.fft_size)
        spectrum = np.fft.rfft(frames[:: self.hop_samples] * _hann(self.fft_size))
        power = spectrum.real**2 + spectrum.imag**2  # (frames, bins)
        return 10.0 * np.log10(np.maximum(_FLOOR, (_filterbank(self) @ power.T).T))


def hz_to_mel(hz: Float64Array) -> Float64Array:
    """Slaney's mel scale: linear to 1 kHz, logarithmic above (Auditory Toolbox, 1998)."""
    above = _BREAK_MEL + np.log(np.maximum(hz, _BREAK_HZ) / _BREAK_HZ) / _LOG_STEP
    return np.where(hz < _BREAK_HZ, hz * _MEL_PER_HZ, above)


def mel_to_hz(mel: Float64Array) -> Float64Array:
    """Inverse of `hz_to_mel`."""
    above = _BREAK_HZ * np.exp(_LOG_STEP * (np.maximum(mel, _BREAK_MEL) - _BREAK_MEL))
    return np.where(mel < _BREAK_MEL, mel / _MEL_PER_HZ, above)


@cache
def _filterbank(settings: SoundWindows) -> sparse.csr_array:
    """Triangles of equal area, shape (n_bands, bins); sparse products have one fixed order."""
    bins = np.linspace(0, settings.sample_rate_hz // 2, settings.fft_size // 2 + 1)
    ends = hz_to_mel(np.array([settings.min_hz, settings.max_hz]))
    edges = mel_to_hz(np.linspace(ends[0], ends[1], settings.n_bands + 2))
    lower, centre, upper = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising, falling = (bins - lower) / (centre - lower), (upper - bins) / (upper - centre)
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    return sparse.csr_array(triangles * 2.0 / (upper - lower))


@cache
def _hann(length: int) -> Float64Array:
    return 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(length) / length)
