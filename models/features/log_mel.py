"""Log-mel spectrogram of a sound, our own so that no library version can change stored features."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import soxr
from numpy.typing import ArrayLike
from scipy import sparse

from models.types import Audio, Float64Array

_FRAMES_PER_BLOCK = 2048  # bounds the memory of a long sound; a block never changes a frame's value


@dataclass(frozen=True, slots=True)
class Framing:
    """How a sound is cut into windows: lengths in samples, ``fft_size >= window_samples``."""

    window_samples: int
    hop_samples: int
    fft_size: int


@dataclass(frozen=True, slots=True)
class MelSettings:
    """Every number that changes a log-mel value.

    Attributes:
        sample_rate_hz: Rate that sounds are resampled to.
        window_samples: Length of the periodic Hann window (25 ms).
        hop_samples: Distance between window starts (10 ms).
        fft_size: Transform length; longer than the window so that no low band lies between bins.
        n_bands: Triangular bands, equally spaced on the HTK mel scale.
        min_hz: Lower edge of the first band.
        max_hz: Upper edge of the last band.
        power_floor: Added before the logarithm; 1e-8 is 80 dB under a full-scale sine.
    """

    sample_rate_hz: int = 16_000
    window_samples: int = 400
    hop_samples: int = 160
    fft_size: int = 1024
    n_bands: int = 64
    min_hz: float = 50.0
    max_hz: float = 7_800.0
    power_floor: float = 1e-8

    @property
    def framing(self) -> Framing:
        """Windows of the spectrogram."""
        return Framing(self.window_samples, self.hop_samples, self.fft_size)

    @property
    def frame_rate_hz(self) -> float:
        """Spectrogram frames per second."""
        return self.sample_rate_hz / self.hop_samples


def hz_to_mel(hz: ArrayLike) -> Float64Array:
    """Return ``2595 log10(1 + hz / 700)``, the HTK mel scale."""
    return 2595.0 * np.log10(1.0 + np.asarray(hz, dtype=np.float64) / 700.0)


def mel_to_hz(mel: ArrayLike) -> Float64Array:
    """Return the frequency of a mel value, the inverse of `hz_to_mel`."""
    return 700.0 * (10.0 ** (np.asarray(mel, dtype=np.float64) / 2595.0) - 1.0)


@cache
def mel_filterbank(settings: MelSettings) -> sparse.csr_array:
    """Return triangles of height 1, linear in mel, as a sparse matrix (n_bands, fft_size // 2 + 1).

    Sparse because its product runs in one fixed order on one thread, so the bits of a feature do
    not depend on how many threads a BLAS library uses.
    """
    bins = hz_to_mel(np.arange(settings.fft_size // 2 + 1) * _bin_hz(settings))  # (bins,)
    edges = np.linspace(
        hz_to_mel(settings.min_hz), hz_to_mel(settings.max_hz), settings.n_bands + 2
    )
    lower, centre, upper = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising = (bins - lower) / (centre - lower)  # (n_bands, bins)
    falling = (upper - bins) / (upper - centre)  # (n_bands, bins)
    return sparse.csr_array(np.maximum(0.0, np.minimum(rising, falling)))


def resampled(audio: Audio, sample_rate_hz: int) -> Float64Array:
    """Return the samples of a sound at another rate, shape (T,), by soxr's "HQ" filter."""
    if audio.sample_rate_hz == sample_rate_hz:
        return audio.samples.astype(np.float64)
    samples = soxr.resample(audio.samples, audio.sample_rate_hz, sample_rate_hz, quality="HQ")
    return np.asarray(samples, dtype=np.float64)


def power_blocks(samples: Float64Array, framing: Framing) -> Iterator[Float64Array]:
    """Yield the power spectrum of successive frames, blocks of shape (frames, fft_size // 2 + 1).

    Scaled so that a full-scale sine has power 1 at its bin. Frame t covers the samples
    ``t * hop .. t * hop + window``; a sound shorter than one window is padded with zeros, and a
    last part shorter than a window is left out.
    """
    if len(samples) < framing.window_samples:
        samples = np.pad(samples, (0, framing.window_samples - len(samples)))
    window = _hann(framing.window_samples)
    scale = (2.0 / window.sum()) ** 2
    frames = np.lib.stride_tricks.sliding_window_view(samples, framing.window_samples)
    frames = frames[:: framing.hop_samples]
    for start in range(0, len(frames), _FRAMES_PER_BLOCK):
        spectrum = np.fft.rfft(frames[start : start + _FRAMES_PER_BLOCK] * window, framing.fft_size)
        yield (spectrum.real**2 + spectrum.imag**2) * scale


def mel_power(samples: Float64Array, settings: MelSettings) -> Float64Array:
    """Return the mel band powers of samples at the settings' rate, shape (T, n_bands), T >= 1."""
    bank = mel_filterbank(settings)
    blocks = [(bank @ power.T).T for power in power_blocks(samples, settings.framing)]
    return np.ascontiguousarray(np.concatenate(blocks))


def log_mel(power: Float64Array, settings: MelSettings) -> Float64Array:
    """Return the natural logarithm of mel band powers over the floor, shape (T, n_bands), >= 0.

    0 is silence; a full-scale sine reaches about 19.
    """
    return np.log1p(power / settings.power_floor)


def _bin_hz(settings: MelSettings) -> float:
    return settings.sample_rate_hz / settings.fft_size


@cache
def _hann(length: int) -> Float64Array:
    return 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(length) / length)
